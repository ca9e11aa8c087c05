"""The stream of a campaign's forecasts and of their scores.

Forecasts are facts of their own: the stream of the campaign is not changed by them, and
its version is what commands expect. The stream is never loaded.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate
from eventsourcing.utils import register_topic

from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.quantities import HourForecast, Intervals, Quantity
from domain.outcomes import Withheld
from domain.values import NAMESPACE, WaitingCode


class Occasion(StrEnum):
    """When a forecast was made.

    LAUNCH: when the campaign was started. RUNNING: in regular intervals afterwards.
    HALF_TIME: of the latter, the one nearest to the middle; only scores name it.
    """

    LAUNCH = "LAUNCH"
    RUNNING = "RUNNING"
    HALF_TIME = "HALF_TIME"


@dataclass(frozen=True, slots=True)
class QuantityForecast:
    """The intervals of one quantity, and what a naive forecast says; None: nothing."""

    quantity: Quantity
    intervals: Intervals
    naive: float | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """The share of the time, from 0 to 1, in which a reason limits the pace."""

    code: WaitingCode
    share: float


@dataclass(frozen=True, slots=True)
class NeverCalled:
    """Contacts that are never called, for one reason."""

    reason: Withheld
    contacts: int


@dataclass(frozen=True, slots=True)
class StoredForecast:
    """A forecast as it was shown; the finish is in seconds after it was made."""

    made_at: datetime
    attempts_seen: int
    quantities: tuple[QuantityForecast, ...]
    coverage: float | None = None
    hours: tuple[HourForecast, ...] = ()
    limits: tuple[Limit, ...] = ()
    advice: tuple[str, ...] = ()
    never: tuple[NeverCalled, ...] = ()

    def of(self, quantity: Quantity) -> QuantityForecast:
        """Return the forecast of one quantity. Raises KeyError."""
        for one in self.quantities:
            if one.quantity is quantity:
                return one
        raise KeyError(quantity)


@dataclass(frozen=True, slots=True)
class Score:
    """How good the forecast of one quantity was.

    `miss` is the distance from the median in half widths before the correction, `crps`
    and `naive_crps` are in the quantity's unit; each is None if it has no value.
    """

    occasion: Occasion
    quantity: Quantity
    made_at: datetime
    result: float
    is_covered: bool
    miss: float | None
    crps: float | None
    naive_crps: float | None


class CampaignForecast:
    """Holds the event classes of the stream; there is no state."""

    class Made(Aggregate.Event):
        """A forecast was made for a campaign."""

        TOPIC = "campaign_forecast.made"
        actor: str
        campaign_id: UUID
        occasion: Occasion
        forecast: StoredForecast

    class Scored(Aggregate.Event):
        """The campaign is over: its forecasts were compared with the results.

        `counts` are the campaign's calls, from which later forecasts learn. `scores` is
        empty for a campaign without forecasts and for one that was canceled.
        """

        TOPIC = "campaign_forecast.scored"
        actor: str
        campaign_id: UUID
        scores: tuple[Score, ...]
        counts: CampaignCounts


# The library registers the topics of aggregates only.
for _kind in (CampaignForecast.Made, CampaignForecast.Scored):
    register_topic(_kind.TOPIC, _kind)


def stream_of(campaign_id: UUID) -> UUID:
    """Return the id of the stream of a campaign's forecasts."""
    return uuid5(NAMESPACE, f"forecasts:{campaign_id}")


def forecast_made(
    campaign_id: UUID,
    occasion: Occasion,
    forecast: StoredForecast,
    *,
    version: int,
    by: str,
) -> CampaignForecast.Made:
    """Return the event that stores a forecast as the stream's next version."""
    fact: type[Any] = CampaignForecast.Made  # The library creates its constructor.
    made: CampaignForecast.Made = fact(
        originator_id=stream_of(campaign_id),
        originator_version=version,
        timestamp=forecast.made_at,
        actor=by,
        campaign_id=campaign_id,
        occasion=occasion,
        forecast=forecast,
    )
    return made


def forecasts_scored(
    campaign_id: UUID,
    scores: tuple[Score, ...],
    counts: CampaignCounts,
    *,
    version: int,
    at: datetime,
    by: str,
) -> CampaignForecast.Scored:
    """Return the event that stores the scores as the stream's next version."""
    fact: type[Any] = CampaignForecast.Scored
    scored: CampaignForecast.Scored = fact(
        originator_id=stream_of(campaign_id),
        originator_version=version,
        timestamp=at,
        actor=by,
        campaign_id=campaign_id,
        scores=scores,
        counts=counts,
    )
    return scored
