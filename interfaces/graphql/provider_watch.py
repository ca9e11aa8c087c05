"""How the provider was when it was asked last, whoever wants to know and how often."""

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
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Sight:
    """`lines` as last known; `trouble` is present, `last_trouble` may be over.

    `waiting` seconds is how long the present question has had no answer.
    """

    lines: tuple[LineActivity, ...] = ()
    trouble: Trouble | None = None
    last_trouble: Trouble | None = None
    waiting: float = 0.0


class ProviderWatch:
    """Asks in a thread of its own: nobody waits longer than he wants to.

    Safe to share between threads.
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
        self._sight = Sight()

    def look(self, patience: float) -> Sight:
        """Wait so many seconds at most for an answer that is due."""
        self._ask_when_due()
        if self._answered.wait(patience):
            return self._sight
        waiting = self._clock() - self._asked_at
        known = self._sight
        return Sight(known.lines, known.trouble, known.last_trouble, waiting)

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

    def _asked(self) -> Sight:
        try:
            lines = tuple(self._lines.activity())
        except (ProviderUnavailable, ProviderRefused) as error:
            return self._troubled(str(error), ())
        if self._lines.trouble is not None:
            return self._troubled(self._lines.trouble, lines)
        return Sight(lines, None, self._sight.last_trouble)

    def _troubled(self, words: str, lines: tuple[LineActivity, ...]) -> Sight:
        trouble = Trouble(self._now(), words)
        return Sight(lines, trouble, trouble)
