"""Commands and settings that change while calls are under way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.campaigns.campaigns import CampaignChange
from application.ports import CallPhase, CallReport, ProviderCall, ProviderRefused
from domain.calls.reports import ReportGrade
from domain.dial_view import GHOST_GRACE, CampaignView
from domain.settings import SettingsValues
from domain.values import DialMode, Refusal, RefusalKind, WaitingCode
from projections import spend
from scheduler.fill import PassResult
from scheduler.loop import LATEST
from tests.fakes import an_order
from tests.scheduler.leading import Leading, Passes
from tests.support import eventually
from tests.wiring import BY, NOON, Clock, Services, phones

ENDED = CallReport(
    ended_reason="customer-ended-call", cost=Decimal("0.1"), has_artifact=True
)
UNRUNG = CallReport(
    ended_reason="fault",
    refusal=Refusal(RefusalKind.PLATFORM, None, "rule"),
    has_artifact=True,
)


@pytest.fixture
def passes(services: Services) -> Iterator[Passes]:
    made = Passes(services)
    yield made
    made.deps.dispatch.stop()


def fill(passes: Passes, *, checked: bool = False) -> PassResult:
    """Fill the free slots as the leader does when it wakes, or after a check."""
    services, scheduler = passes.services, passes.scheduler
    services.settle()
    if checked:
        scheduler.check.run(services.settings.values())
    leading: Any = Leading()
    last = scheduler.filler.fill(leading, services.snapshot(), checked=checked)
    eventually(lambda: not passes.deps.dispatch._under_way, what="settled calls")
    services.settle()
    return last


def end(passes: Passes, report: CallReport = ENDED, most: int = 100) -> None:
    """End this number of live calls, and record their ends."""
    services = passes.services
    live = [id_ for id_, (_, call) in services.provider.shown.items() if not call.ended]
    for provider_call_id in live[:most]:
        services.provider.end(provider_call_id, report)
        _, call = services.provider.shown[provider_call_id]
        services.calls.record_lookup(call.call_id, call, grade=ReportGrade.DELIVERED)
    services.settle()


def codes(services: Services, campaign_id: UUID) -> set[str]:
    decision = services.process_records.decision(campaign_id)
    assert decision is not None
    return {why.code for why in decision.reasons}


def view_of(services: Services, campaign_id: UUID) -> CampaignView:
    [view] = [one for one in services.snapshot().campaigns if one.id == campaign_id]
    return view


def clock_of(services: Services) -> Clock:
    assert isinstance(services.now, Clock)
    return services.now


# --- A quiet line --------------------------------------------------------------------


def test_a_gated_fill_starts_on_a_quiet_line_only(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(6, cap=3, line_quiet_gating=True)
    fill(passes)
    assert len(services.provider.orders) == 3
    end(passes, most=2)
    fill(passes)
    assert len(services.provider.orders) == 3, "one call is live: the line is not quiet"
    assert codes(services, campaign) == {WaitingCode.LINE_BUSY}
    end(passes)
    fill(passes)
    assert len(services.provider.orders) == 6


def test_a_fill_over_several_passes_is_not_stopped_by_its_own_calls(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(6, cap=6, line_quiet_gating=True)
    passes.deps.pace.set_full(0.1)
    for _ in range(2):
        fill(passes)
        assert len(services.provider.orders) == 1
        assert codes(services, campaign) == {WaitingCode.RATE_LIMITED}


def test_a_line_with_a_call_not_listed_yet_is_not_quiet(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(6, cap=3, line_quiet_gating=True)
    fill(passes)
    services.provider.hidden.update(services.provider.shown)
    fill(passes, checked=True)
    services.campaigns.change(campaign, CampaignChange(cap=6), by=BY)
    fill(passes, checked=True)
    assert len(services.provider.orders) == 3
    assert codes(services, campaign) == {WaitingCode.LINE_BUSY}


def test_a_line_that_cannot_be_listed_is_not_quiet(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(2, line_quiet_gating=True)
    services.provider.down = True
    fill(passes)
    assert services.provider.orders == []
    assert codes(services, campaign) == {WaitingCode.LINE_BUSY}


def test_an_unreachable_provider_is_detected_before_dialling(
    services: Services, passes: Passes
) -> None:
    leading: Any = Leading()
    settings = replace(services.settings.values(), dials_per_second=1000)
    passes.scheduler.turn(leading, services.snapshot(), settings)
    passes.scheduler._check_at = float("inf")  # It is no time to check.
    campaign = services.campaign(2)
    services.provider.down = True
    passes.scheduler.turn(leading, services.snapshot(), settings)
    assert services.provider.orders == []
    assert codes(services, campaign) == {WaitingCode.PROVIDER_DOWN}


def test_a_line_unknown_to_the_provider_does_not_stop_the_others(
    services: Services, passes: Passes
) -> None:
    def refuse(line: str, *, since: object) -> list[ProviderCall]:
        if line == "unknown":
            raise ProviderRefused("400: phoneNumberId must be a UUID")
        return []

    services.campaign(1, phone_number_id="unknown")
    services.campaign(phones(2, first=100))
    services.provider.calls = refuse
    fill(passes, checked=True)
    assert len(services.provider.orders) == 3


def test_a_busy_line_does_not_stop_a_campaign_without_gating(
    services: Services, passes: Passes
) -> None:
    services.campaign(6, cap=3)
    fill(passes)
    end(passes, most=1)
    fill(passes)
    assert len(services.provider.orders) == 4


# --- Hanging up ----------------------------------------------------------------------


def test_a_cancel_hangs_up_at_once_and_again_at_each_tick(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(4, cap=2)
    passes.run()
    services.campaigns.cancel(campaign, hang_up=True, by=BY)
    seen = services.snapshot()
    passes.scheduler.hang_ups.send(seen)
    passes.scheduler.hang_ups.send(seen)
    eventually(lambda: len(services.provider.hang_ups) == 2, what="both hang-ups")
    passes.scheduler.hang_ups.send(seen)
    assert sorted(services.provider.hang_ups) == sorted(services.provider.shown)


def test_a_call_requested_before_the_cancel_is_hung_up_when_it_is_placed(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(2)
    [call_id] = services.claim(campaign)
    services.campaigns.cancel(campaign, hang_up=True, by=BY)
    services.calls.place(call_id, provider_call_id="late", placed_at=services.now())
    services.provider.shown["late"] = ("line", _shown_as(services, call_id))
    passes.scheduler.hang_ups.send(services.snapshot())
    eventually(lambda: services.provider.hang_ups == ["late"], what="the hang-up")


def _shown_as(services: Services, call_id: UUID) -> Any:
    return services.provider.show(an_order(call_id=call_id), "late")


def test_a_cancel_without_hang_up_leaves_live_calls(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(4, cap=2)
    passes.run()
    services.campaigns.cancel(campaign, hang_up=False, by=BY)
    assert [call.hang_up_requested for call in services.snapshot().calls] == [False] * 2


# --- Batches -------------------------------------------------------------------------


def test_a_second_attempt_is_not_counted_again_in_its_batch(
    services: Services, passes: Passes
) -> None:
    campaign = services.campaign(9, cap=3, mode=DialMode.BATCH)
    fill(passes)
    end(passes, report=UNRUNG, most=1)
    clock_of(services).pass_(seconds=2)
    fill(passes)
    view = view_of(services, campaign)
    assert (view.batch, view.batch_contacts, view.active) == (1, 3, 3)
    assert len(services.provider.orders) == 4
    end(passes)
    fill(passes)
    assert view_of(services, campaign).batch == 2


# --- Ghosts --------------------------------------------------------------------------


def test_a_ghost_uses_its_slot_until_its_longest_duration_has_passed(
    services: Services, passes: Passes
) -> None:
    services.set(global_cap=1)
    services.campaign(2, cap=1)
    passes.run()
    [call] = services.snapshot().calls
    services.calls.time_out(call.call_id, reason="unknown at the provider")
    passes.run()
    assert len(services.provider.orders) == 1
    longest = timedelta(seconds=call.longest_call_seconds) + GHOST_GRACE
    clock_of(services).pass_(seconds=longest.total_seconds() + 1)
    passes.run()
    assert len(services.provider.orders) == 2


# --- Money by the day ----------------------------------------------------------------


def test_a_cost_is_booked_to_the_day_of_the_last_claim(services: Services) -> None:
    campaign = services.campaign(1)
    [call_id] = services.claim(campaign)
    services.calls.release_claim(call_id)
    clock_of(services).pass_(days=1)
    services.claim_again(call_id)
    [call] = services.snapshot().calls
    assert call.claimed_at.date() == NOON.date() + timedelta(days=1)
    services.calls.request(call_id, dial_before=services.now() + timedelta(seconds=5))
    services.calls.place(call_id, provider_call_id="x", placed_at=services.now())
    services.provider.shown["x"] = ("line", _ended(services, call_id))
    services.calls.record_lookup(
        call_id, _ended(services, call_id), grade=ReportGrade.DELIVERED
    )
    assert spent(services, NOON.date()) == 0
    assert spent(services, NOON.date() + timedelta(days=1)) == Decimal("0.1")


def _ended(services: Services, call_id: UUID) -> Any:
    shown = services.provider.show(an_order(call_id=call_id), "x")
    return replace(shown, status="ended", phase=CallPhase.ENDED, report=ENDED)


def spent(services: Services, day: date) -> Decimal:
    services.settle()
    with services.reading.connection() as conn:
        return spend.spent_on(conn, day)


def test_the_daily_budget_is_available_again_after_midnight(
    services: Services, passes: Passes
) -> None:
    services.set(daily_budget=Decimal("0.50"))
    campaign = services.campaign(9, cap=9)
    last = passes.run()
    assert len(services.provider.orders) == 2
    assert codes(services, campaign) == {WaitingCode.DAILY_BUDGET_SPENT}
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    assert last.next_due_at == midnight, "the leader wakes then"
    clock_of(services).time = midnight
    passes.run()
    assert len(services.provider.orders) == 4


def test_a_call_reported_after_midnight_is_booked_to_the_day_of_its_claim(
    services: Services, passes: Passes
) -> None:
    clock, today, tomorrow = clock_of(services), date(2026, 1, 1), date(2026, 1, 2)
    clock.time = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    services.set(daily_budget=Decimal("0.30"))
    campaign = services.campaign(3)
    fill(passes)
    assert len(services.provider.orders) == 1
    assert codes(services, campaign) == {WaitingCode.DAILY_BUDGET_SPENT}
    clock.time = datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)
    end(passes, replace(ENDED, cost=Decimal("0.29")))
    assert spent(services, today) == Decimal("0.29")
    assert spent(services, tomorrow) == 0
    assert services.snapshot().spent_today == 0
    fill(passes)
    assert len(services.provider.orders) == 2, "the new day's budget is whole"


# --- The tick ------------------------------------------------------------------------


def test_a_shorter_tick_takes_effect_at_once(passes: Passes) -> None:
    scheduler = passes.scheduler
    scheduler._ticked_at, scheduler._tick_at = 100.0, 100.0 + 3600
    assert scheduler._due_tick(SettingsValues(tick_seconds=10)) == 100 + 10 * LATEST
    assert scheduler._due_tick(SettingsValues(tick_seconds=3600)) == 100 + 3600
