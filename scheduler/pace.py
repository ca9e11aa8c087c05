"""The pace at which calls are started: even, and slower on lines that refuse."""

from collections.abc import Callable
from dataclasses import dataclass

AHEAD_SECONDS = 2.0
"""A pass claims no more calls than can be requested in this time."""

SLOWEST = 0.2
"""Lowest pace of a line that refuses, in calls per second."""

RECOVERY_SECONDS = 5.0
"""A slowed line doubles its pace after each such time without a refusal."""

HALVING_SECONDS = 1.0
"""Refusals within this time after a halving do not halve the pace again."""

LONGEST_BACK_OFF_SECONDS = 60.0
"""Longest time until a refused call is requested again, unless the provider says."""


@dataclass(slots=True)
class _Line:
    """State of one line; times in seconds of the monotonic clock, paces per second."""

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
    """Assigns the times at which calls are started, for all campaigns and each line.

    Not thread-safe: the dispatcher's lock guards it. Times are seconds of the
    monotonic clock. `per_second` is the configured pace, `random` returns numbers from
    0 to 1. A pass claims the calls of the next `ahead` seconds.
    """

    def __init__(
        self,
        per_second: float,
        random: Callable[[], float],
        *,
        ahead: float = AHEAD_SECONDS,
    ) -> None:
        self._full, self._random, self._ahead = per_second, random, ahead
        self._all = _Line()
        self._lines: dict[str, _Line] = {}

    def set_full(self, per_second: float) -> None:
        """Change the configured pace, in calls per second."""
        self._full = per_second

    def allowed(self, now: float) -> int:
        """Return how many calls may be started in the next seconds."""
        return self._turns(self._all, self._full, now)

    def allowed_on_slow_lines(self, now: float) -> dict[str, int]:
        """Return the same for each line that is slowed or on hold."""
        return {
            name: self._turns(line, rate, now)
            for name, line in self._lines.items()
            if (rate := self._rate(line, now)) < self._full or line.held_until > now
        }

    def is_held(self, name: str, now: float) -> bool:
        """Return whether the provider asked to wait before calling on that line."""
        return self._line(name).held_until > now

    def take_turn(self, name: str, now: float) -> float:
        """Reserve and return the time at which the next call on the line starts."""
        line = self._line(name)
        next_at = line.next_at(self._rate(line, now))
        turn = max(now, self._all.next_at(self._full), next_at)
        self._all.last_at = line.last_at = turn
        return turn

    def accepted(self, name: str) -> None:
        """End the line's series of refusals; its pace recovers with time."""
        self._line(name).refusals = 0

    def refused(self, name: str, now: float, retry_after: float | None) -> float:
        """Slow the line down; return after how many seconds to repeat the refused call.

        `retry_after` is the time that the provider asked for, in seconds. No call at
        all is started on the line before it has passed.
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

    def _turns(self, line: _Line, rate: float, now: float) -> int:
        until = now + self._ahead
        first = max(now, line.next_at(rate))
        return 0 if first > until else int((until - first) * rate) + 1
