"""Commands and settings that change while calls are under way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.campaigns import CampaignChange
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
from tests.wiring import BY, NOON, Clock, House, phones

ENDED = CallReport(
    ended_reason="customer-ended-call", cost=Decimal("0.1"), has_artifact=True
)
UNRUNG = CallReport(
    ended_reason="fault",
    refusal=Refusal(RefusalKind.PLATFORM, None, "rule"),
    has_artifact=True,
)


@pytest.fixture
def passes(house: House) -> Iterator[Passes]:
    made = Passes(house)
    yield made
    made.deps.dispatch.stop()


def fill(passes: Passes, *, checked: bool = False) -> PassResult:
    """Fill the free slots as the leader does when it wakes, or after a check."""
    house, scheduler = passes.house, passes.scheduler
    house.settle()
    if checked:
        scheduler.check.run(house.settings.values())
    leading: Any = Leading()
    last = scheduler.filler.fill(leading, house.snapshot(), checked=checked)
    eventually(lambda: not passes.deps.dispatch._under_way, said="settled calls")
    house.settle()
    return last


def end(passes: Passes, report: CallReport = ENDED, most: int = 100) -> None:
    """End this number of live calls, and record their ends."""
    house = passes.house
    live = [id_ for id_, (_, call) in house.provider.shown.items() if not call.ended]
    for provider_call_id in live[:most]:
        house.provider.end(provider_call_id, report)
        _, call = house.provider.shown[provider_call_id]
        house.calls.record_lookup(call.call_id, call, grade=ReportGrade.DELIVERED)
    house.settle()


def codes(house: House, campaign_id: UUID) -> set[str]:
    decision = house.process_records.decision(campaign_id)
    assert decision is not None
    return {why.code for why in decision.reasons}


def view_of(house: House, campaign_id: UUID) -> CampaignView:
    [view] = [one for one in house.snapshot().campaigns if one.id == campaign_id]
    return view


def clock_of(house: House) -> Clock:
    assert isinstance(house.now, Clock)
    return house.now


# --- A quiet line --------------------------------------------------------------------


def test_a_gated_fill_starts_on_a_quiet_line_only(house: House, passes: Passes) -> None:
    campaign = house.campaign(6, cap=3, line_quiet_gating=True)
    fill(passes)
    assert len(house.provider.orders) == 3
    end(passes, most=2)
    fill(passes)
    assert len(house.provider.orders) == 3, "one call is live: the line is not quiet"
    assert codes(house, campaign) == {WaitingCode.LINE_BUSY}
    end(passes)
    fill(passes)
    assert len(house.provider.orders) == 6


def test_a_fill_over_several_passes_is_not_stopped_by_its_own_calls(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(6, cap=6, line_quiet_gating=True)
    passes.deps.pace.set_full(0.1)
    for _ in range(2):
        fill(passes)
        assert len(house.provider.orders) == 1
        assert codes(house, campaign) == {WaitingCode.RATE_LIMITED}


def test_a_line_with_a_call_not_listed_yet_is_not_quiet(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(6, cap=3, line_quiet_gating=True)
    fill(passes)
    house.provider.hidden.update(house.provider.shown)
    fill(passes, checked=True)
    house.campaigns.change(campaign, CampaignChange(cap=6), by=BY)
    fill(passes, checked=True)
    assert len(house.provider.orders) == 3
    assert codes(house, campaign) == {WaitingCode.LINE_BUSY}


def test_a_line_that_cannot_be_listed_is_not_quiet(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(2, line_quiet_gating=True)
    house.provider.down = True
    fill(passes)
    assert house.provider.orders == []
    assert codes(house, campaign) == {WaitingCode.LINE_BUSY}


def test_an_unreachable_provider_is_detected_before_dialling(
    house: House, passes: Passes
) -> None:
    leading: Any = Leading()
    settings = replace(house.settings.values(), dials_per_second=1000)
    passes.scheduler.turn(leading, house.snapshot(), settings)
    passes.scheduler._check_at = float("inf")  # It is no time to check.
    campaign = house.campaign(2)
    house.provider.down = True
    passes.scheduler.turn(leading, house.snapshot(), settings)
    assert house.provider.orders == []
    assert codes(house, campaign) == {WaitingCode.PROVIDER_DOWN}


def test_a_line_unknown_to_the_provider_does_not_stop_the_others(
    house: House, passes: Passes
) -> None:
    def refuse(line: str, *, since: object) -> list[ProviderCall]:
        if line == "unknown":
            raise ProviderRefused("400: phoneNumberId must be a UUID")
        return []

    house.campaign(1, phone_number_id="unknown")
    house.campaign(phones(2, first=100))
    house.provider.calls = refuse
    fill(passes, checked=True)
    assert len(house.provider.orders) == 3


def test_a_busy_line_does_not_stop_a_campaign_without_gating(
    house: House, passes: Passes
) -> None:
    house.campaign(6, cap=3)
    fill(passes)
    end(passes, most=1)
    fill(passes)
    assert len(house.provider.orders) == 4


# --- Hanging up ----------------------------------------------------------------------


def test_a_cancel_hangs_up_at_once_and_again_at_each_tick(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(4, cap=2)
    passes.run()
    house.campaigns.cancel(campaign, hang_up=True, by=BY)
    seen = house.snapshot()
    passes.scheduler.hang_ups.send(seen)
    passes.scheduler.hang_ups.send(seen)
    eventually(lambda: len(house.provider.hang_ups) == 2, said="both hang-ups")
    passes.scheduler.hang_ups.send(seen)
    assert sorted(house.provider.hang_ups) == sorted(house.provider.shown)


def test_a_call_requested_before_the_cancel_is_hung_up_when_it_is_placed(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(2)
    [call_id] = house.claim(campaign)
    house.campaigns.cancel(campaign, hang_up=True, by=BY)
    house.calls.place(call_id, provider_call_id="late", placed_at=house.now())
    house.provider.shown["late"] = ("line", _shown_as(house, call_id))
    passes.scheduler.hang_ups.send(house.snapshot())
    eventually(lambda: house.provider.hang_ups == ["late"], said="the hang-up")


def _shown_as(house: House, call_id: UUID) -> Any:
    return house.provider.show(an_order(call_id=call_id), "late")


def test_a_cancel_without_hang_up_leaves_live_calls(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(4, cap=2)
    passes.run()
    house.campaigns.cancel(campaign, hang_up=False, by=BY)
    assert [call.hang_up_requested for call in house.snapshot().calls] == [False] * 2


# --- Batches -------------------------------------------------------------------------


def test_a_second_attempt_is_not_counted_again_in_its_batch(
    house: House, passes: Passes
) -> None:
    campaign = house.campaign(9, cap=3, mode=DialMode.BATCH)
    fill(passes)
    end(passes, report=UNRUNG, most=1)
    clock_of(house).pass_(seconds=2)
    fill(passes)
    view = view_of(house, campaign)
    assert (view.batch, view.batch_contacts, view.active) == (1, 3, 3)
    assert len(house.provider.orders) == 4
    end(passes)
    fill(passes)
    assert view_of(house, campaign).batch == 2


# --- Ghosts --------------------------------------------------------------------------


def test_a_ghost_uses_its_slot_until_its_longest_duration_has_passed(
    house: House, passes: Passes
) -> None:
    house.set(global_cap=1)
    house.campaign(2, cap=1)
    passes.run()
    [call] = house.snapshot().calls
    house.calls.time_out(call.call_id, reason="unknown at the provider")
    passes.run()
    assert len(house.provider.orders) == 1
    longest = timedelta(seconds=call.longest_call_seconds) + GHOST_GRACE
    clock_of(house).pass_(seconds=longest.total_seconds() + 1)
    passes.run()
    assert len(house.provider.orders) == 2


# --- Money by the day ----------------------------------------------------------------


def test_a_cost_is_booked_to_the_day_of_the_last_claim(house: House) -> None:
    campaign = house.campaign(1)
    [call_id] = house.claim(campaign)
    house.calls.release_claim(call_id)
    clock_of(house).pass_(days=1)
    house.claim_again(call_id)
    [call] = house.snapshot().calls
    assert call.claimed_at.date() == NOON.date() + timedelta(days=1)
    house.calls.request(call_id, dial_before=house.now() + timedelta(seconds=5))
    house.calls.place(call_id, provider_call_id="x", placed_at=house.now())
    house.provider.shown["x"] = ("line", _ended(house, call_id))
    house.calls.record_lookup(
        call_id, _ended(house, call_id), grade=ReportGrade.DELIVERED
    )
    assert spent(house, NOON.date()) == 0
    assert spent(house, NOON.date() + timedelta(days=1)) == Decimal("0.1")


def _ended(house: House, call_id: UUID) -> Any:
    shown = house.provider.show(an_order(call_id=call_id), "x")
    return replace(shown, status="ended", phase=CallPhase.ENDED, report=ENDED)


def spent(house: House, day: date) -> Decimal:
    house.settle()
    with house.reading.connection() as conn:
        return spend.spent_on(conn, day)


def test_the_daily_budget_is_available_again_after_midnight(
    house: House, passes: Passes
) -> None:
    house.set(daily_budget=Decimal("0.50"))
    campaign = house.campaign(9, cap=9)
    last = passes.run()
    assert len(house.provider.orders) == 2
    assert codes(house, campaign) == {WaitingCode.DAILY_BUDGET_SPENT}
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    assert last.next_due_at == midnight, "the leader wakes then"
    clock_of(house).time = midnight
    passes.run()
    assert len(house.provider.orders) == 4


def test_a_call_reported_after_midnight_is_booked_to_the_day_of_its_claim(
    house: House, passes: Passes
) -> None:
    clock, today, tomorrow = clock_of(house), date(2026, 1, 1), date(2026, 1, 2)
    clock.time = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    house.set(daily_budget=Decimal("0.30"))
    campaign = house.campaign(3)
    fill(passes)
    assert len(house.provider.orders) == 1
    assert codes(house, campaign) == {WaitingCode.DAILY_BUDGET_SPENT}
    clock.time = datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)
    end(passes, replace(ENDED, cost=Decimal("0.29")))
    assert spent(house, today) == Decimal("0.29")
    assert spent(house, tomorrow) == 0
    assert house.snapshot().spent_today == 0
    fill(passes)
    assert len(house.provider.orders) == 2, "the new day's budget is whole"


# --- The tick ------------------------------------------------------------------------


def test_a_shorter_tick_takes_effect_at_once(passes: Passes) -> None:
    scheduler = passes.scheduler
    scheduler._ticked_at, scheduler._tick_at = 100.0, 100.0 + 3600
    assert scheduler._due_tick(SettingsValues(tick_seconds=10)) == 100 + 10 * LATEST
    assert scheduler._due_tick(SettingsValues(tick_seconds=3600)) == 100 + 3600
