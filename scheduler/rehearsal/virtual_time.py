"""Virtual time: a clock that moves only while the scheduler waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from time import monotonic
from typing import override

from scheduler.wakeup import WakeUp


@dataclass
class VirtualClock:
    """Returns the virtual time, in UTC."""

    time: datetime

    def __call__(self) -> datetime:
        """Return the virtual time."""
        return self.time

    def move_to(self, time: datetime) -> None:
        """Move forward; an earlier time changes nothing."""
        self.time = max(self.time, time)


class VirtualWakeUp(WakeUp):
    """Moves the virtual clock instead of waiting.

    `pass_until(time, stop_at_news)` lets the world go on until that time; with
    `stop_at_news` it returns as soon as something happened that a scheduler is woken
    for.
    """

    def __init__(
        self,
        clock: VirtualClock,
        pass_until: Callable[[datetime, bool], None],
    ) -> None:
        super().__init__()
        self._clock, self._pass_until = clock, pass_until
        self._began, self._base = clock(), monotonic()

    @override
    def now(self) -> float:
        return self._base + (self._clock() - self._began).total_seconds()

    @override
    def rest(self, until: float) -> None:
        self._wait(until, stop_at_news=False)

    @override
    def listen(self, until: float) -> None:
        self._wait(until, stop_at_news=True)

    def _wait(self, until: float, *, stop_at_news: bool) -> None:
        if not self.stopped:
            # Rounded up: time that cannot be reached would be waited for without end.
            microseconds = ceil(max(until - self.now(), 0.0) * 1_000_000)
            after = timedelta(microseconds=microseconds)
            self._pass_until(self._clock() + after, stop_at_news)
