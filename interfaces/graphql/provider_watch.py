"""Status of the provider, queried in the background and cached for all clients."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread

from application.ports import ProviderRefused, ProviderUnavailable
from interfaces.graphql.lines import LineActivity, Lines

ASKED_EVERY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failed query of the provider: when it failed, and the provider's text."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """The last known lines, the present fault and the latest fault, if any.

    `waiting` is how many seconds the present query has been unanswered.
    """

    lines: tuple[LineActivity, ...] = ()
    trouble: Trouble | None = None
    last_trouble: Trouble | None = None
    waiting: float = 0.0


class ProviderWatch:
    """Queries the provider in its own thread, so that callers can limit their wait.

    Thread-safe.
    """

    def __init__(
        self,
        lines: Lines,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines, self._now, self._clock = lines, now, clock
        self._lock, self._answered = Lock(), Event()
        self._answered.set()
        self._asked_at = self._due = 0.0
        self._sight = ProviderStatus()

    def status(self, patience: float) -> ProviderStatus:
        """Return the status; wait up to `patience` seconds for a query that is due."""
        self._ask_when_due()
        if self._answered.wait(patience):
            return self._sight
        waiting = self._clock() - self._asked_at
        known = self._sight
        return ProviderStatus(known.lines, known.trouble, known.last_trouble, waiting)

    def _ask_when_due(self) -> None:
        with self._lock:
            if not self._answered.is_set() or self._clock() < self._due:
                return
            self._answered.clear()
            self._asked_at = self._clock()
        Thread(target=self._ask, name="provider watch", daemon=True).start()

    def _ask(self) -> None:
        try:
            self._sight = self._asked()
        finally:
            self._due = self._clock() + ASKED_EVERY_SECONDS
            self._answered.set()

    def _asked(self) -> ProviderStatus:
        try:
            lines = tuple(self._lines.activity())
        except (ProviderUnavailable, ProviderRefused) as error:
            return self._troubled(str(error), ())
        if self._lines.trouble is not None:
            return self._troubled(self._lines.trouble, lines)
        return ProviderStatus(lines, None, self._sight.last_trouble)

    def _troubled(self, text: str, lines: tuple[LineActivity, ...]) -> ProviderStatus:
        trouble = Trouble(self._now(), text)
        return ProviderStatus(lines, trouble, trouble)
