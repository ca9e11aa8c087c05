"""Forecasts of campaigns, and how well past ones held."""

from datetime import datetime, timedelta
from typing import Self

import strawberry

from domain.forecast import log, scores
from domain.forecast.log import StoredForecast
from domain.forecast.quantities import Intervals, Quantity
from interfaces.graphql.context import Context
from interfaces.graphql.errors import bad_request
from interfaces.graphql.types.campaigns.dialability import NeverDialable
from interfaces.graphql.types.enums import WaitingCode
from projections.campaigns.campaign_row import CampaignRow


@strawberry.type(
    description="10th, 50th and 90th percentile; null if it may never happen."
)
class TimeRange:
    """An interval of times."""

    p10: datetime | None
    p50: datetime | None
    p90: datetime | None

    @classmethod
    def of(cls, made_at: datetime, intervals: Intervals) -> Self:
        """Build it from seconds after the forecast was made."""

        def time(seconds: float | None) -> datetime | None:
            return None if seconds is None else made_at + timedelta(seconds=seconds)

        return cls(
            p10=time(intervals.p10), p50=time(intervals.p50), p90=time(intervals.p90)
        )


@strawberry.type
class NumberRange:
    """An interval of numbers."""

    p10: float
    p50: float
    p90: float

    @classmethod
    def of(cls, stored: StoredForecast, quantity: Quantity) -> Self:
        """Build it from the intervals of a quantity, which always have values."""
        own = stored.of(quantity).intervals
        return cls(p10=own.p10 or 0.0, p50=own.p50 or 0.0, p90=own.p90 or 0.0)


@strawberry.type
class ForecastHour:
    """One hour of the forecast."""

    begins: datetime = strawberry.field(name="from")
    calls: float
    spend: float


@strawberry.type
class Bound:
    """A reason that limits the pace, and for what share of the time."""

    code: WaitingCode
    share: float


@strawberry.type
class Forecast:
    """How a campaign will probably go; all numbers are totals of the campaign."""

    made_at: datetime
    attempts_seen: int = strawberry.field(
        description="Number of finished attempts the forecast is based on."
    )
    coverage: float | None = strawberry.field(
        description="Share of finished campaigns whose result lay in the 80 % interval;"
        " null with fewer than 20 campaigns."
    )
    finishes_at: TimeRange
    calls: NumberRange
    answered: NumberRange
    human: NumberRange
    goals: NumberRange
    spend: NumberRange
    hours: list[ForecastHour] = strawberry.field(
        description="Median calls and spend per hour."
    )
    bound_by: list[Bound] = strawberry.field(
        description="What limits the pace, and for what share of the time."
    )
    advice: list[str] = strawberry.field(
        description="Changes that would help, with their effect, such as five more"
        " slots."
    )
    never: list[NeverDialable] = strawberry.field(
        description="Contacts that are never called, by reason."
    )

    @classmethod
    def of(cls, stored: StoredForecast) -> Self:
        """Build it from a forecast as it is stored."""
        finish = stored.of(Quantity.FINISH).intervals
        return cls(
            made_at=stored.made_at,
            attempts_seen=stored.attempts_seen,
            coverage=stored.coverage,
            finishes_at=TimeRange.of(stored.made_at, finish),
            calls=NumberRange.of(stored, Quantity.CALLS),
            answered=NumberRange.of(stored, Quantity.ANSWERED),
            human=NumberRange.of(stored, Quantity.HUMAN),
            goals=NumberRange.of(stored, Quantity.GOALS),
            spend=NumberRange.of(stored, Quantity.SPEND),
            hours=[
                ForecastHour(begins=one.begins, calls=one.calls, spend=one.spend)
                for one in stored.hours
            ],
            bound_by=[Bound(code=one.code, share=one.share) for one in stored.limits],
            advice=list(stored.advice),
            never=[_never(one) for one in stored.never],
        )


def _never(one: log.NeverCalled) -> NeverDialable:
    return NeverDialable(reason=one.reason, contacts=one.contacts)


@strawberry.type(
    description="Coverage: share of campaigns whose result lay in the 80 % interval."
    " crps, naiveCrps: mean scores of ours and of a naive forecast."
)
class Calibration:
    """How well past forecasts of one quantity held; null before 20 campaigns."""

    quantity: str = strawberry.field(
        description="FINISH (in seconds), CALLS, ANSWERED, HUMAN, GOALS or SPEND."
    )
    occasion: str = strawberry.field(
        description="When the forecasts were made: LAUNCH or HALF_TIME."
    )
    campaigns: int
    coverage: float | None
    crps: float | None
    naive_crps: float | None

    @classmethod
    def of(cls, found: scores.Calibration) -> Self:
        """Build it from the domain's summary."""
        return cls(
            quantity=str(found.quantity),
            occasion=str(found.occasion),
            campaigns=found.campaigns,
            coverage=found.coverage,
            crps=found.crps,
            naive_crps=found.naive_crps,
        )


async def forecast_of(context: Context, row: CampaignRow) -> Forecast | None:
    """Simulate a campaign; None if it is over."""
    backend = context.backend
    reader, now = backend.services.forecast_reader, backend.services.now()
    stored = await backend.run_forecast(reader.of_campaign, row.id, now)
    return Forecast.of(stored) if stored else None


async def forecast_of_campaign(context: Context, row: CampaignRow) -> Forecast:
    """Simulate a campaign. Raises BAD_REQUEST if it is over."""
    found = await forecast_of(context, row)
    if found is None:
        raise bad_request("The campaign is over: there is nothing to forecast.")
    return found
