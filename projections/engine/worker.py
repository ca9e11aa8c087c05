"""A worker process of a rebuild or a verification; `worker_pool` starts it.

Its argument is the number of an open file: the pipe to its parent. It receives a `Job`
and then ranges; it returns each range with its result until the pipe closes.
"""

import os
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from psycopg import InterfaceError, OperationalError

from application.process.gc_tuning import enable_after_loading
from projections.engine.log_check import RangeWork
from projections.engine.worker_pool import Job, Unreachable
from storage.database import connect

NICENESS = 10
"""Live calls and webhooks on the same machine have priority over this work."""


def main() -> None:
    """Work until the parent closes the pipe or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent handles Ctrl-C.
    os.nice(NICENESS)
    enable_after_loading()
    with Connection(int(sys.argv[1])) as pipe, suppress(EOFError, OSError):
        job: Job = pipe.recv()
        try:
            _work(pipe, job)
        except (OperationalError, InterfaceError) as error:
            pipe.send((None, Unreachable(str(error))))


def _work(pipe: Connection, job: Job) -> None:
    with connect(job.url, name=job.name) as conn:
        work = RangeWork(conn, job.schema, job.only, job.checked)
        while True:
            wanted = pipe.recv()
            pipe.send((wanted, work.result(wanted)))


if __name__ == "__main__":
    main()
