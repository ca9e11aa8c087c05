"""Appends that wait while one is on its way are sent as one, in one transaction.

Whoever waits first sends for all that wait with it. With nobody else about, an append
goes by itself and nothing is in its way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from uuid import UUID

import structlog

from application.errors import StoreUnavailable

log = structlog.get_logger(__name__)

MOST = 64
"""Appends that are sent as one."""


@dataclass(eq=False, slots=True)
class Place[A]:
    """Where one append stands in the line.

    After its turn it leads a `group`, or it is answered, or it is to go alone.
    """

    append: A
    streams: frozenset[UUID]
    until: float
    turn: Lock = field(default_factory=Lock)
    group: "list[Place[A]]" = field(default_factory=list)
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

    def store(
        self, append: A, streams: frozenset[UUID], seconds: float
    ) -> Sequence[int]:
        """Return the positions of what is stored, within so many seconds.

        Raises what `alone` does, and StoreUnavailable where the turn never came.
        """
        place = Place(append, streams, monotonic() + seconds)
        self._join(place)
        if place.group:
            self._lead(place.group)
        if place.positions is None:
            return self._alone(place)
        return place.positions

    def _join(self, place: Place[A]) -> None:
        place.turn.acquire()
        with self._lock:
            if not self._busy:
                self._busy, place.group = True, [place]
                return
            self._waiting.append(place)
        if not place.called():
            self._leave(place)

    def _leave(self, place: Place[A]) -> None:
        """Give up waiting; who is being sent for waits for that answer all the same."""
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                raise StoreUnavailable("others were stored all the while")
        place.turn.acquire()

    def _lead(self, group: list[Place[A]]) -> None:
        leader, *followers = group
        try:
            if followers:
                self._answer(group)
            else:
                leader.positions = self._alone(leader)
        finally:
            self._hand_over()
            for follower in followers:
                follower.turn.release()

    def _answer(self, group: list[Place[A]]) -> None:
        try:
            answers = self._send(group)
        except Exception as error:  # noqa: BLE001 - each meets its own again, alone
            log.debug("appends could not be stored together", error=repr(error))
            return
        for place, positions in zip(group, answers, strict=True):
            place.positions = positions

    def _hand_over(self) -> None:
        with self._lock:
            self._busy = bool(self._waiting)
            if not self._busy:
                return
            first, group = self._waiting[0], self._next_group()
            first.group = group
        first.turn.release()

    def _next_group(self) -> list[Place[A]]:
        """Take those who wait, of several for one stream the first."""
        taken: set[UUID] = set()
        group: list[Place[A]] = []
        left: list[Place[A]] = []
        for place in self._waiting:
            fits = len(group) < MOST and taken.isdisjoint(place.streams)
            (group if fits else left).append(place)
            taken |= place.streams
        self._waiting = left
        return group
