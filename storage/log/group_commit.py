"""Group commit: appends that wait for each other are stored in one transaction.

The first append in the queue becomes the leader and stores the group. Callers whose
append has just been stored usually append again at once, so a leader waits up to
`LONGEST_WAIT_SECONDS` for as many appends as the last group had: a transaction with
eight appends takes hardly longer than one with four. An append that meets no other one
is stored by itself without any wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic
from uuid import UUID

import structlog

from application.errors import StoreUnavailable

log = structlog.get_logger(__name__)

LARGEST_GROUP = 64
"""Appends in one group."""

IN_FLIGHT_SECONDS = 30.0
"""Longest wait for a group in flight, after the time limit of the append itself."""

WAIT_SHARE, LONGEST_WAIT_SECONDS = 0.5, 0.002
"""A leader waits for others for this share of the last transaction's duration."""


@dataclass(eq=False, slots=True)
class QueuedAppend[A]:
    """An append in the commit queue.

    When `turn` is released, the append is the leader, or it has its `positions`, or it
    must be stored alone.
    """

    append: A
    streams: frozenset[UUID]
    until: float
    turn: Lock = field(default_factory=Lock)
    leads: bool = False
    positions: Sequence[int] | None = None
    in_doubt: bool = False
    """Whether it may be stored although no answer arrived."""

    @property
    def left(self) -> float:
        """Seconds that remain of the append's time limit."""
        return max(self.until - monotonic(), 0.001)

    def wait_for_turn(self) -> bool:
        """Wait until `turn` is released; return False after the time limit."""
        return self.turn.acquire(timeout=self.left)


class CommitQueue[A]:
    """Stores appends of several threads in groups.

    `store_group` stores the appends of a group, all or none, and returns the positions
    of each. Otherwise it raises an error, after setting `in_doubt` on each append if
    the transaction may have been committed; `store_alone` then stores each by itself.
    """

    def __init__(
        self,
        store_group: Callable[[list[QueuedAppend[A]]], list[Sequence[int]]],
        store_alone: Callable[[QueuedAppend[A]], Sequence[int]],
    ) -> None:
        self._store_group, self._store_alone = store_group, store_alone
        self._lock = Lock()
        self._waiting: list[QueuedAppend[A]] = []
        self._busy = False
        self._expected, self._expected_until = 0, 0.0
        self._complete = Event()

    def store(
        self, append: A, streams: frozenset[UUID], seconds: float
    ) -> Sequence[int]:
        """Store the append within `seconds`; return the positions of its events.

        Raises:
            StoreUnavailable: the append did not get its turn in time. Other errors are
                those of `store_alone`.
        """
        queued = QueuedAppend(append, streams, monotonic() + seconds)
        self._join(queued)
        if queued.leads:
            self._lead(queued)
        if queued.positions is None:
            return self._store_alone(queued)
        return queued.positions

    def _join(self, queued: QueuedAppend[A]) -> None:
        queued.turn.acquire()
        with self._lock:
            if not self._busy:
                self._busy = queued.leads = True
                return
            self._waiting.append(queued)
            if len(self._waiting) >= self._expected and not self._complete.is_set():
                self._complete.set()
        if not queued.wait_for_turn():
            self._leave(queued)

    def _leave(self, queued: QueuedAppend[A]) -> None:
        """Leave the queue after the time limit.

        If the append is already part of a group in flight, wait for that result.
        Raises StoreUnavailable without one: the append may then be stored.
        """
        with self._lock:
            if queued in self._waiting:
                self._waiting.remove(queued)
                raise StoreUnavailable("the append did not get its turn in time")
        if not queued.turn.acquire(timeout=IN_FLIGHT_SECONDS):
            raise StoreUnavailable("the append got no answer: it may be stored")

    def _lead(self, leader: QueuedAppend[A]) -> None:
        group, start = [leader], monotonic()
        try:
            self._wait_for_others()
            group, start = self._group_of(leader), monotonic()
            if len(group) > 1:
                self._try_group(group)
            else:
                leader.positions = self._store_alone(leader)
        finally:
            for follower in group[1:]:
                follower.turn.release()
            self._hand_over(group, start)

    def _wait_for_others(self) -> None:
        with self._lock:
            left = self._expected_until - monotonic()
            if left <= 0 or len(self._waiting) >= self._expected:
                return
            self._complete.clear()
        self._complete.wait(left)

    def _group_of(self, leader: QueuedAppend[A]) -> list[QueuedAppend[A]]:
        """Take waiting appends, at most one for each stream, in their order."""
        group, taken = [leader], set(leader.streams)
        left: list[QueuedAppend[A]] = []
        with self._lock:
            for queued in self._waiting:
                fits = len(group) < LARGEST_GROUP and taken.isdisjoint(queued.streams)
                (group if fits else left).append(queued)
                taken |= queued.streams
            self._waiting = left
        return group

    def _try_group(self, group: list[QueuedAppend[A]]) -> None:
        try:
            answers = self._store_group(group)
        except Exception as error:  # noqa: BLE001 - `store_alone` raises each one's own
            log.debug("a group of appends could not be stored", error=repr(error))
            return
        for queued, positions in zip(group, answers, strict=True):
            queued.positions = positions

    def _hand_over(self, group: list[QueuedAppend[A]], start: float) -> None:
        """Make the first waiting append the next leader."""
        end = monotonic()
        wait = min(WAIT_SHARE * (end - start), LONGEST_WAIT_SECONDS)
        with self._lock:
            self._expected = len(group) + len(self._waiting) - 1
            self._expected_until = end + wait
            self._busy = bool(self._waiting)
            if not self._busy:
                return
            first = self._waiting.pop(0)
            first.leads = True
        first.turn.release()
