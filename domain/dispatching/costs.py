"""Reservations of a budget for calls whose cost is not final.

`domain/calls/costs.py` estimates the campaign's cost of a call and of a minute. A call
that was not answered is expected to cost `call`, the mean over all calls. An answered
call is expected to cost the mean of charged calls or, if that is more, the campaign's
rate for its duration so far and one more minute.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.calls.costs import (
    FIRST_COST,
    FIRST_RATE,
    expected_per_call,
    expected_per_minute,
    rounded_up,
)
from domain.dial_view import CampaignView, OpenCall, Phase
from domain.values import ZERO, CallStatus

AHEAD = timedelta(minutes=1)
"""How much longer a live call is expected to last."""

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Expected:
    """US dollars: for one more call, for an answered call, and per answered minute."""

    call: Decimal = FIRST_COST
    answered: Decimal = FIRST_COST
    per_minute: Decimal = FIRST_RATE


def expected_of(view: CampaignView | None) -> Expected:
    """Return the expected costs of a campaign's calls; None is an unknown campaign."""
    if view is None:
        return Expected()
    minutes = Decimal(view.charged_seconds) / MINUTE
    return Expected(
        call=expected_per_call(view.spend, view.costs_reported),
        answered=expected_per_call(view.charged, view.charged_calls),
        per_minute=expected_per_minute(view.charged, minutes),
    )


def expected_cost(call: OpenCall, expected: Expected, now: datetime) -> Decimal:
    """Return the expected total cost of a call in US dollars, as known at `now`."""
    is_talking = call.status is CallStatus.IN_PROGRESS
    answered_at = call.started_at or (call.placed_at if is_talking else None)
    if answered_at is None:
        return expected.call
    is_over = call.phase is Phase.REPORTING
    until = (call.ended_at or now) if is_over else now + AHEAD
    longest = timedelta(seconds=call.longest_call_seconds)
    talk = min(max(until - answered_at, timedelta(0)), longest)
    by_duration = expected.per_minute * Decimal(talk.total_seconds()) / MINUTE
    return max(expected.call, expected.answered, rounded_up(by_duration))


def reserved(call: OpenCall, expected: Expected, now: datetime) -> Decimal:
    """Return the US dollars that a budget reserves for a call beyond its known cost."""
    return max(expected_cost(call, expected, now) - (call.cost or ZERO), ZERO)
