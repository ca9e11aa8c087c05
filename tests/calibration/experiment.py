"""Forecasts of campaigns from hidden worlds, compared with what happened there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from domain.forecast.forecast import forecast
from domain.forecast.learning.counts import CallRecord, CampaignCounts, count_calls
from domain.forecast.learning.learned import learn
from domain.forecast.log import (
    Occasion,
    QuantityForecast,
    Score,
    StoredForecast,
)
from domain.forecast.naive import Past, naive_forecasts
from domain.forecast.quantities import Quantity
from domain.forecast.scores import corrections, scores_of
from domain.forecast.simulation.contact_by_contact import ContactByContact
from domain.forecast.simulation.simulated_calls import CallEnd, Contact
from domain.forecast.situation import Made, Planned, Situation, Stratum
from domain.outcomes import ANSWERED, BY_PERSON, Disposition
from domain.values import ZERO
from tests.calibration.worlds import ZONES, Installation, World, shifted

DRAWS = 100
"""Half as many draws as the product makes, to save time."""

MOST_LEARNED = 80
"""Number of the latest campaigns from which forecasts learn."""


@dataclass(frozen=True)
class Result:
    """The scores of one campaign: corrected ones, raw ones, and without day effect."""

    corrected: tuple[Score, ...]
    raw: tuple[Score, ...]
    without_days: tuple[Score, ...]


@dataclass
class Recorded:
    """A campaign as it went in its world, up to a moment."""

    world: World
    run: ContactByContact
    calls: list[tuple[int, CallRecord]]
    finish: float | None

    @property
    def counts(self) -> CampaignCounts:
        """The finished calls."""
        counts = count_calls(record for _, record in self.calls)
        return replace(counts, contacts=self.world.contacts, seconds=self.finish)


def play(seed: float, start: World, until: float | None = None) -> Recorded:
    """Run a campaign in its hidden world; the same seed gives the same course."""
    world = World(Random(seed), start.start, start.drift)
    situation = world.situation()
    records: list[tuple[float, int, CallRecord]] = []

    def oracle(contact: int, attempt: int, at: datetime) -> CallEnd:
        end = world.call(contact, attempt, at)
        zones = (ZONES[contacts[contact].stratum],)
        goal = Disposition.GOAL_REACHED if end.goal else None
        record = CallRecord(
            attempt,
            end.outcome,
            zones,
            at,
            end.seconds,
            end.cost,
            goal,
        )
        over = (at - world.start).total_seconds() + end.seconds
        records.append((over, contact, record))
        return end

    total = sum(stratum.fresh for stratum in situation.strata)
    contacts = [Contact(n % len(ZONES)) for n in range(total)]
    run = ContactByContact(situation, contacts, oracle)
    trace = run.run(until=until)
    calls = [(c, r) for over, c, r in records if until is None or over <= until]
    return Recorded(world, run, calls, trace.finish)


@dataclass(frozen=True)
class Moment:
    """What a forecast may know: the situation, the calls so far, earlier campaigns."""

    situation: Situation
    counts: CampaignCounts
    history: list[CampaignCounts]
    past: Past
    seed: int

    def forecast(self, *, day_effect: bool = True) -> StoredForecast:
        """Forecast without a correction by past errors."""
        learned = learn(self.history, self.counts)
        made = forecast(
            self.situation,
            learned,
            seed=self.seed,
            day_effect=day_effect,
            advise=False,
            draws=DRAWS,
        )
        last = self.history[-1] if self.history else None
        naive = naive_forecasts(self.past, self.situation.made, last)
        return StoredForecast(
            made_at=made.made_at,
            attempts_seen=made.attempts_seen,
            quantities=tuple(
                QuantityForecast(quantity, intervals, naive.get(quantity))
                for quantity, intervals in made.quantities.items()
            ),
        )


def experiment(campaigns: int, seed: int) -> Iterator[Result]:
    """Forecast, play and score campaigns, one after the other."""
    dice = Random(seed)
    installation = Installation(Random(seed + 1))
    history: list[CampaignCounts] = []
    scores: list[Score] = []
    for number in range(campaigns):
        start, own = installation.next_campaign(number), dice.random()
        whole = play(own, start)
        results = _results(whole)
        moments = _moments(whole, own, start, history[-MOST_LEARNED:], number)
        raw = {occasion: one.forecast() for occasion, one in moments.items()}
        launch = Occasion.LAUNCH
        flat = {launch: moments[launch].forecast(day_effect=False)}
        result = Result(
            scores_of(_corrected(raw, scores), results),
            scores_of(raw, results),
            scores_of(flat, results),
        )
        yield result
        scores.extend(result.corrected)
        history.append(whole.counts)


def _moments(
    whole: Recorded,
    own: float,
    start: World,
    history: list[CampaignCounts],
    seed: int,
) -> dict[Occasion, Moment]:
    """Return what is known at the start and at half time."""
    assert whole.finish is not None
    middle = whole.finish / 2
    half = play(own, start, until=middle)
    first, then = whole.world.situation(), _situation_at(half, middle)
    contacts = first.contacts
    so_far = Past(contacts, contacts - then.contacts, middle)
    nothing = CampaignCounts()
    return {
        Occasion.LAUNCH: Moment(first, nothing, history, Past(contacts), seed),
        Occasion.HALF_TIME: Moment(then, half.counts, history, so_far, seed),
    }


def _corrected(
    raw: dict[Occasion, StoredForecast], scores: list[Score]
) -> dict[Occasion, StoredForecast]:
    """Widen the intervals as the product does, by the errors of earlier campaigns."""
    return {
        occasion: replace(
            made,
            quantities=tuple(
                replace(
                    one,
                    intervals=one.intervals.widened(
                        corrections(scores, occasion).get(one.quantity, 1.0), 0.0
                    ),
                )
                for one in made.quantities
            ),
        )
        for occasion, made in raw.items()
    }


def _situation_at(half: Recorded, at: float) -> Situation:
    """Return what is known in the middle of a campaign."""
    before = half.world.situation()
    waiting = half.run.waiting(at)
    strata = tuple(
        Stratum(
            shifted(stratum.hours, at),
            stratum.zones,
            sum(1 for one in waiting if one.stratum == n and one.attempt == 1),
            tuple(
                Planned(one.attempt, one.due, 1)
                for one in waiting
                if one.stratum == n and one.attempt > 1
            ),
        )
        for n, stratum in enumerate(before.strata)
    )
    outcomes = [record.outcome for _, record in half.calls]
    made = Made(
        calls=len(outcomes),
        answered=sum(one in ANSWERED for one in outcomes),
        human=sum(one in BY_PERSON for one in outcomes),
        goals=half.counts.goals,
        spend=sum((record.cost or ZERO for _, record in half.calls), ZERO),
    )
    now = before.now + timedelta(seconds=at)
    return replace(before, now=now, strata=strata, made=made)


def _results(whole: Recorded) -> dict[Quantity, float]:
    outcomes = [record.outcome for _, record in whole.calls]
    finish = whole.finish or 0.0
    return {
        Quantity.FINISH: whole.world.start.timestamp() + finish,
        Quantity.CALLS: float(len(outcomes)),
        Quantity.ANSWERED: float(sum(one in ANSWERED for one in outcomes)),
        Quantity.HUMAN: float(sum(one in BY_PERSON for one in outcomes)),
        Quantity.GOALS: float(whole.counts.goals),
        Quantity.SPEND: float(
            sum((record.cost or ZERO for _, record in whole.calls), ZERO)
        ),
    }
