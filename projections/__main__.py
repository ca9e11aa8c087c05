"""The projector's process: applies the log to the read tables while it leads."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import Any

import structlog
from psycopg import OperationalError

from application.configuration import Configuration
from application.process.gc_tuning import collect_in_background, enable_after_loading
from application.process.logs import configure_logs
from projections.engine.rebuild import ChainDiffers
from projections.engine.runner import ProjectionStopped, Projector
from projections.engine.upgrade import rebuild_outdated
from projections.start_up import FAILED, CannotStart, required_url
from storage.fitness import TransactionPooler
from storage.migrate import DatabaseTooNew, check_version
from storage.process.database_clock import ClockWorker, DatabaseClock

ROLE = "projector"

log = structlog.get_logger(ROLE)


def main() -> int:
    """Run the projector; return the exit code.

    0 after SIGTERM or SIGINT; 1 if an event cannot be applied, the tables cannot be
    rebuilt or this version may not write; 2 without a database URL.
    """
    enable_after_loading()
    collect_in_background()
    configuration = Configuration()
    configure_logs(configuration.log_level, configuration.log_format)
    try:
        url = _writable_url(configuration)
    except CannotStart as refusal:
        return refusal.print()
    holder = f"{socket.gethostname()}:{os.getpid()}"
    workers = configuration.rebuild_workers
    prepare = partial(rebuild_outdated, url, workers=workers)
    projector = Projector(url, holder=holder, prepare=prepare)
    clock = ClockWorker(url, DatabaseClock(), role=ROLE, holder=holder)
    with _stopped_by_signals(projector), clock:
        return _run(projector)


def _writable_url(configuration: Configuration) -> str:
    """Return the database's URL. Raises CannotStart if this version may not write.

    A database that does not answer yet is not a reason: the projector does nothing
    before its first heartbeat, which such a database refuses as well.
    """
    url = required_url(configuration)
    try:
        check_version(url)
    except (DatabaseTooNew, TransactionPooler) as error:
        raise CannotStart(str(error), FAILED) from error
    except OperationalError as error:
        log.warning("the database does not answer yet", error=str(error))
    return url


def _run(projector: Projector) -> int:
    try:
        projector.run()
    except ProjectionStopped as stopped:
        log.critical(
            "projection stopped",
            position=stopped.position,
            topic=stopped.topic,
            cause=repr(stopped.cause),
        )
        print(stopped, file=sys.stderr)  # noqa: T201 - for the supervisor to read
        return 1
    except ChainDiffers as differs:
        log.critical("the read tables cannot be rebuilt", cause=str(differs))
        print(differs, file=sys.stderr)  # noqa: T201 - for the supervisor to read
        return 1
    return 0


@contextmanager
def _stopped_by_signals(projector: Projector) -> Iterator[None]:
    def stop(*_: Any) -> None:
        # In a thread: the interrupted code may hold the lock that `stop` takes.
        Thread(target=projector.stop, name="stop").start()

    wanted = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, stop) for number in wanted]
    try:
        yield
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
