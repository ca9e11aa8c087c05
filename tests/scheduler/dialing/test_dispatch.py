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
from scheduler.dispatch import Dispatch
from scheduler.pace import Pace
from scheduler.settlement import ClaimedCall
from tests.support import eventually
from tests.wiring import BY, NOON, Services

LINE = "c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"
HALF = 0.5


@pytest.fixture
def pace() -> Pace:
    return Pace(1000, lambda: HALF)


@pytest.fixture
def dispatch(
    services: Services, pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dispatch]:
    monkeypatch.setattr(dispatching, "RENEWALS", lambda _: 0.001)
    made = a_dispatch(services, pace)
    yield made
    made.stop()


def a_dispatch(services: Services, pace: Pace) -> Dispatch:
    return Dispatch(
        calls=services.calls,
        campaigns=services.campaigns,
        provider=services.provider,
        pace=pace,
        context=services.context,
        workers=8,
    )


def dial(services: Services, dispatch: Dispatch, calls: list[UUID]) -> None:
    """Dial the calls one after the other, and wait until each is settled."""
    for call_id in calls:
        campaign_id = services.load_call(call_id).campaign_id
        dispatch.dial([ClaimedCall(call_id, campaign_id, LINE)])
        eventually(lambda: not dispatch.is_under_way(call_id), what="a settled call")  # noqa: B023 - it is settled before the next one begins


def dialled(services: Services, dispatch: Dispatch, *script: Any) -> UUID:
    """Dial one call of a new campaign; the provider gives this outcome."""
    services.provider.answers(*script)
    [call_id] = services.claim(services.campaign(1))
    dial(services, dispatch, [call_id])
    return call_id


def state_of(services: Services, call_id: UUID) -> CampaignState:
    return services.load_campaign(services.load_call(call_id).campaign_id).state


# --- What each outcome leaves -----------------------------------------------------

AT_ONCE = ["created", "requested"]
BUSY = NotNow("429: slow down")


@pytest.mark.parametrize(
    ("script", "facts", "contact_status"),
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
    services: Services,
    dispatch: Dispatch,
    script: list[Outcome],
    facts: list[str],
    contact_status: str,
) -> None:
    call_id = dialled(services, dispatch, *script)
    assert services.topics(call_id) == AT_ONCE + facts
    assert services.load_call(call_id).contact_status is ContactStatus(contact_status)


def test_every_request_is_stored_before_it_is_sent(
    services: Services, dispatch: Dispatch
) -> None:
    seen: list[list[str]] = []

    def look(order: CallOrder) -> Outcome:
        seen.append(services.topics(order.call_id))
        return NeverLeft("no route")

    dialled(services, dispatch, look, look)
    assert seen == [AT_ONCE, [*AT_ONCE, "requested"]]
    assert [order.request for order in services.provider.orders] == [1, 2, 3]


def test_the_order_is_built_from_the_vault(
    services: Services, dispatch: Dispatch
) -> None:
    call_id = dialled(services, dispatch)
    [order] = services.provider.orders
    assert (order.call_id, order.attempt, order.request) == (call_id, 1, 1)
    assert (order.phone, order.name) == ("+12025550000", "Person 1")
    assert order.variables["plan"] == "gold"


def test_an_answer_starts_the_campaign_with_the_first_placed_call(
    services: Services, dispatch: Dispatch
) -> None:
    call_id = dialled(services, dispatch)
    campaign = services.load_campaign(services.load_call(call_id).campaign_id)
    assert campaign.state is CampaignState.DIALING
    assert campaign.started_at == NOON


def test_a_wait_named_by_the_provider_defers_the_call(
    services: Services, dispatch: Dispatch
) -> None:
    dialled(services, dispatch, NotNow("429", retry_after=17))
    [view] = services.snapshot().campaigns
    assert view.next_due_at is not None
    assert (view.next_due_at - NOON).total_seconds() == 17


@pytest.mark.parametrize(
    "outcome", [BUSY, Accepted("p", NOON, concurrency_blocked=True)]
)
def test_a_busy_provider_slows_the_line(
    services: Services, dispatch: Dispatch, pace: Pace, outcome: Outcome
) -> None:
    dialled(services, dispatch, outcome)
    assert LINE in pace.allowed_on_slow_lines(monotonic())


def test_an_account_refusal_pauses_and_uses_no_attempt(
    services: Services, dispatch: Dispatch
) -> None:
    call_id = dialled(services, dispatch, AccountRefused("402: no credit"))
    row = services.board(services.load_call(call_id).campaign_id)
    assert (row.state, row.pause_cause) == (CampaignState.PAUSED, PauseCause.ACCOUNT)
    assert (row.pending, row.failed) == (1, 0)
    assert row.reason_words_id is not None
    assert services.vault.words(row.reason_words_id) == "402: no credit"


def test_unknown_refusals_in_a_row_pause_the_campaign(
    services: Services, dispatch: Dispatch
) -> None:
    odd = RequestRefused("400: odd")
    services.provider.answers(odd, odd, Accepted("p", NOON), odd, odd, odd)
    campaign_id = services.campaign(6, cap=6)
    calls = services.claim(campaign_id, 6)
    dial(services, dispatch, calls[:5])
    assert services.board(campaign_id).state is CampaignState.DIALING
    dial(services, dispatch, calls[5:])
    assert services.board(campaign_id).pause_cause is PauseCause.PROVIDER_REFUSALS


# --- Who is not called ------------------------------------------------------------


@pytest.mark.parametrize("over", [False, True])
def test_nothing_is_requested_after_a_pause_or_a_cancel(
    services: Services, dispatch: Dispatch, over: bool
) -> None:
    campaign_id = services.campaign(1)
    [call_id] = services.claim(campaign_id)
    if over:
        services.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    else:
        services.campaigns.pause(campaign_id, by=BY)
    dial(services, dispatch, [call_id])
    assert services.provider.orders == []
    assert services.topics(call_id) == ["created", "canceled" if over else "deferred"]


def test_a_pause_between_two_tries_prevents_the_second(
    services: Services, dispatch: Dispatch
) -> None:
    campaign_id = services.campaign(1)

    def pause(_: CallOrder) -> Outcome:
        services.campaigns.pause(campaign_id, by=BY)
        return NeverLeft("no route")

    services.provider.answers(pause)
    [call_id] = services.claim(campaign_id)
    dial(services, dispatch, [call_id])
    assert len(services.provider.orders) == 1
    assert services.topics(call_id) == [*AT_ONCE, "deferred"]


def test_a_request_that_took_too_long_to_store_is_not_sent(
    services: Services, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is frozen after storing the request until it is too late to send."""
    monkeypatch.setattr(dispatching, "SEND_WITHIN_SECONDS", 0.0)
    call_id = dialled(services, dispatch)
    assert services.provider.orders == []
    assert services.topics(call_id) == [*AT_ONCE, *["requested"] * 3, "deferred"]


def test_a_call_requested_by_another_dialer_is_not_released(
    services: Services, dispatch: Dispatch
) -> None:
    """Releasing it would free the slot of a call that may be ringing."""
    [call_id] = services.claim(services.campaign(1))
    services.calls.request(call_id, dial_before=NOON)
    dial(services, dispatch, [call_id])
    assert services.provider.orders == []
    assert services.topics(call_id) == AT_ONCE


@pytest.mark.parametrize(
    "late",
    [NotNow("429"), ContactRefused("400: customer"), Unknown("500")],
)
def test_an_answer_to_an_old_request_does_not_settle_a_newer_one(
    services: Services, dispatch: Dispatch, late: Outcome
) -> None:
    """Its dialer was frozen; another one settled the request and sent a new one."""

    def frozen(order: CallOrder) -> Outcome:
        services.calls.lose_outcome(order.call_id, reason="no answer was stored")
        services.calls.settle_absent(order.call_id)
        services.settle()
        assert services.claim_again(order.call_id).calls
        services.calls.request(order.call_id, dial_before=NOON)
        return late

    call_id = dialled(services, dispatch, frozen)
    assert services.topics(call_id)[-1] == "requested"
    assert services.load_call(call_id).request_open


# --- The store and the end --------------------------------------------------------


def test_an_outcome_is_stored_when_the_store_is_available_again(
    services: Services, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, failures = services.calls.place, [StoreUnavailable("away")] * 2

    def away(*args: Any, **named: Any) -> None:
        if failures:
            raise failures.pop()
        place(*args, **named)

    monkeypatch.setattr(services.calls, "place", away)
    call_id = dialled(services, dispatch)
    assert services.topics(call_id) == [*AT_ONCE, "placed"]
    assert failures == []


def test_stop_waits_for_requests_under_way_and_starts_no_others(
    services: Services, pace: Pace
) -> None:
    asked, answer = Event(), Event()

    def slow(_: CallOrder) -> Outcome:
        asked.set()
        assert answer.wait(10)
        return Accepted("p", NOON)

    services.provider.answers(slow)
    first, second = services.claim(campaign := services.campaign(2), 2)
    dispatch = a_dispatch(services, pace)
    dispatch.dial([ClaimedCall(first, campaign, LINE)])
    assert asked.wait(10)
    stopping = run(dispatch.stop)
    eventually(lambda: dispatch._timer.stopped, what="the stop")
    assert dispatch.is_under_way(first)
    dispatch.dial([ClaimedCall(second, campaign, LINE)])
    answer.set()
    stopping()
    assert services.topics(first) == [*AT_ONCE, "placed"]
    assert services.topics(second) == ["created"]


def test_a_stopped_dispatch_neither_calls_nor_releases_nor_hangs_up(
    services: Services, pace: Pace
) -> None:
    [call_id] = services.claim(campaign := services.campaign(1))
    dispatch = a_dispatch(services, pace)
    dispatch.stop()
    pace.refused(LINE, monotonic(), retry_after=600)
    assert pace.is_held(LINE, monotonic())
    dispatch.dial([ClaimedCall(call_id, campaign, LINE)])
    dispatch.hang_up("p")
    assert services.topics(call_id) == ["created"]
    assert dispatch.under_way() == []


def run(work: Callable[[], None]) -> Callable[[], None]:
    thread = Thread(target=work)
    thread.start()
    return thread.join


def test_a_campaign_fails_if_none_of_its_calls_can_be_built(
    services: Services, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("no number in the vault")

    monkeypatch.setattr(services.calls, "request", broken)
    campaign_id = services.campaign(3)
    calls = services.claim(campaign_id, 3)
    dial(services, dispatch, calls[:2])
    assert services.board(campaign_id).state is CampaignState.QUEUED
    dial(services, dispatch, calls[2:])
    assert services.board(campaign_id).state is CampaignState.FAILED


def test_calls_of_other_ids_are_not_under_way(dispatch: Dispatch) -> None:
    assert not dispatch.is_under_way(uuid4())
