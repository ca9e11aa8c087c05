"""The provider's phone numbers and their activity, cached for all clients."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from application.ports import PhoneNumber as Line
from application.ports import Provider, ProviderRefused, ProviderUnavailable

KEPT_SECONDS = 5.0
LOOKED_BACK = timedelta(hours=1)
"""Only calls that began within this time are counted, to bound the list."""


@dataclass(frozen=True, slots=True)
class LineActivity:
    """A line and the number of live calls on it, ours or not.

    `active_calls` is None if the provider did not report them; `trouble` is then the
    reason, if it concerns this line alone.
    """

    line: Line
    active_calls: int | None
    trouble: str | None = None


class Lines:
    """Thread-safe: one thread queries the provider while the others wait."""

    def __init__(
        self,
        provider: Provider,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider, self._now, self._clock = provider, now, clock
        self._lock = Lock()
        self._known: list[LineActivity] | None = None
        self._until = 0.0
        self.trouble: str | None = None
        """Why the last query of the provider failed; None if it succeeded."""

    def activity(self) -> list[LineActivity]:
        """Return the lines, at most KEPT_SECONDS old.

        If the provider cannot be reached, these are the last known lines without their
        activity. Raises ProviderUnavailable or ProviderRefused if none are known.
        """
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._known = self._asked()
                self._until = self._clock() + KEPT_SECONDS
            return self._known

    def number_of(self, line_id: str) -> str | None:
        """Return the phone number of a line.

        None if there is no such line, or if the provider cannot be reached and its
        lines are not known.
        """
        try:
            lines = [one.line for one in self.activity()]
        except (ProviderUnavailable, ProviderRefused):
            return None
        return next((line.number for line in lines if line.id == line_id), None)

    def _asked(self) -> list[LineActivity]:
        try:
            self.trouble = None
            found = [self._of(line) for line in self._provider.phone_numbers()]
        except (ProviderUnavailable, ProviderRefused) as error:
            self.trouble = str(error)
            if self._known is None:
                raise
            return [LineActivity(known.line, None) for known in self._known]
        troubles = [one.trouble for one in found]
        if found and None not in troubles:
            self.trouble = troubles[0]
        return found

    def _of(self, line: Line) -> LineActivity:
        since = self._now() - LOOKED_BACK
        try:
            calls = self._provider.calls(line.id, since=since)
        except (ProviderUnavailable, ProviderRefused) as error:
            return LineActivity(line, None, str(error) or type(error).__name__)
        return LineActivity(line, sum(not call.ended for call in calls))
