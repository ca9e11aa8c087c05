"""Requests, placements and look-ups of a call, as they are stored."""

from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from domain.calls.call import Call
from domain.calls.reports import ReportGrade
from tests.application.calls.messages import (
    SOON,
    place,
    record_message,
    report,
    requested,
    seen,
    status,
)
from tests.child_process import join
from tests.wiring import BY, NOON, Services

# --- Requested -----------------------------------------------------------------------


def test_a_ticket_is_given_once_for_each_request(services: Services) -> None:
    call_id = requested(services)
    assert services.calls.request(call_id, dial_before=SOON) is None
    renewed = services.calls.renew_request(call_id, dial_before=SOON)
    assert renewed is not None
    assert renewed.order.request == 2


def test_the_provider_is_given_the_extension(services: Services) -> None:
    [call_id] = services.claim(services.campaign(["+12025550140 ext. 0101"]), 1)
    ticket = services.calls.request(call_id, dial_before=SOON)
    assert ticket is not None
    assert (ticket.order.phone, ticket.order.extension) == ("+12025550140", "0101")


@pytest.mark.parametrize("command", ["pause", "cancel"])
def test_a_request_concurrent_with_a_pause_is_stored_before_it_or_never(
    services: Services, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The command is run while the request is about to be stored."""
    campaign_id = services.campaign(1)
    [call_id] = services.claim(campaign_id)
    append = services.app.append

    def overtaken(*changed: Any, **rest: Any) -> int | None:
        monkeypatch.setattr(services.app, "append", append)
        if command == "pause":
            services.campaigns.pause(campaign_id, by=BY)
        else:
            services.campaigns.cancel(campaign_id, hang_up=False, by=BY)
        return append(*changed, **rest)

    monkeypatch.setattr(services.app, "append", overtaken)
    assert services.calls.request(call_id, dial_before=SOON) is None
    assert services.topics(call_id) == ["created"]


def test_a_campaign_that_changed_otherwise_is_read_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.installation_key.prepare()
    campaign_id = services.campaign(2)
    first, second = services.claim(campaign_id, 2)
    append = services.app.append

    def overtaken(*changed: Any, **rest: Any) -> int | None:
        monkeypatch.setattr(services.app, "append", append)
        services.calls.request(second, dial_before=SOON)
        place(services, second)
        return append(*changed, **rest)

    monkeypatch.setattr(services.app, "append", overtaken)
    assert services.calls.request(first, dial_before=SOON) is not None


def test_two_dialers_at_once_get_one_ticket(services: Services) -> None:
    [call_id] = services.claim(services.campaign(1))
    ready, tickets = Barrier(2), []

    def ask() -> None:
        ready.wait(10)
        tickets.append(services.calls.request(call_id, dial_before=SOON))

    threads = [Thread(target=ask, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        join(thread)
    assert sorted(ticket is None for ticket in tickets) == [False, True]
    assert services.topics(call_id) == ["created", "requested"]


def test_releasing_a_claim_whose_request_is_open_changes_nothing(
    services: Services,
) -> None:
    call_id = requested(services)
    services.calls.release_claim(call_id)
    assert services.topics(call_id) == ["created", "requested"]


# --- Placed --------------------------------------------------------------------------


def test_the_campaign_starts_in_the_save_that_stores_the_first_provider_id(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = requested(services)
    campaign_id = services.load_call(call_id).campaign_id
    assert services.load_campaign(campaign_id).started_at is None
    saves = counted_saves(services, monkeypatch)
    place(services, call_id)
    assert saves == [["placed", "dialing_started"]]
    assert services.load_campaign(campaign_id).started_at == NOON


def test_a_webhook_is_one_load_and_one_append(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, status(call_id, "ringing"))
    saves, loads = (
        counted_saves(services, monkeypatch),
        counted_loads(services, monkeypatch),
    )
    record_message(services, report(call_id))
    assert saves == [["ended", "reported"]]
    assert loads == [Call]


def counted_saves(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> list[list[str]]:
    saves, insert = list[list[str]](), services.app.recorder.insert_events

    def counting(events: Any, **rest: Any) -> Any:
        saves.append([event.topic.partition(".")[2] for event in events])
        return insert(events, **rest)

    monkeypatch.setattr(services.app.recorder, "insert_events", counting)
    return saves


def counted_loads(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[type]:
    loads, find = list[type](), services.app.find

    def counting(kind: Any, id_: UUID) -> Any:
        loads.append(kind)
        return find(kind, id_)

    monkeypatch.setattr(services.app, "find", counting)
    return loads


# --- Looked at -----------------------------------------------------------------------


def test_two_look_ups_with_news_are_both_stored(services: Services) -> None:
    call_id = requested(services)
    services.calls.record_lookup(
        call_id, seen(call_id, "ended"), grade=ReportGrade.NONE
    )
    later = seen(call_id, "ended", ended_at=SOON, ended_reason="customer-busy")
    services.calls.record_lookup(call_id, later, grade=ReportGrade.NONE)
    call = services.load_call(call_id)
    assert (call.ended_at, call.ended_reason) == (SOON, "customer-busy")


def test_a_look_up_without_news_stores_nothing(services: Services) -> None:
    call_id = requested(services)
    services.calls.record_lookup(call_id, seen(call_id), grade=ReportGrade.NONE)
    events = services.app.recorder.max_notification_id()
    services.calls.record_lookup(call_id, seen(call_id), grade=ReportGrade.NONE)
    assert services.app.recorder.max_notification_id() == events
