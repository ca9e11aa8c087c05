"""Reservations for calls without a final cost, and how far budgets are kept."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.costs import FIRST_COST
from domain.dial_view import CampaignView, OpenCall, Phase
from domain.dispatching.costs import Expected, expected_cost, expected_of, reserved
from domain.dispatching.policy import plan
from domain.values import CallStatus, CampaignState
from tests.domain.dispatching.worlds import (
    NOW,
    a_call,
    a_snapshot,
    a_view,
    candidates,
    the_conditions,
)
from tests.examples import examples

CAMPAIGN = UUID(int=1)
EXPECTED = Expected(Decimal("0.20"), Decimal("0.30"), Decimal("0.12"))


def answered(minutes: float, **own: Any) -> OpenCall:
    """Return a call that was answered this number of minutes ago."""
    call = a_call(1, CAMPAIGN, Phase.PLACED, status=CallStatus.IN_PROGRESS)
    return replace(call, started_at=NOW - timedelta(minutes=minutes), **own)


# --- One call -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [CallStatus.QUEUED, CallStatus.RINGING])
def test_an_unanswered_call_reserves_the_mean_cost(status: CallStatus) -> None:
    call = a_call(1, CAMPAIGN, Phase.PLACED, status=status)
    call = replace(call, placed_at=NOW - timedelta(hours=1))
    assert reserved(call, EXPECTED, NOW) == Decimal("0.20")


@pytest.mark.parametrize(
    ("minutes", "held"), [(0, "0.30"), (1, "0.30"), (4, "0.60"), (9, "1.20")]
)
def test_the_reservation_of_a_live_call_grows_with_its_duration(
    minutes: float, held: str
) -> None:
    assert reserved(answered(minutes), EXPECTED, NOW) == Decimal(held)


def test_a_cost_expected_by_duration_is_rounded_up_so_that_sums_are_exact() -> None:
    call = replace(answered(0), started_at=NOW - timedelta(seconds=200.000001))
    per_minute = Expected(per_minute=Decimal("0.1237"))
    assert expected_cost(call, per_minute, NOW) == Decimal("0.5361")


def test_a_call_without_an_answer_time_counts_from_when_it_was_placed() -> None:
    placed_at = NOW - timedelta(minutes=4)
    call = replace(answered(0), started_at=None, placed_at=placed_at)
    assert reserved(call, EXPECTED, NOW) == Decimal("0.60")


def test_a_reservation_is_limited_by_the_longest_duration() -> None:
    call = answered(50, longest_call_seconds=300)
    assert reserved(call, EXPECTED, NOW) == Decimal("0.60")


def test_an_ended_call_reserves_the_expected_cost_of_its_duration() -> None:
    ended_at = NOW - timedelta(minutes=5)
    call = answered(15, phase=Phase.REPORTING, ended_at=ended_at)
    assert reserved(call, EXPECTED, NOW) == Decimal("1.20")


def test_a_cost_that_is_not_final_is_not_counted_twice() -> None:
    call = answered(4, cost=Decimal("0.45"))
    assert reserved(call, EXPECTED, NOW) == Decimal("0.15")
    assert reserved(replace(call, cost=Decimal(2)), EXPECTED, NOW) == 0
    assert expected_cost(call, EXPECTED, NOW) == Decimal("0.60")


# --- One campaign ---------------------------------------------------------------------


def test_initial_estimates_apply_before_any_cost_is_known() -> None:
    assert expected_of(a_view()) == expected_of(None) == Expected()


@pytest.mark.parametrize(
    ("calls", "mean", "expected"),
    [(1, "0", "0.227"), (5, "0.01", "0.170"), (90, "0.05", "0.070"), (1, "2", "2")],
)
def test_the_expected_cost_falls_slowly_and_rises_at_once(
    calls: int, mean: str, expected: str
) -> None:
    view = a_view(spend=Decimal(mean) * calls, costs_reported=calls)
    assert round(expected_of(view).call, 3) == Decimal(expected)


def test_the_rate_is_learned_from_charged_calls() -> None:
    view = a_view(charged_calls=100, charged_seconds=100 * 600, charged=Decimal(300))
    expected = expected_of(view)
    assert (expected.answered, expected.per_minute) == (Decimal(3), Decimal("0.3"))


# --- A whole campaign on a virtual clock ----------------------------------------------


@dataclass
class Talk:
    """The planned course of a call: seconds since its claim, US dollars."""

    claimed: int
    answered: int | None
    ended: int
    reported: int
    cost: Decimal


OUTCOMES = {"talk": 68, "voicemail": 12, "unanswered": 18, "refused": 2}


def talk(dice: Random, now: int, longest: int) -> Talk:
    """Draw a random call like the simulator: 0.04 plus 0.003 a second, up to 120 s."""
    [outcome] = dice.choices(list(OUTCOMES), weights=list(OUTCOMES.values()))
    ring, length = dice.uniform(5, 25), dice.uniform(20, longest)
    ring = 1 if outcome == "refused" else ring
    length = {"talk": length, "voicemail": length / 4}.get(outcome, 0)
    start, end = now + 1 + round(ring), now + 1 + round(ring + length)
    cost = Decimal("0.04") + Decimal("0.003") * (end - start) if length else Decimal(0)
    spoke = start if length else None
    return Talk(now, spoke, end, end + dice.randint(3, 5), cost)


@dataclass
class Campaign:
    """A campaign with a budget that the policy dials, second by second."""

    budget: Decimal
    cap: int
    dice: Random
    longest: int = 120
    waiting: int = 60

    def run(self) -> Iterator[tuple[CampaignView, list[Talk], list[Talk]]]:
        """Yield the view, the open calls and the new ones of each second."""
        calls: list[Talk] = []
        for now in range(3600):
            made = (calls and [c for c in calls if c.reported > now]) or []
            view = self.view([c for c in calls if c.reported <= now], len(made))
            shown = tuple(
                self.shown(number, call, now) for number, call in enumerate(made)
            )
            at = the_conditions(now=NOW + timedelta(seconds=now))
            planned = plan(a_snapshot(view, calls=shown), at)
            new = [talk(self.dice, now, self.longest) for _ in planned.claims]
            calls += new
            self.waiting -= len(new)
            yield view, made, new
            if planned.pauses or (not made and not new):
                return

    def view(self, done: list[Talk], unreported: int) -> CampaignView:
        charged = [call for call in done if call.answered is not None]
        return a_view(
            state=CampaignState.RUNNING,
            cap=self.cap,
            budget=self.budget,
            spend=sum((call.cost for call in done), Decimal(0)),
            costs_reported=len(done),
            charged_calls=len(charged),
            charged=sum((call.cost for call in charged), Decimal(0)),
            charged_seconds=sum(c.ended - (c.answered or 0) for c in charged),
            pending=self.waiting,
            active=unreported,
            unreported=unreported,
            candidates=candidates(CAMPAIGN, self.waiting),
        )

    def shown(self, number: int, call: Talk, now: int) -> OpenCall:
        spoke, over = call.answered is not None, call.ended <= now
        is_talking = call.answered is not None and call.answered <= now
        status = CallStatus.IN_PROGRESS if is_talking else CallStatus.RINGING
        return a_call(
            number,
            CAMPAIGN,
            Phase.REPORTING if over else Phase.PLACED,
            status=CallStatus.ENDED if over else status,
            started_at=at_second(call.answered) if spoke and is_talking else None,
            ended_at=at_second(call.ended) if over else None,
            claimed_at=at_second(call.claimed),
        )


def at_second(second: int | None) -> datetime:
    return NOW + timedelta(seconds=second or 0)


@examples(6)
@given(st.integers(0, 2**32), st.sampled_from(["0.40", "1.23", "5"]))
def test_a_budget_is_exceeded_at_most_by_unexpected_costs_of_live_calls(
    seed: int, budget: str
) -> None:
    campaign = Campaign(Decimal(budget), cap=50, dice=Random(seed), longest=600)
    total = beyond = Decimal(0)
    for view, held, new in campaign.run():
        total += sum((call.cost for call in new), Decimal(0))
        known = view.costs_reported
        mean = max(
            (10 * FIRST_COST + view.spend) / (10 + known), view.spend / max(known, 1)
        )
        if new:
            live = [*held, *new]
            assert view.spend + mean * len(live) <= campaign.budget, "I10"
            beyond = sum((max(c.cost - mean, Decimal(0)) for c in live), Decimal(0))
    assert total <= campaign.budget + beyond


def test_a_budget_of_1_23_is_kept_with_a_cap_of_50() -> None:
    """Release 1 spent up to 3.45: early short calls had lowered the expected cost."""
    spent = []
    for seed in range(10):
        made = Campaign(Decimal("1.23"), cap=50, dice=Random(seed)).run()
        costs = [call.cost for _, _, new in made for call in new]
        spent.append(sum(costs, Decimal(0)))
    assert max(spent) <= Decimal("1.23") + 4 * (Decimal("0.40") - FIRST_COST)
    assert sorted(spent)[5] > Decimal("0.98"), "and most of it is used"
