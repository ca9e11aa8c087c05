"""`python -m tests.faults.faulty_scheduler`: a scheduler with a clock chosen by a test.

Its host's clock can be wrong. It can be frozen (SIGSTOP) just before it sends a request
that it is permitted to send, and it can be killed (SIGKILL) at a step: before or after
its first append of an event with a topic, or its first `POST /call`.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import scheduler.__main__ as program
from application.app import AutoLynx
from application.configuration import Configuration
from application.ports import CallOrder, Outcome
from provider.vapi.client import VapiProvider
from storage.process.database_clock import DatabaseClock
from tests.faults.adjustable_clock import AdjustableClock
from tests.faults.crash_points import topics_of


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
    parser.add_argument("--die-before", help="a topic, or POST /call")
    parser.add_argument("--die-after", help="a topic, or POST /call")
    arguments = parser.parse_args()
    if arguments.freeze_before is not None:
        program.VapiProvider = _freezing(arguments.freeze_before)  # type: ignore[attr-defined]  # replaced for the test
    for step, done in ((arguments.die_before, False), (arguments.die_after, True)):
        if step is not None:
            program.VapiProvider = _dying(step, done=done)  # type: ignore[attr-defined]  # replaced for the test
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


def _dying(step: str, *, done: bool) -> type[VapiProvider]:
    """Kill this process at a step; return the provider whose request is that step."""

    def reach(name: str, *, is_done: bool) -> None:
        if (name, is_done) == (step, done):
            os.kill(os.getpid(), signal.SIGKILL)

    append = AutoLynx.append

    def dying_append(app: AutoLynx, *changed: Any, **how: Any) -> int | None:
        topics = topics_of(changed)
        for name in topics:
            reach(name, is_done=False)
        position = append(app, *changed, **how)
        for name in topics:
            reach(name, is_done=True)
        return position

    AutoLynx.append = dying_append  # type: ignore[method-assign,assignment]  # replaced for the test

    class Dying(VapiProvider):
        def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
            reach("POST /call", is_done=False)
            outcome = super().create_call(order, send_before=send_before)
            reach("POST /call", is_done=True)
            return outcome

    return Dying


if __name__ == "__main__":
    sys.exit(main())
