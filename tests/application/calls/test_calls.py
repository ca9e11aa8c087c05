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
from tests.wiring import BY, NOON, House

# --- Requested -----------------------------------------------------------------------


def test_a_ticket_is_given_once_for_each_request(house: House) -> None:
    call_id = requested(house)
    assert house.calls.request(call_id, dial_before=SOON) is None
    renewed = house.calls.renew_request(call_id, dial_before=SOON)
    assert renewed is not None
    assert renewed.order.request == 2


def test_the_provider_is_given_the_extension(house: House) -> None:
    [call_id] = house.claim(house.campaign(["+12025550140 ext. 0101"]), 1)
    ticket = house.calls.request(call_id, dial_before=SOON)
    assert ticket is not None
    assert (ticket.order.phone, ticket.order.extension) == ("+12025550140", "0101")


@pytest.mark.parametrize("told", ["pause", "cancel"])
def test_a_request_concurrent_with_a_pause_is_stored_before_it_or_never(
    house: House, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    """The command is run while the request is about to be stored."""
    campaign_id = house.campaign(1)
    [call_id] = house.claim(campaign_id)
    append = house.app.append

    def overtaken(*changed: Any, **rest: Any) -> int | None:
        monkeypatch.setattr(house.app, "append", append)
        if told == "pause":
            house.campaigns.pause(campaign_id, by=BY)
        else:
            house.campaigns.cancel(campaign_id, hang_up=False, by=BY)
        return append(*changed, **rest)

    monkeypatch.setattr(house.app, "append", overtaken)
    assert house.calls.request(call_id, dial_before=SOON) is None
    assert house.topics(call_id) == ["created"]


def test_a_campaign_that_changed_otherwise_is_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.installation_key.prepare()
    campaign_id = house.campaign(2)
    first, second = house.claim(campaign_id, 2)
    append = house.app.append

    def overtaken(*changed: Any, **rest: Any) -> int | None:
        monkeypatch.setattr(house.app, "append", append)
        house.calls.request(second, dial_before=SOON)
        place(house, second)
        return append(*changed, **rest)

    monkeypatch.setattr(house.app, "append", overtaken)
    assert house.calls.request(first, dial_before=SOON) is not None


def test_two_dialers_at_once_get_one_ticket(house: House) -> None:
    [call_id] = house.claim(house.campaign(1))
    ready, tickets = Barrier(2), []

    def ask() -> None:
        ready.wait(10)
        tickets.append(house.calls.request(call_id, dial_before=SOON))

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ticket is None for ticket in tickets) == [False, True]
    assert house.topics(call_id) == ["created", "requested"]


def test_releasing_a_claim_whose_request_is_open_changes_nothing(
    house: House,
) -> None:
    call_id = requested(house)
    house.calls.release_claim(call_id)
    assert house.topics(call_id) == ["created", "requested"]


# --- Placed --------------------------------------------------------------------------


def test_the_campaign_starts_in_the_save_that_stores_the_first_provider_id(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = requested(house)
    campaign_id = house.load_call(call_id).campaign_id
    assert house.load_campaign(campaign_id).started_at is None
    saves = counted_saves(house, monkeypatch)
    place(house, call_id)
    assert saves == [["placed", "dialing_started"]]
    assert house.load_campaign(campaign_id).started_at == NOON


def test_a_webhook_is_one_load_and_one_append(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = requested(house)
    place(house, call_id)
    record_message(house, status(call_id, "ringing"))
    saves, loads = counted_saves(house, monkeypatch), counted_loads(house, monkeypatch)
    record_message(house, report(call_id))
    assert saves == [["ended", "reported"]]
    assert loads == [Call]


def counted_saves(house: House, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    saves, insert = list[list[str]](), house.app.recorder.insert_events

    def counting(events: Any, **rest: Any) -> Any:
        saves.append([event.topic.partition(".")[2] for event in events])
        return insert(events, **rest)

    monkeypatch.setattr(house.app.recorder, "insert_events", counting)
    return saves


def counted_loads(house: House, monkeypatch: pytest.MonkeyPatch) -> list[type]:
    loads, find = list[type](), house.app.find

    def counting(kind: Any, id_: UUID) -> Any:
        loads.append(kind)
        return find(kind, id_)

    monkeypatch.setattr(house.app, "find", counting)
    return loads


# --- Looked at -----------------------------------------------------------------------


def test_two_look_ups_with_news_are_both_stored(house: House) -> None:
    call_id = requested(house)
    house.calls.record_lookup(call_id, seen(call_id, "ended"), grade=ReportGrade.NONE)
    later = seen(call_id, "ended", ended_at=SOON, ended_reason="customer-busy")
    house.calls.record_lookup(call_id, later, grade=ReportGrade.NONE)
    call = house.load_call(call_id)
    assert (call.ended_at, call.ended_reason) == (SOON, "customer-busy")


def test_a_look_up_without_news_stores_nothing(house: House) -> None:
    call_id = requested(house)
    house.calls.record_lookup(call_id, seen(call_id), grade=ReportGrade.NONE)
    events = house.app.recorder.max_notification_id()
    house.calls.record_lookup(call_id, seen(call_id), grade=ReportGrade.NONE)
    assert house.app.recorder.max_notification_id() == events
