"""What calls are expected to cost, and what a budget holds for those without a cost.

Everything here is an estimate from the campaign's own calls. Early reports are mostly
of short and unanswered calls, so each estimate also counts `PRIOR_CALLS` imaginary
calls (or minutes) at the first value, and is never below the plain mean:

    expected = max(sum / n, (PRIOR_CALLS * first + sum) / (PRIOR_CALLS + n))

A call that nobody has answered is expected to cost `call`, the mean over all calls. An
answered one is expected to cost what charged calls have cost on average or, if that is
more, what its duration so far and one more minute cost at the campaign's rate.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal

from domain.dial_view import CampaignView, OpenCall, Phase
from domain.values import ZERO, CallStatus

FIRST_COST = Decimal("0.25")
"""US dollars that a call is expected to cost before any cost is known."""

FIRST_RATE = Decimal("0.25")
"""US dollars per minute of an answered call before any cost is known."""

PRIOR_CALLS = 10
"""Calls, or minutes, for which the first values count beside the known costs."""

AHEAD = timedelta(minutes=1)
"""How much longer a live call is expected to go on."""

MINUTE = 60

CENT_OF_A_CENT = Decimal("0.0001")
"""Estimates are rounded up to it, so that their sums are exact."""


@dataclass(frozen=True, slots=True)
class Expected:
    """US dollars: for one more call, for an answered call, and per answered minute."""

    call: Decimal = FIRST_COST
    answered: Decimal = FIRST_COST
    per_minute: Decimal = FIRST_RATE


def expected_of(view: CampaignView | None) -> Expected:
    """Return what a campaign's calls are expected to cost."""
    if view is None:
        return Expected()
    minutes = Decimal(view.charged_seconds) / MINUTE
    return Expected(
        call=_estimate(FIRST_COST, view.spend, Decimal(view.costs_reported)),
        answered=_estimate(FIRST_COST, view.charged, Decimal(view.charged_calls)),
        per_minute=_estimate(FIRST_RATE, view.charged, minutes),
    )


def _estimate(first: Decimal, total: Decimal, count: Decimal) -> Decimal:
    cautious = (PRIOR_CALLS * first + total) / (PRIOR_CALLS + count)
    estimate = max(cautious, total / count) if count else cautious
    return estimate.quantize(CENT_OF_A_CENT, ROUND_UP)


def expected_cost(call: OpenCall, expected: Expected, now: datetime) -> Decimal:
    """Return US dollars that a call is expected to cost in all, as known at `now`."""
    is_talking = call.status is CallStatus.IN_PROGRESS
    answered_at = call.started_at or (call.placed_at if is_talking else None)
    if answered_at is None:
        return expected.call
    is_over = call.phase is Phase.REPORTING
    until = (call.ended_at or now) if is_over else now + AHEAD
    longest = timedelta(seconds=call.longest_call_seconds)
    talk = min(max(until - answered_at, timedelta(0)), longest)
    by_duration = expected.per_minute * Decimal(talk.total_seconds()) / MINUTE
    return max(expected.call, expected.answered, by_duration)


def reserved(call: OpenCall, expected: Expected, now: datetime) -> Decimal:
    """Return US dollars that a budget holds for a call beside its cost so far."""
    return max(expected_cost(call, expected, now) - (call.cost or ZERO), ZERO)
