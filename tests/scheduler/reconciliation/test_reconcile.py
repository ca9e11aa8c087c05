"""Reconciliation of claims and requests without an outcome, and of live calls."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from application.ports import CallReport
from domain.calls.costs import FIRST_COST
from domain.dial_view import Phase
from domain.values import CallStatus, CampaignState, ContactStatus
from scheduler.reconciliation.list_delay import LOOK_UPS
from tests.scheduler.watch import ENDED, SENT, SILENCE, TIME_OUT, Watch, report
from tests.wiring import Services


@pytest.fixture
def watch(services: Services) -> Watch:
    return Watch(services)


# --- Claimed or requested, and nothing known ----------------------------------------


def test_a_claim_without_a_request_is_released(
    watch: Watch, services: Services
) -> None:
    call_id = watch.claimed()
    watch.look(every=TIME_OUT)
    assert watch.phase(call_id) is Phase.CLAIMED, "its turn may be about to come"
    watch.look()
    assert services.topics(call_id) == ["created", "deferred"]


def test_a_request_without_a_stored_answer_becomes_unknown(
    watch: Watch, services: Services
) -> None:
    """The process died after the request, before it stored the outcome."""
    order = watch.requested()
    watch.look(every=SENT + TIME_OUT)
    assert watch.phase(order.call_id) is Phase.REQUESTED
    watch.look(every=timedelta(seconds=1))
    assert services.topics(order.call_id)[-1] == "outcome_unknown"


@pytest.mark.parametrize("bring", ["claimed", "requested"])
def test_a_call_under_way_in_this_process_is_not_settled(
    watch: Watch, services: Services, bring: str
) -> None:
    brought = getattr(watch, bring)()
    call_id = brought if isinstance(brought, UUID) else brought.call_id
    watch.under_way.add(call_id)
    before = services.topics(call_id)
    watch.look(3)
    assert services.topics(call_id) == before


# --- Unknown ------------------------------------------------------------------------


def test_an_unknown_call_that_the_provider_lists_is_placed(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    services.provider.show(order, "p1")
    watch.look()
    assert services.load_call(order.call_id).provider_call_id == "p1"
    assert services.load_campaign(order.campaign_id).state is CampaignState.DIALING


def test_an_absent_call_keeps_its_slot_until_three_look_ups_and_the_quarantine(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    watch.look(LOOK_UPS)
    assert watch.phase(order.call_id) is Phase.UNKNOWN, "90 s have not passed yet"
    watch.look()
    assert services.topics(order.call_id)[-1] == "deferred"


def test_many_quick_look_ups_do_not_shorten_the_quarantine(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    watch.look(8, every=timedelta(seconds=11))
    assert watch.phase(order.call_id) is Phase.UNKNOWN
    watch.look(every=timedelta(seconds=11))
    assert watch.phase(order.call_id) is None


def test_one_late_look_up_is_not_enough(watch: Watch) -> None:
    order = watch.unknown()
    watch.look(2, every=timedelta(hours=1))
    assert watch.phase(order.call_id) is Phase.UNKNOWN
    watch.look()
    assert watch.phase(order.call_id) is None


def test_the_quarantine_follows_the_largest_observed_delay(
    watch: Watch, services: Services
) -> None:
    placed = watch.placed()
    services.provider.hidden.add("p1")
    watch.look(4)  # 120 s after it was placed it still does not show.
    services.provider.hidden.clear()
    watch.look()
    assert watch.phase(placed) is Phase.PLACED
    order = watch.unknown()
    watch.look(11)
    assert watch.phase(order.call_id) is Phase.UNKNOWN, "3 x 120 s have not passed"
    watch.look(2)
    assert watch.phase(order.call_id) is None


def test_a_lost_call_does_not_lengthen_the_quarantine_for_ever(
    watch: Watch, services: Services
) -> None:
    lost = watch.placed()
    services.provider.hidden.add("p1")
    watch.look(25)
    assert watch.status(lost) is CallStatus.TIMEOUT
    order = watch.unknown()
    watch.look(LOOK_UPS + 1)
    assert watch.phase(order.call_id) is None


def test_a_second_absence_ends_the_call_as_failed(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    watch.look(LOOK_UPS + 1)
    assert services.claim_again(order.call_id).calls
    watch.request(order.call_id)
    services.calls.lose_outcome(order.call_id, reason="no clear answer")
    watch.look(LOOK_UPS + 1)
    call = services.load_call(order.call_id)
    assert (call.status, call.requests) == (CallStatus.FAILED, 2)
    assert call.contact_status is ContactStatus.FAILED


def test_an_old_snapshot_does_not_settle_a_newer_request(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    watch.look(LOOK_UPS)
    watch.clock.pass_(seconds=60)
    old = services.snapshot()
    services.calls.settle_absent(order.call_id)
    assert services.claim_again(order.call_id).calls
    watch.request(order.call_id)
    services.calls.lose_outcome(order.call_id, reason="no clear answer")
    watch.reconcile.run(old, now=services.now(), silence=SILENCE)
    assert watch.status(order.call_id) is CallStatus.QUEUED


# --- Live, silent, ended ------------------------------------------------------------


def test_the_listed_state_is_recorded_as_by_webhooks(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    for status in ("ringing", "in-progress"):
        services.provider.say("p1", status)
        watch.look()
    services.provider.end("p1", ENDED)
    watch.look(2)
    assert services.topics(call_id)[2:] == ["placed", "ringing", "answered", "ended"]


def test_an_earlier_listed_state_changes_nothing(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    services.provider.say("p1", "in-progress")
    watch.look()
    services.provider.say("p1", "ringing")
    watch.look(2)
    assert watch.status(call_id) is CallStatus.IN_PROGRESS


def test_a_live_call_without_events_is_confirmed(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    services.provider.say("p1", "in-progress")
    watch.look(21)
    assert services.topics(call_id).count("confirmed") == 1
    assert watch.status(call_id) is CallStatus.IN_PROGRESS


def test_a_call_without_events_unknown_to_the_provider_times_out(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    services.provider.shown.clear()
    watch.look(19)
    assert watch.status(call_id) is CallStatus.QUEUED, "it was not silent long enough"
    watch.look()
    assert watch.status(call_id) is CallStatus.TIMEOUT
    assert watch.phase(call_id) is Phase.GHOST, "it may be live all the same"


def test_a_call_that_never_leaves_the_queue_is_hung_up_after_an_hour(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    watch.look(6, every=timedelta(minutes=11))
    assert services.provider.hang_ups == ["p1"]
    assert watch.status(call_id) is CallStatus.TIMEOUT


def test_a_ghost_is_closed_when_the_provider_shows_its_end(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    services.calls.time_out(call_id, reason="unknown at the provider")
    watch.look()
    assert watch.phase(call_id) is Phase.GHOST
    services.provider.end("p1", ENDED)
    watch.look()
    assert watch.phase(call_id) is Phase.REPORTING
    assert watch.status(call_id) is CallStatus.TIMEOUT


def test_a_hang_up_is_repeated_until_the_call_ends(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    services.calls.request_hang_up(call_id, by="ann")
    watch.look(2)
    assert services.provider.hang_ups == ["p1"]
    assert watch.status(call_id) is CallStatus.ENDED


# --- Reports ------------------------------------------------------------------------


def test_a_report_with_its_artifact_is_taken_from_the_list(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    cost = Decimal("0.31")
    services.provider.end("p1", report(cost=cost, has_artifact=True))
    watch.look()
    assert services.load_call(call_id).cost == cost
    assert watch.phase(call_id) is None


def test_a_missing_report_is_asked_for_twice(watch: Watch, services: Services) -> None:
    call_id = watch.placed()
    services.provider.end("p1", report())
    watch.look(3)
    assert services.topics(call_id)[-2:] == ["ended", "reported"]
    watch.look(15)
    assert services.topics(call_id).count("reported") == 1, "not before the silence"
    assert watch.phase(call_id) is Phase.REPORTING
    watch.look(6)
    assert services.topics(call_id).count("reported") == 2
    assert watch.phase(call_id) is None
    assert services.load_call(call_id).cost == FIRST_COST, "booked, for none was named"


def test_an_unanswered_call_without_a_cost_costs_nothing(
    watch: Watch, services: Services
) -> None:
    """The provider may leave out a cost of zero; each such call was booked at 0.25."""
    call_id = watch.placed()
    unanswered = CallReport(ended_reason="customer-busy", is_unanswered=True)
    services.provider.end("p1", unanswered)
    watch.look(25)
    assert watch.phase(call_id) is None
    assert services.load_call(call_id).cost == 0


def test_an_unanswered_call_is_settled_when_its_cost_is_shown(
    watch: Watch, services: Services
) -> None:
    """Such calls held a part of the budget until the silence time-out."""
    call_id = watch.placed()
    unanswered = CallReport(
        ended_reason="customer-busy", is_unanswered=True, cost=Decimal(0)
    )
    services.provider.end("p1", unanswered)
    watch.look()
    assert watch.phase(call_id) is None
    assert services.load_call(call_id).cost == 0


def test_a_cost_of_zero_is_final(watch: Watch, services: Services) -> None:
    call_id = watch.placed()
    services.provider.end("p1", report(cost=Decimal(0)))
    watch.look(25)
    assert services.load_call(call_id).cost == 0


def test_the_report_of_a_forgotten_call_is_not_awaited_for_ever(
    watch: Watch, services: Services
) -> None:
    call_id = watch.placed()
    services.provider.end("p1", report())
    watch.look()
    services.provider.shown.clear()
    watch.look(60)
    assert watch.phase(call_id) is None
    assert services.load_call(call_id).cost == FIRST_COST


def test_a_later_answer_with_more_data_is_stored(
    watch: Watch, services: Services
) -> None:
    """The end was shown without its time at first."""
    call_id = watch.placed()
    services.provider.end("p1", report())
    watch.look()
    later = report(ended_at=services.now(), cost=Decimal(1), has_artifact=True)
    services.provider.end("p1", later)
    watch.look()
    assert services.load_call(call_id).ended_at == later.ended_at
