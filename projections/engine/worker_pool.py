"""Processes that check and prepare ranges of the log, for one process that writes.

The workers only read: they change nothing, so they may be killed at any time. Each has
one connection to the database and ends when its pipe to the parent process closes.
Results are returned in the order of the ranges. While the parent writes, each worker
has at most `AHEAD` ranges assigned, which limits the memory that results take.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

from psycopg import OperationalError

from application.errors import Failure
from projections.engine.log_check import Checked
from projections.engine.ranges import Range

AHEAD = 2
"""Ranges that a worker has at most: one that it works on, and the next one."""

WORTHWHILE = 20_000
"""Least number of events for which processes are started: that takes a second."""

MOST_WORKERS = 8
"""Most processes by default: one connection of the parent writes for all of them."""

TICK_SECONDS = 1.0
END_SECONDS = 5.0

type Tick = Callable[[], None]
"""Is called about once a second while the parent waits for a worker."""


class WorkerLost(Failure):
    """A worker process ended before its work was done."""

    def __init__(self, code: int) -> None:
        super().__init__(
            f"A worker process ended with code {code} before it had finished; the read"
            " tables stay as they are. Run the command again. If memory is short, set"
            " AUTOLYNX_REBUILD_WORKERS=1."
        )


class Job(NamedTuple):
    """What each worker needs: the database, and the schema and tables to fill.

    Ranges are checked against the tables of the schema `checked`, if they are checked.
    """

    url: str
    name: str
    schema: str
    only: frozenset[str] | None = None
    checked: str = ""


class Unreachable(NamedTuple):
    """Sent by a worker in place of a result: the database failed."""

    message: str


def worker_count(configured: int | None, events: int) -> int:
    """Return how many processes to use for about so many events.

    By default as many as there are cores, up to `MOST_WORKERS`. 1 means that this
    process does all the work.
    """
    if events < WORTHWHILE:
        return 1
    if configured is not None:
        return configured
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    assigned: int = 0


class Pool:
    """Worker processes; use `open_pool` to start and end them."""

    def __init__(self, workers: list[_Worker]) -> None:
        self._workers = workers

    def results(
        self, ranges: Iterable[Range], tick: Tick
    ) -> Iterator[tuple[Range, Checked]]:
        """Yield each range with its result, in order.

        `ranges` is read as far ahead as the workers need.

        Raises:
            WorkerLost: a process ended.
            OperationalError: the database did not answer a worker.
        """
        waiting: deque[tuple[Range, _Worker]] = deque()
        received: dict[Range, Checked] = {}
        source = iter(ranges)
        self._assign(source, waiting)
        while waiting:
            first, _ = waiting[0]
            while first not in received:
                self._receive(received, tick)
            waiting.popleft()
            self._assign(source, waiting)
            yield first, received.pop(first)

    def _assign(
        self, source: Iterator[Range], waiting: deque[tuple[Range, _Worker]]
    ) -> None:
        while len(waiting) < AHEAD * len(self._workers):
            worker = min(self._workers, key=lambda one: one.assigned)
            wanted = next(source, None)
            if wanted is None:
                return
            self._send(worker, wanted)
            worker.assigned += 1
            waiting.append((wanted, worker))

    def _send(self, worker: _Worker, wanted: Range) -> None:
        try:
            worker.pipe.send(wanted)
        except OSError:
            raise self._lost(worker) from None

    def _receive(self, received: dict[Range, Checked], tick: Tick) -> None:
        ready = wait([worker.pipe for worker in self._workers], TICK_SECONDS)
        tick()
        for worker in self._workers:
            if worker.pipe not in ready:
                continue
            try:
                done, result = worker.pipe.recv()
            except (EOFError, OSError):
                raise self._lost(worker) from None
            if isinstance(result, Unreachable):
                raise OperationalError(result.message)
            worker.assigned -= 1
            received[done] = result

    def _lost(self, worker: _Worker) -> WorkerLost:
        return WorkerLost(worker.process.wait(END_SECONDS))


@contextmanager
def open_pool(count: int, job: Job) -> Iterator[Pool]:
    """Start `count` processes, which end with the block."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_started(job)) for _ in range(count)]
        yield Pool(workers)


@contextmanager
def _started(job: Job) -> Iterator[_Worker]:
    ours, theirs = Pipe()
    with ours:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    *(sys.executable, "-m", "projections.engine.worker"),
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": _import_path()},
            )
        try:
            ours.send(job)  # By the pipe: the URL may contain a password.
            yield _Worker(process, ours)
        finally:
            process.kill()
            process.wait()


def _import_path() -> str:
    """Return where this process finds its packages, for the child to do so too."""
    return os.pathsep.join(path for path in sys.path if path)
