"""Tables in a terminal, the version, completion, and the choice of a line."""

import io
import os
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import pytest

from interfaces.cli.demo.sample import write_sample
from interfaces.cli.output import show_list
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.child_process import run
from tests.end_to_end.processes import AUTOLYNX
from tests.interfaces.cli.conftest import CommandLine

ID = UUID("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [20, 40, 80])
def test_ids_are_whole_in_a_terminal_of_any_width(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    row = {"id": ID, "name": "A campaign with a long name", "assistantId": ID}
    show_list([row], ("id", "name", "assistantId"), as_json=False)
    assert terminal.getvalue().count(str(ID)) == 2


def test_the_version_is_printed(autolynx: CommandLine) -> None:
    assert autolynx.done("--version").out == f"autolynx {version('autolynx')}\n"


def test_commands_are_completed() -> None:
    asked = {
        "_AUTOLYNX_COMPLETE": "complete_bash",
        "COMP_WORDS": "autolynx campaigns sh",
        "COMP_CWORD": "2",
    }
    ended = run([AUTOLYNX], env=os.environ | asked)
    assert ended.stdout.split() == ["show"], ended.stderr


@pytest.mark.usefixtures("simulator")
@pytest.mark.parametrize("line", [DEFAULT_PHONE_NUMBER_ID, "number"])
def test_a_line_is_named_by_its_id_or_its_number(
    autolynx: CommandLine, tmp_path: Path, line: str
) -> None:
    lines = autolynx.done("lines", "--json").json
    (known,) = [one for one in lines if one["id"] == DEFAULT_PHONE_NUMBER_ID]
    named = known["number"].removeprefix("+1") if line == "number" else line
    id_ = autolynx.done(*_create(tmp_path, named)).out.strip()
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert shown["phoneNumberId"] == DEFAULT_PHONE_NUMBER_ID


@pytest.mark.usefixtures("simulator")
def test_a_line_that_does_not_exist_is_refused_with_the_lines(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    refusal = autolynx.refusal(*_create(tmp_path, "+12025550199"), code=2)
    assert "--phone-number +12025550199: no line. Lines: +1" in refusal
    assert autolynx.done("campaigns", "list").lines == [
        "id\tname\tstate\tcontacts\tpending\tactive\tended\tcreatedAt"
    ]


def _create(folder: Path, line: str) -> tuple[str, ...]:
    file = folder / "people.csv"
    write_sample(file, 3)
    named = (
        "--name",
        "Spring",
        "--assistant",
        DEFAULT_ASSISTANT_ID,
        "--phone-number",
        line,
    )
    return ("campaigns", "create", "--csv", str(file), *named)
