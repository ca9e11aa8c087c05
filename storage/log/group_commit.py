"""Appends that wait while one is on its way are sent as one, in one transaction.

Whoever waits first sends for all that wait with it. Who was answered a moment ago is
likely to come again at once, and is waited for a little: a transaction costs the same
for eight as for four. With nobody else about, an append goes by itself and nothing is
in its way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic
from uuid import UUID

import structlog

from application.errors import StoreUnavailable

log = structlog.get_logger(__name__)

MOST = 64
"""Appends that are sent as one."""

LINGER, LONGEST_LINGER = 0.5, 0.002
"""How long company is waited for: so much of what the last sending took, in seconds
at the most."""


@dataclass(eq=False, slots=True)
class Place[A]:
    """Where one append stands in the line.

    After its turn it `leads`, or it is answered, or it is to go alone.
    """

    append: A
    streams: frozenset[UUID]
    until: float
    turn: Lock = field(default_factory=Lock)
    leads: bool = False
    positions: Sequence[int] | None = None
    in_doubt: bool = False
    """Whether it may be stored although no answer came."""

    @property
    def left(self) -> float:
        return max(self.until - monotonic(), 0.001)

    def called(self) -> bool:
        """Wait for the turn, no longer than there is patience."""
        return self.turn.acquire(timeout=self.left)


class Line[A]:
    """`send` stores a group's appends, all or nothing, and answers for each.

    It marks the places as `in_doubt` where it cannot tell, and raises. Then each of
    them is stored by itself, by `alone`.
    """

    def __init__(
        self,
        send: Callable[[list[Place[A]]], list[Sequence[int]]],
        alone: Callable[[Place[A]], Sequence[int]],
    ) -> None:
        self._send, self._alone = send, alone
        self._lock = Lock()
        self._waiting: list[Place[A]] = []
        self._busy = False
        self._company, self._company_until = 0, 0.0
        self._complete = Event()

    def store(
        self, append: A, streams: frozenset[UUID], seconds: float
    ) -> Sequence[int]:
        """Return the positions of what is stored, within so many seconds.

        Raises what `alone` does, and StoreUnavailable where the turn never came.
        """
        place = Place(append, streams, monotonic() + seconds)
        self._join(place)
        if place.leads:
            self._lead(place)
        if place.positions is None:
            return self._alone(place)
        return place.positions

    def _join(self, place: Place[A]) -> None:
        place.turn.acquire()
        with self._lock:
            if not self._busy:
                self._busy = place.leads = True
                return
            self._waiting.append(place)
            if len(self._waiting) >= self._company and not self._complete.is_set():
                self._complete.set()
        if not place.called():
            self._leave(place)

    def _leave(self, place: Place[A]) -> None:
        """Give up waiting; who is being sent for waits for that answer all the same."""
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                raise StoreUnavailable("others were stored all the while")
        place.turn.acquire()

    def _lead(self, leader: Place[A]) -> None:
        group, start = [leader], monotonic()
        try:
            self._await_company()
            group, start = self._group_of(leader), monotonic()
            if len(group) > 1:
                self._answer(group)
            else:
                leader.positions = self._alone(leader)
        finally:
            for follower in group[1:]:
                follower.turn.release()
            self._hand_over(group, start)

    def _await_company(self) -> None:
        with self._lock:
            left = self._company_until - monotonic()
            if left <= 0 or len(self._waiting) >= self._company:
                return
            self._complete.clear()
        self._complete.wait(left)

    def _group_of(self, leader: Place[A]) -> list[Place[A]]:
        """Take those who wait, of several for one stream the first."""
        group, taken = [leader], set(leader.streams)
        left: list[Place[A]] = []
        with self._lock:
            for place in self._waiting:
                fits = len(group) < MOST and taken.isdisjoint(place.streams)
                (group if fits else left).append(place)
                taken |= place.streams
            self._waiting = left
        return group

    def _answer(self, group: list[Place[A]]) -> None:
        try:
            answers = self._send(group)
        except Exception as error:  # noqa: BLE001 - each meets its own again, alone
            log.debug("appends could not be stored together", error=repr(error))
            return
        for place, positions in zip(group, answers, strict=True):
            place.positions = positions

    def _hand_over(self, group: list[Place[A]], start: float) -> None:
        end = monotonic()
        with self._lock:
            self._company = len(group) + len(self._waiting) - 1
            self._company_until = end + min(LINGER * (end - start), LONGEST_LINGER)
            self._busy = bool(self._waiting)
            if not self._busy:
                return
            first = self._waiting.pop(0)
            first.leads = True
        first.turn.release()
