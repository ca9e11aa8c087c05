"""Probability that a person answers, by local hour and attempt."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

HOURS = 24


@dataclass(frozen=True)
class Reach:
    """Factors for the probability that a person answers; without any nothing changes.

    `by_hour` has one factor for each hour of the day in `time_zone`, `by_attempt` one
    for each call to the same number, of which the last repeats. `unreachable` is the
    share of the numbers at which no person ever answers, always the same for one seed.
    A simulated day takes `day_seconds` real seconds, so that a campaign of several days
    can be simulated in minutes; 86,400 is the time of day as it is.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    by_hour: tuple[float, ...] = ()
    by_attempt: tuple[float, ...] = ()
    unreachable: float = 0.0
    time_zone: str = "UTC"
    day_seconds: float = 86_400.0

    def __post_init__(self) -> None:
        if self.by_hour and len(self.by_hour) != HOURS:
            raise ValueError("by_hour needs 24 values, one for each hour of the day")
        ZoneInfo(self.time_zone)

    def hour(self, at: datetime) -> int:
        """Return the simulated hour of the day, 0 to 23."""
        if self.day_seconds == Reach.day_seconds:
            return at.astimezone(ZoneInfo(self.time_zone)).hour
        return int(at.timestamp() % self.day_seconds / self.day_seconds * HOURS)

    def factor(self, number: str, attempt: int, at: datetime, seed: int) -> float:
        """Return the factor for the `attempt`-th call (from 1) to a number."""
        dice = Random(f"{seed}/reachable/{number}")  # noqa: S311 - a die
        if dice.random() < self.unreachable:
            return 0.0
        factor = self.by_hour[self.hour(at)] if self.by_hour else 1.0
        if self.by_attempt:
            factor *= self.by_attempt[min(attempt, len(self.by_attempt)) - 1]
        return factor
