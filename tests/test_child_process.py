"""Waits for processes end, and say what the process did meanwhile."""

import os
import signal
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.child_process import ended, first_line, join, run, started

DEAF = """
import signal, sys, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def wait_for_ever():
    print("ready", flush=True)
    print("its last words", file=sys.stderr, flush=True)
    threading.Event().wait()
wait_for_ever()
"""


def test_a_process_that_does_not_end_is_killed_and_its_stacks_are_shown(
    tmp_path: Path,
) -> None:
    log, printed = tmp_path / "log", tmp_path / "stdout"
    with printed.open("wb") as out:
        process = started([sys.executable, "-c", DEAF], log=log, stdout=out)
    assert first_line(process, printed, log) == "ready"
    process.terminate()
    with pytest.raises(AssertionError, match="its last words") as failure:
        ended(process, log, within=0.1)
    assert "wait_for_ever" in str(failure.value)
    assert process.returncode == -signal.SIGABRT


def test_a_process_that_ends_without_its_first_line_is_reported_with_its_log(
    tmp_path: Path,
) -> None:
    log, printed = tmp_path / "log", tmp_path / "stdout"
    code = "import sys; sys.exit('no such setting')"
    with printed.open("wb") as out:
        process = started([sys.executable, "-c", code], log=log, stdout=out)
    with pytest.raises(AssertionError, match="no such setting"):
        first_line(process, printed, log)
    assert ended(process) == 1


def test_a_command_is_over_although_another_process_holds_its_output() -> None:
    done = run(["/bin/sh", "-c", "sleep 600 & echo $!"])
    os.kill(int(done.stdout), signal.SIGKILL)  # Fails if it is over as well.
    assert done.returncode == 0


def test_a_thread_that_does_not_end_is_named() -> None:
    over = Event()
    thread = Thread(target=over.wait, name="the receiver", daemon=True)
    thread.start()
    with pytest.raises(AssertionError, match="the receiver"):
        join(thread, within=0.01)
    over.set()
    join(thread)
