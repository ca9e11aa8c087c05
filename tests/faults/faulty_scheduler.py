"""`python -m tests.faults.faulty_scheduler`: a scheduler with a clock chosen by a test.

Its host's clock can be wrong, and it can be frozen (SIGSTOP) just before it sends a
request that it is permitted to send.
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
from provider.vapi.client import VapiProvider
from storage.process.database_clock import DatabaseClock
from tests.faults.adjustable_clock import AdjustableClock


class OverriddenClock(DatabaseClock):
    """Returns the time of the test's clock instead of the database's."""

    def __init__(self, shown: Callable[[], datetime]) -> None:
        super().__init__()
        self._shown = shown

    def __call__(self) -> datetime:
        return self._shown()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clock", type=Path, help="the file of an AdjustableClock")
    parser.add_argument("--skew", type=float, default=0.0, help="seconds ahead")
    parser.add_argument("--freeze-before", type=int, help="the number of the request")
    arguments = parser.parse_args()
    if arguments.freeze_before is not None:
        program.VapiProvider = _freezing(arguments.freeze_before)  # type: ignore[attr-defined]  # replaced for the test
    configuration = Configuration()
    assert configuration.database_url is not None
    clock = _clock(arguments.clock, timedelta(seconds=arguments.skew))
    program._serve(
        program.Process(configuration, configuration.database_url, clock=clock)
    )
    return 0


def _clock(file: Path | None, skew: timedelta) -> DatabaseClock:
    if file is not None:
        return OverriddenClock(AdjustableClock(file))
    return DatabaseClock(host=lambda: datetime.now(UTC) + skew)


def _freezing(before: int) -> type[VapiProvider]:
    number = count(1)

    class Freezing(VapiProvider):
        def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
            if next(number) == before:
                # Signal this thread: another one would stop only after a delay.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            return super().create_call(order, send_before=send_before)

    return Freezing


if __name__ == "__main__":
    sys.exit(main())
