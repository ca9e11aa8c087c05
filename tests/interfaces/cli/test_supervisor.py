"""The supervisor with real child processes, which record their start and end."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from interfaces.cli.supervisor import (
    SCHEDULER,
    Role,
    Supervisor,
    describe_exit,
    stop_signals,
)
from tests.child_process import child, kill
from tests.support import eventually

ROOT = Path(__file__).parents[3]

# Records its start, waits for SIGTERM and records its end.
OBEDIENT = """
import os, signal, sys, threading
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
def note(what):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{sys.argv[1]} {what} {os.getpid()}\\n")
note("began")
told.wait()
note("ended")
"""
DEAF = OBEDIENT.replace("lambda *_: told.set()", "signal.SIG_IGN")
SUPERVISE = """
import os, signal
from interfaces.cli.supervisor import Role, Supervisor
roles = [Role(name, os.environ["MODULE"], (name,)) for name in ("one", "two")]
with Supervisor(roles, os.environ, log=print).running():
    signal.pause()
"""


class ChildModules:
    """A folder of modules, and the file in which they record their start and end."""

    def __init__(self, folder: Path) -> None:
        self.notes, self.log = folder / "notes", list[str]()
        (folder / "obedient_role.py").write_text(OBEDIENT)
        (folder / "deaf_role.py").write_text(DEAF)
        self.environment = os.environ | {
            "NOTES": str(self.notes),
            "PYTHONPATH": f"{folder}:{ROOT}",
        }

    def supervisor(self, *roles: Role) -> Supervisor:
        return Supervisor(roles, self.environment, log=self.log.append)

    def lines(self, what: str) -> list[str]:
        text = self.notes.read_text() if self.notes.exists() else ""
        return [line for line in text.splitlines() if f" {what} " in line]

    def pids(self) -> list[int]:
        return [int(line.split()[-1]) for line in self.lines("began")]

    def wait_for(self, what: str, times: int) -> None:
        eventually(lambda: len(self.lines(what)) >= times, what=f"{times} x {what}")


@pytest.fixture
def modules(tmp_path: Path) -> ChildModules:
    return ChildModules(tmp_path)


def obedient(name: str) -> Role:
    return Role(name, "obedient_role", (name,))


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def gone(*pids: int) -> Callable[[], bool]:
    return lambda: not any(is_alive(pid) for pid in pids)


def test_a_dead_child_is_restarted_after_a_pause_and_logged(
    modules: ChildModules,
) -> None:
    supervisor = modules.supervisor(obedient("one"), obedient("two"))
    with supervisor.running():
        modules.wait_for("began", 2)
        victim = modules.pids()[0]
        os.kill(victim, signal.SIGKILL)

        def both_run() -> bool:
            supervisor.check()
            return len(modules.lines("began")) == 3

        eventually(both_run, what="a new child")
    assert len(modules.log) == 1
    assert "was killed by SIGKILL; started again in 0.5 s" in modules.log[0]


def test_pauses_double_while_a_child_keeps_dying(modules: ChildModules) -> None:
    supervisor = modules.supervisor(Role("api", "no_such_module_of_ours"))
    with supervisor.running():

        def twice() -> bool:
            supervisor.check()
            return len(modules.log) == 2

        eventually(twice, what="two deaths")
    assert [line.split()[-2] for line in modules.log] == ["0.5", "1"]
    assert "api ended with exit code 1" in modules.log[0]


def test_the_scheduler_is_stopped_before_the_others(modules: ChildModules) -> None:
    scheduler = replace(SCHEDULER, module="obedient_role", arguments=("scheduler",))
    with modules.supervisor(
        obedient("api"), obedient("projector"), scheduler
    ).running():
        modules.wait_for("began", 3)
    ended = [line.split()[0] for line in modules.lines("ended")]
    assert (ended[0], len(ended)) == ("scheduler", 3)


def test_a_child_that_ignores_sigterm_is_killed(modules: ChildModules) -> None:
    deaf = Role("deaf", "deaf_role", ("deaf",), stop_seconds=0.2)
    with modules.supervisor(deaf).running():
        modules.wait_for("began", 1)
    assert not is_alive(modules.pids()[0])
    assert modules.lines("ended") == []


@pytest.mark.parametrize("module", ["obedient_role", "deaf_role"])
def test_children_end_with_a_supervisor_that_is_killed(
    modules: ChildModules, module: str
) -> None:
    environment = modules.environment | {"MODULE": module}
    log = modules.notes.with_suffix(".log")
    with child([sys.executable, "-c", SUPERVISE], log=log, env=environment) as up:
        modules.wait_for("began", 2)
        assert {os.getpgid(pid) for pid in modules.pids()} == {os.getpgid(up.pid)}
        kill(up)
    eventually(gone(*modules.pids()), what="the children's end")


def test_the_first_signal_is_noted_and_the_second_interrupts() -> None:
    with stop_signals() as result:
        signal.raise_signal(signal.SIGTERM)
        assert result.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_exit_codes_are_described() -> None:
    assert describe_exit(3) == "ended with exit code 3"
    assert describe_exit(-9) == "was killed by SIGKILL"


@pytest.mark.parametrize(
    "module", ["interfaces.asgi", "projections.__main__", "scheduler.__main__"]
)
def test_each_role_enables_the_garbage_collector_after_loading(
    module: str, shared_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor starts each role with the collector disabled."""
    role, called = import_module(module), list[str]()
    monkeypatch.setenv("AUTOLYNX_DATABASE_URL", shared_database)
    monkeypatch.setattr(f"{module}.configure_logs", lambda *_: None)
    steps = ("enable_after_loading", "collect_in_background")
    for step in steps:
        monkeypatch.setattr(f"{module}.{step}", partial(called.append, step))
    monkeypatch.setattr("interfaces.asgi.Server.run", lambda _: None)
    for leads in ("projections.__main__._run", "scheduler.__main__._serve"):
        monkeypatch.setattr(leads, lambda _: 0)
    assert role.main() == 0
    assert called == list(steps)
