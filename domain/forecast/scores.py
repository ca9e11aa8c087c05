"""Scores of forecasts: at the end of a campaign, and over many campaigns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from domain.forecast.log import Occasion, Score, StoredForecast
from domain.forecast.quantities import CALIBRATED_FROM, Quantity, widening

SCORED_OCCASIONS = (Occasion.LAUNCH, Occasion.HALF_TIME)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well past forecasts of one quantity held.

    `coverage` is the share of `campaigns` whose result lay in the 80 % interval; None
    with fewer than `CALIBRATED_FROM`. `crps` and `naive_crps` are means over the
    campaigns for which both have a value.
    """

    quantity: Quantity
    occasion: Occasion
    campaigns: int
    coverage: float | None
    crps: float | None
    naive_crps: float | None


def scores_of(
    forecasts: Mapping[Occasion, StoredForecast], results: Mapping[Quantity, float]
) -> tuple[Score, ...]:
    """Compare forecasts with the results; the finish is in seconds after the epoch."""
    found = []
    for occasion, made in forecasts.items():
        for one in made.quantities:
            if one.quantity not in results:
                continue
            result = results[one.quantity]
            if one.quantity is Quantity.FINISH:
                result -= made.made_at.timestamp()
            intervals = one.intervals
            found.append(
                Score(
                    occasion=occasion,
                    quantity=one.quantity,
                    made_at=made.made_at,
                    result=result,
                    is_covered=intervals.contains(result),
                    miss=intervals.miss(result),
                    crps=intervals.crps(result),
                    naive_crps=None if one.naive is None else abs(one.naive - result),
                )
            )
    return tuple(found)


def half_time(forecasts: Sequence[StoredForecast], end: float) -> StoredForecast | None:
    """Return the forecast nearest to the middle between the first one and the end.

    `end` is in seconds after the epoch; the first forecast is that of the launch.
    """
    if len(forecasts) < 2:  # noqa: PLR2004 - the launch alone has no half time
        return None
    middle = (forecasts[0].made_at.timestamp() + end) / 2
    return min(forecasts[1:], key=lambda one: abs(one.made_at.timestamp() - middle))


def corrections(scores: Iterable[Score], occasion: Occasion) -> dict[Quantity, float]:
    """Return the factors that widen new intervals; `scores` are oldest first."""
    misses: dict[Quantity, list[float]] = {}
    for one in scores:
        if one.occasion is occasion and one.miss is not None:
            misses.setdefault(one.quantity, []).append(one.miss)
    return {quantity: widening(own) for quantity, own in misses.items()}


def calibration(scores: Sequence[Score]) -> list[Calibration]:
    """Summarise the scores by quantity and occasion."""
    return [
        _calibration(
            quantity,
            occasion,
            [
                one
                for one in scores
                if one.quantity is quantity and one.occasion is occasion
            ],
        )
        for occasion in SCORED_OCCASIONS
        for quantity in Quantity
    ]


def _calibration(
    quantity: Quantity, occasion: Occasion, scores: Sequence[Score]
) -> Calibration:
    enough = len(scores) >= CALIBRATED_FROM
    pairs = [
        (one.crps, one.naive_crps)
        for one in scores
        if one.crps is not None and one.naive_crps is not None
    ]
    return Calibration(
        quantity=quantity,
        occasion=occasion,
        campaigns=len(scores),
        coverage=fmean(one.is_covered for one in scores) if enough else None,
        crps=fmean(ours for ours, _ in pairs) if enough and pairs else None,
        naive_crps=fmean(naive for _, naive in pairs) if enough and pairs else None,
    )


def coverage_of(scores: Sequence[Score]) -> float | None:
    """Return the coverage of the finish at launch; None before it is calibrated."""
    own = [
        one.is_covered
        for one in scores
        if one.quantity is Quantity.FINISH and one.occasion is Occasion.LAUNCH
    ]
    return fmean(own) if len(own) >= CALIBRATED_FROM else None
