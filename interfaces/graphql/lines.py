"""The provider's phone numbers, asked for once however many want to know."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from application.ports import PhoneNumber as Line
from application.ports import Provider, ProviderRefused, ProviderUnavailable

KEPT_SECONDS = 5.0
LOOKED_BACK = timedelta(hours=1)
"""Calls that began earlier are not counted: no list is read without an end."""


@dataclass(frozen=True, slots=True)
class LineActivity:
    """`active_calls` live now, ours or not; None where the provider did not say.

    `trouble` is then why, if it is about this line alone.
    """

    line: Line
    active_calls: int | None
    trouble: str | None = None


class Lines:
    """Safe to share between threads: one asks the provider, the others wait."""

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
        """Why the provider gave no answer at all when it was asked last."""

    def activity(self) -> list[LineActivity]:
        """Return the lines as of a few seconds ago at most.

        While the provider cannot be asked the lines are those last known, without
        activity. Raises ProviderUnavailable or ProviderRefused where none are known.
        """
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._known = self._asked()
                self._until = self._clock() + KEPT_SECONDS
            return self._known

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
