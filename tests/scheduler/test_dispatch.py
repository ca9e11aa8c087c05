"""Each outcome of a request, and exactly the events that it stores."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.errors import StoreUnavailable
from application.ports import (
    Accepted,
    AccountRefused,
    CallOrder,
    ContactRefused,
    NeverLeft,
    NotNow,
    Outcome,
    RequestRefused,
    Unknown,
)
from domain.values import CampaignState, ContactStatus, PauseCause
from scheduler import dispatch as dispatching
from scheduler.dispatch import ClaimedCall, Dispatch
from scheduler.pace import Pace
from tests.support import eventually
from tests.wiring import BY, NOON, House

LINE = "c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"
HALF = 0.5


@pytest.fixture
def pace() -> Pace:
    return Pace(1000, lambda: HALF)


@pytest.fixture
def dispatch(
    house: House, pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dispatch]:
    monkeypatch.setattr(dispatching, "RENEWALS", lambda _: 0.001)
    made = a_dispatch(house, pace)
    yield made
    made.stop()


def a_dispatch(house: House, pace: Pace) -> Dispatch:
    return Dispatch(
        calls=house.calls,
        campaigns=house.campaigns,
        provider=house.provider,
        pace=pace,
        context=house.context,
        workers=8,
    )


def dial(house: House, dispatch: Dispatch, calls: list[UUID]) -> None:
    """Dial the calls one after the other, and wait until each is settled."""
    for call_id in calls:
        campaign_id = house.load_call(call_id).campaign_id
        dispatch.dial([ClaimedCall(call_id, campaign_id, LINE)])
        eventually(lambda: not dispatch.is_under_way(call_id), said="a settled call")  # noqa: B023 - it is settled before the next one begins


def dialled(house: House, dispatch: Dispatch, *script: Any) -> UUID:
    """Dial one call of a new campaign; the provider gives this outcome."""
    house.provider.answers(*script)
    [call_id] = house.claim(house.campaign(1))
    dial(house, dispatch, [call_id])
    return call_id


def state_of(house: House, call_id: UUID) -> CampaignState:
    return house.load_campaign(house.load_call(call_id).campaign_id).state


# --- What each outcome leaves -----------------------------------------------------

AT_ONCE = ["created", "requested"]
BUSY = NotNow("429: slow down")


@pytest.mark.parametrize(
    ("script", "facts", "standing"),
    [
        ([], ["placed"], "QUEUED"),
        ([Accepted("p", NOON, concurrency_blocked=True)], ["placed"], "QUEUED"),
        ([NotNow("429")], ["deferred"], "PENDING"),
        ([ContactRefused("400: customer.number")], ["rejected"], "FAILED"),
        ([AccountRefused("402: no credit")], ["deferred"], "PENDING"),
        ([RequestRefused("400: odd")], ["deferred"], "PENDING"),
        ([Unknown("500")], ["outcome_unknown"], "QUEUED"),
        ([NeverLeft("no route")] * 4, ["requested"] * 3 + ["deferred"], "PENDING"),
        ([NeverLeft("no route")], ["requested", "placed"], "QUEUED"),
        (
            [NeverLeft("no route"), Unknown("reset")],
            ["requested", "outcome_unknown"],
            "QUEUED",
        ),
    ],
)
def test_each_outcome_stores_exactly_its_events(
    house: House,
    dispatch: Dispatch,
    script: list[Outcome],
    facts: list[str],
    standing: str,
) -> None:
    call_id = dialled(house, dispatch, *script)
    assert house.topics(call_id) == AT_ONCE + facts
    assert house.load_call(call_id).standing is ContactStatus(standing)


def test_every_request_is_stored_before_it_is_sent(
    house: House, dispatch: Dispatch
) -> None:
    seen: list[list[str]] = []

    def look(order: CallOrder) -> Outcome:
        seen.append(house.topics(order.call_id))
        return NeverLeft("no route")

    dialled(house, dispatch, look, look)
    assert seen == [AT_ONCE, [*AT_ONCE, "requested"]]
    assert [order.request for order in house.provider.orders] == [1, 2, 3]


def test_the_order_is_built_from_the_vault(house: House, dispatch: Dispatch) -> None:
    call_id = dialled(house, dispatch)
    [order] = house.provider.orders
    assert (order.call_id, order.attempt, order.request) == (call_id, 1, 1)
    assert (order.phone, order.name) == ("+12025550000", "Person 1")
    assert order.variables["plan"] == "gold"


def test_an_answer_starts_the_campaign_with_the_first_placed_call(
    house: House, dispatch: Dispatch
) -> None:
    call_id = dialled(house, dispatch)
    campaign = house.load_campaign(house.load_call(call_id).campaign_id)
    assert campaign.state is CampaignState.DIALING
    assert campaign.started_at == NOON


def test_a_wait_named_by_the_provider_defers_the_call(
    house: House, dispatch: Dispatch
) -> None:
    dialled(house, dispatch, NotNow("429", retry_after=17))
    [view] = house.snapshot().campaigns
    assert view.next_due_at is not None
    assert (view.next_due_at - NOON).total_seconds() == 17


@pytest.mark.parametrize(
    "outcome", [BUSY, Accepted("p", NOON, concurrency_blocked=True)]
)
def test_a_busy_provider_slows_the_line(
    house: House, dispatch: Dispatch, pace: Pace, outcome: Outcome
) -> None:
    dialled(house, dispatch, outcome)
    assert LINE in pace.allowed_on_slow_lines(monotonic())


def test_an_account_refusal_pauses_and_uses_no_attempt(
    house: House, dispatch: Dispatch
) -> None:
    call_id = dialled(house, dispatch, AccountRefused("402: no credit"))
    row = house.board(house.load_call(call_id).campaign_id)
    assert (row.state, row.pause_cause) == (CampaignState.PAUSED, PauseCause.ACCOUNT)
    assert (row.pending, row.failed) == (1, 0)
    assert row.reason_words_id is not None
    assert house.vault.words(row.reason_words_id) == "402: no credit"


def test_unknown_refusals_in_a_row_pause_the_campaign(
    house: House, dispatch: Dispatch
) -> None:
    odd = RequestRefused("400: odd")
    house.provider.answers(odd, odd, Accepted("p", NOON), odd, odd, odd)
    campaign_id = house.campaign(6, cap=6)
    calls = house.claim(campaign_id, 6)
    dial(house, dispatch, calls[:5])
    assert house.board(campaign_id).state is CampaignState.DIALING
    dial(house, dispatch, calls[5:])
    assert house.board(campaign_id).pause_cause is PauseCause.PROVIDER_REFUSALS


# --- Who is not called ------------------------------------------------------------


@pytest.mark.parametrize("over", [False, True])
def test_nothing_is_requested_after_a_pause_or_a_cancel(
    house: House, dispatch: Dispatch, over: bool
) -> None:
    campaign_id = house.campaign(1)
    [call_id] = house.claim(campaign_id)
    if over:
        house.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    else:
        house.campaigns.pause(campaign_id, by=BY)
    dial(house, dispatch, [call_id])
    assert house.provider.orders == []
    assert house.topics(call_id) == ["created", "canceled" if over else "deferred"]


def test_a_pause_between_two_tries_prevents_the_second(
    house: House, dispatch: Dispatch
) -> None:
    campaign_id = house.campaign(1)

    def pause(_: CallOrder) -> Outcome:
        house.campaigns.pause(campaign_id, by=BY)
        return NeverLeft("no route")

    house.provider.answers(pause)
    [call_id] = house.claim(campaign_id)
    dial(house, dispatch, [call_id])
    assert len(house.provider.orders) == 1
    assert house.topics(call_id) == [*AT_ONCE, "deferred"]


def test_a_request_that_took_too_long_to_store_is_not_sent(
    house: House, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is frozen after storing the request until it is too late to send."""
    monkeypatch.setattr(dispatching, "SEND_WITHIN_SECONDS", 0.0)
    call_id = dialled(house, dispatch)
    assert house.provider.orders == []
    assert house.topics(call_id) == [*AT_ONCE, *["requested"] * 3, "deferred"]


def test_a_call_requested_by_another_dialer_is_not_released(
    house: House, dispatch: Dispatch
) -> None:
    """Releasing it would free the slot of a call that may be ringing."""
    [call_id] = house.claim(house.campaign(1))
    house.calls.request(call_id, dial_before=NOON)
    dial(house, dispatch, [call_id])
    assert house.provider.orders == []
    assert house.topics(call_id) == AT_ONCE


@pytest.mark.parametrize(
    "late",
    [NotNow("429"), ContactRefused("400: customer"), Unknown("500")],
)
def test_an_answer_to_an_old_request_does_not_settle_a_newer_one(
    house: House, dispatch: Dispatch, late: Outcome
) -> None:
    """Its dialer was frozen; another one settled the request and sent a new one."""

    def frozen(order: CallOrder) -> Outcome:
        house.calls.lose_outcome(order.call_id, reason="no answer was stored")
        house.calls.settle_absent(order.call_id)
        house.settle()
        assert house.claim_again(order.call_id).calls
        house.calls.request(order.call_id, dial_before=NOON)
        return late

    call_id = dialled(house, dispatch, frozen)
    assert house.topics(call_id)[-1] == "requested"
    assert house.load_call(call_id).request_open


# --- The store and the end --------------------------------------------------------


def test_an_outcome_is_stored_when_the_store_is_available_again(
    house: House, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, failures = house.calls.place, [StoreUnavailable("away")] * 2

    def away(*args: Any, **named: Any) -> None:
        if failures:
            raise failures.pop()
        place(*args, **named)

    monkeypatch.setattr(house.calls, "place", away)
    call_id = dialled(house, dispatch)
    assert house.topics(call_id) == [*AT_ONCE, "placed"]
    assert failures == []


def test_stop_waits_for_requests_under_way_and_starts_no_others(
    house: House, pace: Pace
) -> None:
    asked, answer = Event(), Event()

    def slow(_: CallOrder) -> Outcome:
        asked.set()
        assert answer.wait(10)
        return Accepted("p", NOON)

    house.provider.answers(slow)
    first, second = house.claim(campaign := house.campaign(2), 2)
    dispatch = a_dispatch(house, pace)
    dispatch.dial([ClaimedCall(first, campaign, LINE)])
    assert asked.wait(10)
    stopping = run(dispatch.stop)
    eventually(lambda: dispatch._timer.stopped, said="the stop")
    assert dispatch.is_under_way(first)
    dispatch.dial([ClaimedCall(second, campaign, LINE)])
    answer.set()
    stopping()
    assert house.topics(first) == [*AT_ONCE, "placed"]
    assert house.topics(second) == ["created"]


def run(work: Callable[[], None]) -> Callable[[], None]:
    thread = Thread(target=work)
    thread.start()
    return thread.join


def test_a_campaign_fails_if_none_of_its_calls_can_be_built(
    house: House, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("no number in the vault")

    monkeypatch.setattr(house.calls, "request", broken)
    campaign_id = house.campaign(3)
    calls = house.claim(campaign_id, 3)
    dial(house, dispatch, calls[:2])
    assert house.board(campaign_id).state is CampaignState.QUEUED
    dial(house, dispatch, calls[2:])
    assert house.board(campaign_id).state is CampaignState.FAILED


def test_calls_of_other_ids_are_not_under_way(dispatch: Dispatch) -> None:
    assert not dispatch.is_under_way(uuid4())
