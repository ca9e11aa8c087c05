"""How fast calls are started: evenly, and slower on a line that refuses."""

from collections.abc import Callable
from dataclasses import dataclass

AHEAD_SECONDS = 2.0
"""A pass claims no more than can be requested in this time."""

SLOWEST = 0.2
"""Calls in a second that even a refusing line is asked for."""

RECOVERY_SECONDS = 5.0
"""Without refusals a slowed line doubles its pace this often."""

HALVING_SECONDS = 1.0
LONGEST_BACK_OFF_SECONDS = 60.0


@dataclass(slots=True)
class _Line:
    slowed: float | None = None
    halved_at: float = float("-inf")
    refused_at: float = float("-inf")
    refusals: int = 0
    last_at: float = float("-inf")
    held_until: float = float("-inf")

    def next_at(self, rate: float) -> float:
        """Return the earliest next turn at this rate, in calls per second."""
        return max(self.last_at + 1 / rate, self.held_until)


class Pace:
    """Turns to start a call, over all campaigns and for each line.

    Not for several threads at once: the loop asks for turns, and outcomes are told
    under the dispatcher's lock. Times are of the monotonic clock.
    """

    def __init__(self, per_second: float, random: Callable[[], float]) -> None:
        self._full, self._random = per_second, random
        self._all = _Line()
        self._lines: dict[str, _Line] = {}

    def set_full(self, per_second: float) -> None:
        self._full = per_second

    def allowed(self, now: float) -> int:
        """How many calls may be started in the next two seconds."""
        return _turns(self._all, self._full, now)

    def allowed_on_slow_lines(self, now: float) -> dict[str, int]:
        return {
            name: _turns(line, rate, now)
            for name, line in self._lines.items()
            if (rate := self._rate(line, now)) < self._full or line.held_until > now
        }

    def is_held(self, name: str, now: float) -> bool:
        """Return whether the provider asked not to be called on that line yet."""
        return self._line(name).held_until > now

    def take_turn(self, name: str, now: float) -> float:
        """Return when the next call on that line may be started."""
        line = self._line(name)
        next_at = line.next_at(self._rate(line, now))
        turn = max(now, self._all.next_at(self._full), next_at)
        self._all.last_at = line.last_at = turn
        return turn

    def accepted(self, name: str) -> None:
        self._line(name).refusals = 0

    def refused(self, name: str, now: float, retry_after: float | None) -> float:
        """Slow the line down; return in how many seconds to try that call again.

        After a `retry_after` (seconds) no call at all is started on the line before
        that time.
        """
        line = self._line(name)
        if now - line.halved_at >= HALVING_SECONDS:
            line.slowed = max(self._rate(line, now) / 2, min(SLOWEST, self._full))
            line.halved_at = now
        line.refused_at = now
        line.refusals += 1
        if retry_after is not None:
            line.held_until = max(line.held_until, now + retry_after)
            return retry_after
        longest = min(2.0 ** (line.refusals - 1), LONGEST_BACK_OFF_SECONDS)
        return longest * self._random()

    def _line(self, name: str) -> _Line:
        return self._lines.setdefault(name, _Line())

    def _rate(self, line: _Line, now: float) -> float:
        if line.slowed is None:
            return self._full
        doublings = min(int((now - line.refused_at) / RECOVERY_SECONDS), 64)
        return min(line.slowed * 2.0**doublings, self._full)


def _turns(line: _Line, rate: float, now: float) -> int:
    until = now + AHEAD_SECONDS
    first = max(now, line.next_at(rate))
    return 0 if first > until else int((until - first) * rate) + 1
