"""Situations and histories to forecast from, and worlds in which calls end."""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.forecast.learning.counts import CallRecord, CampaignCounts, count_calls
from domain.forecast.simulation.simulated_calls import CallEnd
from domain.forecast.situation import Hours, Situation, Stratum
from domain.outcomes import CallOutcome
from domain.values import ZERO

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
DAY = 86_400.0
ALWAYS = Hours(((0.0, 60 * DAY),))

AGAIN = RetryPolicy(
    attempts=2,
    per_day=2,
    min_gap_minutes=60,
    expires_after_days=7,
    rules=(RetryRule((CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL), 1, (60,)),),
)
"""A second call an hour after a missed one or a voicemail."""

OUTCOMES = {
    CallOutcome.HUMAN: 0.3,
    CallOutcome.VOICEMAIL: 0.3,
    CallOutcome.NO_ANSWER: 0.4,
}


def open_from(hour: float, *, hours: float = 8.0) -> Hours:
    """Return hours that open each day so many hours after the time of `NOW`."""
    start = hour * 3600
    return Hours(
        tuple((n * DAY + start, n * DAY + start + hours * 3600) for n in range(60))
    )


def a_situation(contacts: int = 1_000, **fields: Any) -> Situation:
    own = {
        "now": NOW,
        "strata": (Stratum(ALWAYS, ("America/New_York",), contacts),),
        "terms": CallingTerms(retry_policy=AGAIN),
        "slots": 10,
    }
    return Situation(**{**own, **fields})


def history(
    campaigns: int,
    outcomes: Mapping[CallOutcome, float] = OUTCOMES,
    *,
    calls: int = 500,
    seed: int = 1,
) -> list[CampaignCounts]:
    """Return finished campaigns whose calls all ended with these probabilities."""
    dice = Random(seed)
    kinds, weights = list(outcomes), list(outcomes.values())
    return [
        count_calls(
            CallRecord(
                attempt=1,
                outcome=dice.choices(kinds, weights)[0],
                zones=("America/New_York",),
                placed_at=NOW,
                seconds=dice.expovariate(1 / 60),
                cost=ZERO,
            )
            for _ in range(calls)
        )
        for _ in range(campaigns)
    ]


def ending(dice: Random, outcomes: Mapping[CallOutcome, float] = OUTCOMES) -> CallEnd:
    """Draw how one call ends; each lasts 60 seconds on average."""
    kind = dice.choices(list(outcomes), list(outcomes.values()))[0]
    return CallEnd(kind, 20 + dice.expovariate(1 / 40))
