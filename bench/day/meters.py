"""Meters that run during a day: projection lag, memory and CPU time of processes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic

from bench.day.processes import Fleet
from bench.support.process_usage import (
    cpu_seconds,
    resident_mebibytes,
    tree_cpu_seconds,
    tree_mebibytes,
)
from storage.database import connect

LAG_SECONDS, MEMORY_SECONDS = 0.05, 5.0
POSITIONS = """select (select max(notification_id) from autolynx_events),
    (select position from read.projection_position)"""


@dataclass(frozen=True, slots=True)
class Positions:
    """The last position of the log, and that of the read tables, at one time."""

    at: float
    logged: int
    projected: int


@dataclass(slots=True)
class Measured:
    """What the meters found; times are seconds of the monotonic clock.

    `memory` has, for each process, times with MiB.
    """

    positions: list[Positions] = field(default_factory=list)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


@contextmanager
def measuring(fleet: Fleet, pids: Mapping[str, int]) -> Iterator[Measured]:
    """Measure lag and memory during the block."""
    measured, over = Measured(), Event()
    threads = [
        Thread(target=_watch_lag, args=(fleet, measured, over)),
        Thread(target=_watch_memory, args=(pids, measured, over)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield measured
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _watch_lag(fleet: Fleet, measured: Measured, over: Event) -> None:
    with connect(fleet.installed.database, name="bench lag") as connection:
        while not over.wait(LAG_SECONDS):
            at = monotonic()
            row = connection.execute(POSITIONS).fetchone()
            assert row is not None
            measured.positions.append(Positions(at, row[0] or 0, row[1]))


def _watch_memory(pids: Mapping[str, int], measured: Measured, over: Event) -> None:
    while not over.wait(MEMORY_SECONDS):
        for name, pid in pids.items():
            used = tree_mebibytes if name == "postgres" else resident_mebibytes
            measured.memory.setdefault(name, []).append((monotonic(), used(pid)))


def cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds that each process has used."""
    return {
        name: (tree_cpu_seconds if name == "postgres" else cpu_seconds)(pid)
        for name, pid in pids.items()
    }


def lags(positions: Sequence[Positions]) -> list[float]:
    """Return for each sample how many seconds later the read tables included it.

    Samples at the end whose position was not reached before the last sample are left
    out.
    """
    found, later = list[float](), iter(positions)
    reached = next(later, None)
    for sample in positions:
        while reached is not None and reached.projected < sample.logged:
            reached = next(later, None)
        if reached is None:
            break
        found.append(max(reached.at - sample.at, 0.0))
    return found


def growth_per_minute(samples: Sequence[tuple[float, float]]) -> float:
    """Return the slope of a least-squares line through times in s and MiB, per minute.

    It is 0 for fewer than two samples.
    """
    if len(samples) < 2:
        return 0.0
    mean_at = sum(at for at, _ in samples) / len(samples)
    mean_used = sum(used for _, used in samples) / len(samples)
    spread = sum((at - mean_at) ** 2 for at, _ in samples)
    together = sum((at - mean_at) * (used - mean_used) for at, used in samples)
    return 60 * together / spread if spread else 0.0
