"""`python -m tests.faults.odd_scheduler`: a scheduler by a clock of the test's.

It may be on a host whose time is wrong, and freeze, as by SIGSTOP, just before a
request that it has the right to send.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import scheduler.__main__ as program
from application.configuration import Configuration
from application.ports import CallOrder, Outcome
from provider.vapi import VapiProvider
from storage.clock import DatabaseClock
from tests.faults.clocks import OddClock


class Showing(DatabaseClock):
    """Whatever the database tells, it shows what the test's clock shows."""

    def __init__(self, shown: Callable[[], datetime]) -> None:
        super().__init__()
        self._shown = shown

    def __call__(self) -> datetime:
        return self._shown()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clock", type=Path, help="a file of OddClock")
    parser.add_argument("--wrong", type=float, default=0.0, help="seconds ahead")
    parser.add_argument("--freezes", type=int, help="before its request of this number")
    wanted = parser.parse_args()
    if wanted.freezes is not None:
        program.VapiProvider = _freezing(wanted.freezes)  # type: ignore[attr-defined]  # in its place
    configuration = Configuration()
    assert configuration.database_url is not None
    clock = _clock(wanted.clock, timedelta(seconds=wanted.wrong))
    program._serve(
        program.Process(configuration, configuration.database_url, clock=clock)
    )
    return 0


def _clock(file: Path | None, wrong: timedelta) -> DatabaseClock:
    if file is not None:
        return Showing(OddClock(file))
    return DatabaseClock(host=lambda: datetime.now(UTC) + wrong)


def _freezing(before: int) -> type[VapiProvider]:
    number = count(1)

    class Freezing(VapiProvider):
        def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
            if next(number) == before:
                # To this thread: on its way to another one it would run on.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            return super().create_call(order, send_before=send_before)

    return Freezing


if __name__ == "__main__":
    sys.exit(main())
