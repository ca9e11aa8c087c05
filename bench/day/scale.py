"""The size of a day: how many calls, campaigns, contacts and dashboards."""

from dataclasses import dataclass
from math import ceil

MEAN_CALL_SECONDS = 90.0
"""About what a call of `TALK_SECONDS` lasts, with queue and ringing, if it is made."""

TALK_SECONDS = (40.0, 170.0)
CAMPAIGNS, LINES = 20, 4
LONGEST_FILL_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A day of `minutes`, with `calls` at the same time.

    `rows` is the size of the large import and export, `dashboards` the number of open
    ones.
    """

    minutes: float
    calls: int
    rows: int
    dashboards: int

    @property
    def seconds(self) -> float:
        """Length of the day in seconds."""
        return self.minutes * 60

    @property
    def warm_up(self) -> float:
        """Seconds at the start that are not measured: the slots are being filled."""
        return 2 * self.fill_seconds

    @property
    def fill_seconds(self) -> float:
        """Time in which all slots are filled at the start, in seconds."""
        return min(LONGEST_FILL_SECONDS, self.seconds / 6)

    @property
    def cap(self) -> int:
        """Calls of one campaign at the same time."""
        return ceil(self.calls / CAMPAIGNS)

    @property
    def dials_per_second(self) -> float:
        """Pace at which the slots are filled."""
        return max(self.calls / self.fill_seconds, 1.0)

    @property
    def contacts(self) -> int:
        """Contacts of one campaign: more than can be called during the day."""
        calls = self.calls * (2 + 2 * self.seconds / MEAN_CALL_SECONDS)
        return ceil(calls / CAMPAIGNS)
