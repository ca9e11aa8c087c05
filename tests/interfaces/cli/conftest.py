"""The command line in this process, on a database of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.main import build, exit_code_of
from tests.simulator import Simulator, running_simulator


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class CommandLine:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        app = build(arguments[0])
        given = {"prog_name": "autolynx", "standalone_mode": False}
        code = exit_code_of(lambda: app(list(arguments), **given))
        captured = self._capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def done(self, *arguments: str) -> Ended:
        """Run a command that must succeed."""
        ended = self(*arguments)
        assert ended.code == 0, ended.err
        return ended

    def refusal(self, *arguments: str, code: int = 1) -> str:
        """Run a command that must fail; return its only line on stderr."""
        ended = self(*arguments)
        assert (ended.code, ended.out) == (code, "")
        (line,) = ended.err.splitlines()
        return line.removeprefix("autolynx: ")


@pytest.fixture
def autolynx(
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOLYNX_DATABASE_URL", database)
    return CommandLine(capsys)


@pytest.fixture(scope="module")
def one_simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(one_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    monkeypatch.setenv("AUTOLYNX_VAPI_BASE_URL", one_simulator.url)
    monkeypatch.setenv("AUTOLYNX_VAPI_API_KEY", one_simulator.api_key)
    return one_simulator
