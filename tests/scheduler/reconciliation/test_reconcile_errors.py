"""Reconciliation while the provider is unreachable or gives odd answers."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.ports import (
    Accepted,
    CallOrder,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.dial_view import Phase
from domain.values import CallStatus
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from tests.scheduler.watch import ENDED, SILENCE, Watch, report
from tests.wiring import Services, phones


@pytest.fixture
def watch(services: Services) -> Watch:
    return Watch(services)


# --- The provider, unreachable or odd -----------------------------------------------


def test_while_the_provider_is_down_nothing_is_timed_out_or_given_up(
    watch: Watch, services: Services
) -> None:
    silent = watch.placed()
    order = watch.unknown()
    services.provider.down = True
    found = watch.look(60)
    assert found.down == "the provider is down"
    assert watch.status(silent) is CallStatus.QUEUED
    assert watch.phase(order.call_id) is Phase.UNKNOWN


OTHER_LINE = "line-2"


def on_other_line(watch: Watch) -> CallOrder:
    campaign = watch.services.campaign(phones(1, 50), phone_number_id=OTHER_LINE)
    [call_id] = watch.services.claim(campaign)
    return watch.request(call_id)


def test_an_error_on_one_line_does_not_affect_the_others(
    watch: Watch, services: Services
) -> None:
    here = watch.placed()
    there = watch.placed(on_other_line(watch), "p2")
    line = DEFAULT_PHONE_NUMBER_ID
    services.provider.lines_down[line] = ProviderUnavailable("500: try again")
    services.provider.say("p1", "ringing")
    services.provider.say("p2", "ringing")
    found = watch.look()
    assert (found.down, found.lines_down) == (None, {line: "500: try again"})
    assert watch.status(there) is CallStatus.RINGING
    assert watch.status(here) is CallStatus.QUEUED


def test_calls_of_a_line_without_an_answer_are_asked_for_by_id(
    watch: Watch, services: Services
) -> None:
    here = watch.placed()
    watch.placed(on_other_line(watch), "p2")
    services.provider.lines_down[DEFAULT_PHONE_NUMBER_ID] = ProviderUnavailable("500")
    services.provider.end("p1", ENDED)
    watch.look(2, every=SILENCE)
    assert watch.status(here) is CallStatus.ENDED


def test_an_unknown_request_is_kept_while_its_line_gives_no_answer(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    watch.placed(on_other_line(watch), "p2")
    services.provider.lines_down[order.phone_number_id] = ProviderUnavailable("500")
    watch.look(60)
    assert watch.phase(order.call_id) is Phase.UNKNOWN


def test_calls_of_a_deleted_line_are_searched_among_those_of_all_lines(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    services.provider.show(order, "p1")
    services.provider.lines_down[order.phone_number_id] = ProviderRefused("404")
    found = watch.look()
    assert (found.down, dict(found.lines_down)) == (None, {})
    assert services.load_call(order.call_id).provider_call_id == "p1"


def test_the_provider_is_down_if_no_line_can_be_listed(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    there = on_other_line(watch)
    for line in (order.phone_number_id, there.phone_number_id):
        services.provider.lines_down[line] = ProviderUnavailable("500")
    assert watch.look().down == "500"


def test_a_failed_request_for_one_call_does_not_affect_the_others(
    watch: Watch, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = watch.placed()
    services.calls.request_hang_up(bad, by="ann")
    good = watch.placed(watch.requested(), "p2")

    def refuse(provider_call_id: str) -> None:
        raise ProviderRefused("the call's control URL is on a foreign host")

    monkeypatch.setattr(services.provider, "hang_up", refuse)
    services.provider.say("p2", "ringing")
    assert watch.look().down is None
    assert watch.status(good) is CallStatus.RINGING


def test_an_error_with_one_call_does_not_affect_the_others(
    watch: Watch, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = watch.placed(), watch.placed(watch.requested(), "p2")
    look = services.calls.record_lookup

    def broken(call_id: UUID, *args: Any, **named: Any) -> None:
        if call_id == bad:
            raise KeyError("endedReason")
        look(call_id, *args, **named)

    monkeypatch.setattr(services.calls, "record_lookup", broken)
    services.provider.say("p1", "ringing")
    services.provider.say("p2", "ringing")
    watch.look()
    assert watch.status(good) is CallStatus.RINGING


def test_a_line_is_busy_with_any_live_call_ours_or_not(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    assert watch.look().busy_lines == frozenset()
    services.provider.show(order, "foreign")
    watch.services.campaign(phones(1), line_quiet_gating=True)
    assert watch.look().busy_lines == {order.phone_number_id}


def test_observations_of_finished_calls_are_dropped(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    watch.look(2)
    assert order.call_id in watch.reconcile.delay._absent
    services.provider.answers(Accepted("p1", services.now()))
    watch.placed(order)
    watch.look()
    services.provider.hidden.add("p1")
    watch.look()
    services.provider.hidden.clear()
    services.provider.end("p1", report(cost=Decimal(1), has_artifact=True))
    watch.look(2)
    assert not watch.reconcile.delay._absent
    assert not watch.reconcile.delay._unlisted
