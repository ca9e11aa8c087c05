"""Runs the roles of one machine as child processes, and stops them in order."""

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
"""Seconds until a role that died is restarted; doubled after each failure."""

STEADY_SECONDS = 60.0
"""A role that ran for this long is restarted with the first pause again."""

POLL_SECONDS = 0.1
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Role:
    """A module that runs as a process; it has `stop_seconds` to stop by itself."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    stop_seconds: float = 5.0


API = Role("api", "interfaces.asgi")
PROJECTOR = Role("projector", "projections")
# It waits for the answers of requests in progress, and stores them.
SCHEDULER = Role("scheduler", "scheduler", stop_seconds=10.0)
ALL = (API, PROJECTOR, SCHEDULER)


class Child:
    """The process of one role, restarted when it dies."""

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
        """Process id, None while the process is not running."""
        return self._process.pid if self._process else None

    def check(self) -> str | None:
        """Restart the process when it is due; return a message if it just died."""
        if self._process is None:
            if monotonic() >= self._due:
                self._begin()
            return None
        code = self._process.poll()
        return None if code is None else self._schedule_restart(code)

    def _schedule_restart(self, code: int) -> str:
        self._process = None
        if monotonic() - self._began > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self._due = monotonic() + pause
        return f"{self.role.name} {describe_exit(code)}; started again in {pause:g} s"

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        if self._process is not None:
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic time), then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline - monotonic(), 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Supervisor:
    """Runs roles; the first is started first and stopped last.

    Call its methods from the main thread: for PR_SET_PDEATHSIG, Linux treats the end of
    the thread that started a child as the end of the parent.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        environment: Mapping[str, str],
        *,
        log: Callable[[str], None],
        output: IO[bytes] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._roles, self._environment = roles, environment
        self._log, self._output, self._folder = log, output, folder
        self._children: list[Child] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the roles during the block."""
        self._read_end, self._write_end = os.pipe()
        try:
            for role in self._roles:
                self._children.append(Child(role, self._start))
            yield
        finally:
            self.stop()
            os.close(self._read_end)
            os.close(self._write_end)

    def check(self) -> None:
        """Restart dead processes after a pause; call this several times a second."""
        for child in self._children:
            message = child.check()
            if message is not None:
                self._log(message)

    def stop(self) -> None:
        """Stop all: the scheduler before the others, because it still writes."""
        while self._children:
            child = self._children.pop()
            child.ask_to_end()
            if child.role.name != SCHEDULER.name:
                for other in self._children:
                    other.ask_to_end()
            child.end(monotonic() + child.role.stop_seconds)

    def _start(self, role: Role) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own module
            child_command(self._read_end, role),
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=(self._read_end,),
        )


def child_command(pipe: int, role: Role) -> list[str]:
    """Return the command that runs a role until the pipe `pipe` is closed."""
    # -P: import our modules, not files of the current folder.
    runner = [sys.executable, "-P", "-m", "interfaces.cli.child"]
    return [*runner, str(pipe), role.module, *role.arguments]


def module_command(module: str, arguments: Sequence[str] = ()) -> list[str]:
    """Return the command that runs a module of ours in a process of its own."""
    return [sys.executable, "-P", "-m", module, *arguments]


def describe_exit(code: int) -> str:
    """Describe an exit code of `Popen.returncode`: negative for a signal."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@contextmanager
def stop_signals() -> Iterator[Event]:
    """Yield an event that a stop signal sets; a second signal interrupts at once."""
    stop = Event()

    def on_signal(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
