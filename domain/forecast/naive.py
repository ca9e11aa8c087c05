"""The forecast without a model, against which forecasts are scored.

Before the start it assumes the rates of the last campaign, afterwards that everything
goes on as it went so far.
"""

from dataclasses import dataclass

from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.quantities import Quantity
from domain.forecast.situation import Made
from domain.outcomes import ANSWERED


@dataclass(frozen=True, slots=True)
class Past:
    """How far a campaign has come: contacts in all, finished ones, seconds so far."""

    contacts: int
    finished: int = 0
    seconds: float = 0.0


def naive_forecasts(
    past: Past, made: Made, last: CampaignCounts | None
) -> dict[Quantity, float]:
    """Return a value for each quantity that can be extrapolated.

    The finish is in seconds from now. `last` are the calls of the last campaign.
    """
    if past.finished > 0 and made.calls > 0:
        return _extrapolated(past, made)
    return {} if last is None or not last.calls else _like_the_last(past, last)


def _extrapolated(past: Past, made: Made) -> dict[Quantity, float]:
    factor = past.contacts / past.finished
    return {
        Quantity.FINISH: past.seconds * (factor - 1),
        Quantity.CALLS: made.calls * factor,
        Quantity.ANSWERED: made.answered * factor,
        Quantity.HUMAN: made.human * factor,
        Quantity.GOALS: made.goals * factor,
        Quantity.SPEND: float(made.spend) * factor,
    }


def _like_the_last(past: Past, last: CampaignCounts) -> dict[Quantity, float]:
    contacts = last.contacts or last.calls
    factor = past.contacts / contacts
    answered = sum(one.calls for one in last.outcomes if one.outcome in ANSWERED)
    spend = sum(float(one.total) for one in last.costs)
    found = {
        Quantity.CALLS: last.calls * factor,
        Quantity.ANSWERED: answered * factor,
        Quantity.HUMAN: last.human * factor,
        Quantity.GOALS: last.goals * factor,
        Quantity.SPEND: spend * factor,
    }
    if last.seconds is not None:
        found[Quantity.FINISH] = last.seconds * factor
    return found
