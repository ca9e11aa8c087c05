"""Starts the process of a rehearsal, and reads what it reports."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import orjson

from application.errors import Failure
from storage.process.rehearsal_order import RehearsalOrder, order_to_json

COMMAND = (sys.executable, "-m", "scheduler.rehearsal")

type Report = dict[str, Any]


class RehearsalFailed(Failure):
    """The process of a rehearsal ended without a result."""


class RehearsalRefused(Failure):
    """The campaign cannot be rehearsed; the message says why."""


@contextmanager
def rehearsal(order: RehearsalOrder) -> Iterator[Iterator[Report]]:
    """Start a rehearsal; yield its reports.

    Each report is {"progress": ...}, and the last one {"done": ...}. Leaving the
    context ends a rehearsal that is still running.
    """
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as it:  # noqa: S603 - our own module
        assert it.stdin is not None
        assert it.stdout is not None
        it.stdin.write(order_to_json(order))
        it.stdin.flush()
        try:
            yield _reports(it.stdout)
        finally:
            it.stdin.close()  # It drops its database, then ends.
            it.stdout.close()


def _reports(lines: IO[bytes]) -> Iterator[Report]:
    """Yield the reports. Raises RehearsalRefused or RehearsalFailed."""
    last: Report = {}
    for line in lines:
        last = orjson.loads(line)
        if "refused" in last:
            raise RehearsalRefused(str(last["refused"]))
        yield last
    if "done" not in last:
        raise RehearsalFailed("The rehearsal ended without a result: see the log.")
