"""Keeps the roles of one machine running as child processes, and ends them in order."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a role that died is started again; doubled each time."""

STEADY_SECONDS = 60.0
"""A role that lived this long is started again as if it had never died."""

LOOK_SECONDS = 0.1
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Role:
    """A module that runs as a process; `stop_seconds` it has to end by itself."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    stop_seconds: float = 5.0


API = Role("api", "interfaces.asgi")
PROJECTOR = Role("projector", "projections")
# It awaits the answers of the requests under way, and stores them.
SCHEDULER = Role("scheduler", "scheduler", stop_seconds=10.0)
ALL = (API, PROJECTOR, SCHEDULER)


class Child:
    """One role's process, started again when it dies."""

    def __init__(
        self, role: Role, start: Callable[[Role], subprocess.Popen[bytes]]
    ) -> None:
        self.role, self._start = role, start
        self._pause, self._due = FIRST_PAUSE, 0.0
        self._begin()

    def _begin(self) -> None:
        self._process: subprocess.Popen[bytes] | None = self._start(self.role)
        self._began = monotonic()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def tend(self) -> str | None:
        """Start it again when it is time; say so when it has just died."""
        if self._process is None:
            if monotonic() >= self._due:
                self._begin()
            return None
        code = self._process.poll()
        return None if code is None else self._mourn(code)

    def _mourn(self, code: int) -> str:
        self._process = None
        if monotonic() - self._began > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self._due = monotonic() + pause
        return f"{self.role.name} {how_it_ended(code)}; started again in {pause:g} s"

    def ask_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic), then end it hard."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline - monotonic(), 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Supervisor:
    """The first roles are started first and stopped last.

    Call its methods from the main thread: Linux takes the end of the thread that
    started a child for the end of the parent.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        environment: Mapping[str, str],
        *,
        say: Callable[[str], None],
        output: IO[bytes] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._roles, self._environment = roles, environment
        self._say, self._output, self._folder = say, output, folder
        self._children: list[Child] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the roles in this context."""
        self._held, self._never_written = os.pipe()
        try:
            for role in self._roles:
                self._children.append(Child(role, self._start))
            yield
        finally:
            self.stop()
            os.close(self._held)
            os.close(self._never_written)

    def tend(self) -> None:
        """Start again what died, after a pause; to be called several times a second."""
        for child in self._children:
            news = child.tend()
            if news is not None:
                self._say(news)

    def stop(self) -> None:
        """End all: the scheduler before the others, for it still writes."""
        while self._children:
            child = self._children.pop()
            child.ask_to_end()
            if child.role.name != SCHEDULER.name:
                for other in self._children:
                    other.ask_to_end()
            child.end(monotonic() + child.role.stop_seconds)

    def _start(self, role: Role) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own module
            child_command(self._held, role),
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=(self._held,),
        )


def child_command(pipe: int, role: Role) -> list[str]:
    # -P: modules are ours, whatever lies in the folder that we were called from.
    runner = [sys.executable, "-P", "-m", "interfaces.cli.child"]
    return [*runner, str(pipe), role.module, *role.arguments]


def module_command(module: str, arguments: Sequence[str] = ()) -> list[str]:
    return [sys.executable, "-P", "-m", module, *arguments]


def how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@contextmanager
def told_to_stop() -> Iterator[Event]:
    """Yield an event that a signal to stop sets; a second one stops at once."""
    told = Event()

    def tell(*_: object) -> None:
        if told.is_set():
            raise KeyboardInterrupt
        told.set()

    before = {number: signal.signal(number, tell) for number in SIGNALS}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
