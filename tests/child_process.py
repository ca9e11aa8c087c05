"""Processes that tests start: each wait for one of them has a limit.

`subprocess` waits without a limit at the end of `with Popen(...)`. So does
`run(timeout=...)` after it killed the process, if another process holds its pipes.
Here the output goes to files. A test that waits in vain fails with this output, and
with the stacks of all threads of Python processes.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Any

from tests.support import eventually

START_SECONDS = 180.0
"""Longest time until a process is ready, on a machine that is busy."""

STOP_SECONDS = 60.0
DUMP_SECONDS = 5.0
SHOWN_CHARACTERS = 20_000

STACKS_ON_ABORT = {"PYTHONFAULTHANDLER": "1"}
"""With this variable, a Python process prints the stacks of its threads on SIGABRT."""


@contextmanager
def child(
    command: Sequence[str],
    *,
    log: Path,
    stdout: IO[bytes] | None = None,
    env: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in this context, and stop it by SIGTERM at the end.

    Its output is appended to `log`, except standard output if `stdout` is given. The
    log is shown if the block fails. Raises AssertionError if the process does not
    stop within STOP_SECONDS.
    """
    process = started(command, log=log, stdout=stdout, env=env, cwd=cwd)
    try:
        yield process
    except BaseException:
        sys.stderr.write(tail(log))
        raise
    finally:
        process.terminate()
        ended(process, log)


def started(
    command: Sequence[str],
    *,
    log: Path,
    stdout: IO[bytes] | None = None,
    env: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process as `child` does; the caller ends it."""
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout or file,
            stderr=file,
            env={**env, **STACKS_ON_ABORT},
            cwd=cwd,
        )


def run(
    command: Sequence[str],
    *,
    within: float = START_SECONDS,
    env: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; raise AssertionError after `within` seconds."""
    with TemporaryDirectory() as folder:
        printed, errors = Path(folder) / "stdout", Path(folder) / "stderr"
        with printed.open("wb") as out:
            process = started(command, log=errors, stdout=out, env=env, cwd=cwd)
        try:
            code = ended(process, errors, within)
        finally:
            kill(process)
        return subprocess.CompletedProcess(
            command, code, printed.read_text("utf-8"), errors.read_text("utf-8")
        )


def first_line(
    process: subprocess.Popen[Any], printed: Path, log: Path | None = None
) -> str:
    """Wait until the process has printed a line to this file; return the line.

    Raises AssertionError with the content of `log` if the process ends before, or
    prints nothing within START_SECONDS.
    """

    def is_over() -> bool:
        return b"\n" in printed.read_bytes() or process.poll() is not None

    try:
        eventually(is_over, START_SECONDS, what=f"the first line of {process.args!r}")
        line, end, _ = printed.read_text("utf-8").partition("\n")
        assert end, f"{process.args!r} ended with {process.returncode}"
    except AssertionError as error:
        dump_stacks(process)
        raise AssertionError(f"{error}\n{tail(log)}") from None
    return line


def ended(
    process: subprocess.Popen[Any],
    log: Path | None = None,
    within: float = STOP_SECONDS,
) -> int:
    """Wait for the end of a process and return its exit code.

    After `within` seconds the process is killed. Raises AssertionError with the
    content of `log` then.
    """
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        dump_stacks(process)
        kill(process)
        message = f"{process.args!r} did not end within {within:g} s.\n{tail(log)}"
        raise AssertionError(message) from None


def kill(process: subprocess.Popen[Any]) -> None:
    """End a process by SIGKILL; its end is not waited for longer than STOP_SECONDS."""
    process.kill()
    process.wait(STOP_SECONDS)


def dump_stacks(process: subprocess.Popen[Any]) -> None:
    """Abort a process and its children, so that they print their stacks."""
    if process.poll() is not None:
        return
    for pid in (*children_of(process.pid), process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGABRT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(DUMP_SECONDS)


def children_of(pid: int) -> list[int]:
    """Return the ids of its child processes; none once it is over."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for child in path.read_text().split()]
    return []


def tail(log: Path | None) -> str:
    """Return the end of a log under its name."""
    if log is None or not log.exists():
        return ""
    return f"{log}:\n{log.read_text('utf-8', 'replace')[-SHOWN_CHARACTERS:]}\n"


def join(thread: Thread, within: float = STOP_SECONDS) -> None:
    """Wait for the end of a thread; raise AssertionError after `within` seconds."""
    thread.join(within)
    assert not thread.is_alive(), f"{thread.name} did not end within {within:g} s"


def is_stopped(pid: int) -> bool:
    """Return whether a child process of this one has just been stopped by SIGSTOP.

    A second call for the same stop returns False. Raises AssertionError if the process
    has ended instead.
    """
    found, status = os.waitpid(pid, os.WUNTRACED | os.WNOHANG)
    assert not found or os.WIFSTOPPED(status), f"process {pid} ended: {status}"
    return bool(found)
