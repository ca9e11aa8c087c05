"""Hidden worlds: campaigns whose calls do not follow the model of the forecasts.

The lists mix contacts of which some always answer and some never. Answer rates drift
from day to day with a memory, the hour of the day matters, durations depend on the
list, and the provider has outages in which every call fails at once. The model knows
none of these numbers and none of these forms.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import exp, inf, log
from random import Random

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import PRESETS
from domain.forecast.simulation.simulated_calls import CallEnd
from domain.forecast.situation import Hours, Situation, Stratum
from domain.outcomes import CallOutcome

BEGIN = datetime(2026, 3, 2, 14, tzinfo=UTC)
DAY = 86_400.0
ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles")


@dataclass
class Installation:
    """What all campaigns of one installation share; its rates drift."""

    dice: Random
    drift: float = 0.0

    def next_campaign(self, number: int) -> "World":
        """Return the hidden world of the next campaign; the rates have drifted."""
        self.drift = 0.8 * self.drift + self.dice.gauss(0, 0.15)
        start = BEGIN + timedelta(days=number % 5)
        return World(Random(self.dice.random()), start, self.drift)


@dataclass
class World:
    """The hidden truth of one campaign."""

    dice: Random
    start: datetime
    drift: float
    days: dict[int, float] = field(default_factory=dict)
    propensities: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = self.dice
        self.contacts = dice.choice((60, 100, 160))
        self.slots = dice.choice((2, 3, 5))
        self.policy = PRESETS[dice.choice(("once", "gentle", "urgent"))]
        self.level = -0.9 + self.drift + dice.gauss(0, 0.35)
        self.mean_talk = 70 * exp(dice.gauss(0, 0.25))
        self.per_minute = 0.18 * exp(dice.gauss(0, 0.15))
        self.machines = dice.uniform(0.2, 0.5)
        # Beta-mixed answer rates: about a third of the contacts nearly never answers.
        self.propensities = [
            0.02 if dice.random() < 0.33 else dice.betavariate(2, 2) * 2
            for _ in range(self.contacts)
        ]
        self.outage_from = dice.uniform(0, 4 * 3600) if dice.random() < 0.15 else inf
        self.outage_seconds = dice.uniform(600, 2400)

    def situation(self) -> Situation:
        """Return what is known before the first call."""
        strata = tuple(
            Stratum(open_hours(n), (zone,), self.contacts // len(ZONES))
            for n, zone in enumerate(ZONES)
        )
        return Situation(
            now=self.start,
            strata=strata,
            terms=CallingTerms(retry_policy=self.policy),
            slots=self.slots,
        )

    def call(self, contact: int, _attempt: int, at: datetime) -> CallEnd:
        """Decide how a call ends."""
        dice, seconds = self.dice, (at - self.start).total_seconds()
        if 0 <= seconds - self.outage_from < self.outage_seconds:
            return CallEnd(CallOutcome.FAULT, 5.0, Decimal("0.01"))
        odds = self.level + self._day(int(seconds // DAY)) + self._hour(at)
        rate = 1 / (1 + exp(-odds)) * self.propensities[contact]
        if dice.random() < rate:
            talk = max(dice.gammavariate(1.3, self.mean_talk / 1.3), 5.0)
            is_goal = dice.random() < 0.2
            return self._ended(CallOutcome.HUMAN, talk, goal=is_goal)
        if dice.random() < self.machines:
            return self._ended(CallOutcome.VOICEMAIL, dice.uniform(15, 40))
        if dice.random() < 0.12:
            return CallEnd(CallOutcome.BUSY, dice.uniform(3, 10), Decimal("0.01"))
        return CallEnd(CallOutcome.NO_ANSWER, dice.uniform(20, 35), Decimal("0.01"))

    def _ended(
        self, outcome: CallOutcome, talk: float, *, goal: bool = False
    ) -> CallEnd:
        cost = Decimal(f"{0.02 + talk / 60 * self.per_minute:.4f}")
        ring = self.dice.uniform(5, 18)
        return CallEnd(outcome, ring + talk, cost, goal)

    def _day(self, day: int) -> float:
        """Return the effect of a day, which resembles that of the day before."""
        if day not in self.days:
            before = self._day(day - 1) if day > 0 else 0.0
            self.days[day] = 0.5 * before + self.dice.gauss(0, 0.4)
        return self.days[day]

    def _hour(self, at: datetime) -> float:
        return log(1.4) if at.hour >= 22 or at.hour < 2 else 0.0


def open_hours(offset: int) -> Hours:
    """Return hours of eleven hours a day that begin `offset` hours after the start."""
    start = offset * 3600.0
    spans = tuple((n * DAY + start, n * DAY + start + 39_600) for n in range(60))
    return Hours(spans)


def shifted(hours: Hours, seconds: float) -> Hours:
    """Return the hours as seen so many seconds later."""
    spans = tuple(
        (max(start - seconds, 0.0), end - seconds)
        for start, end in hours.spans
        if end > seconds
    )
    return replace(hours, spans=spans)
