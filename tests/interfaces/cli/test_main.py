import os
import socket
import sys
from pathlib import Path

import pytest
import typer

from interfaces.cli import main, roles
from interfaces.cli.main import MODULES, build
from tests.child_process import run
from tests.end_to_end.processes import HOST
from tests.interfaces.cli.conftest import CommandLine

GROUPS = {
    (): ("demo", "up", "api", "projector", "scheduler", "simulator", "migrate"),
    ("campaigns",): ("create", "list", "show", "start", "pause", "resume", "export"),
    ("assistants",): ("list", "import"),
    ("members",): ("add", "list", "remove"),
    ("tokens",): ("create", "list", "revoke"),
}


@pytest.mark.parametrize("group", GROUPS)
def test_help_names_every_command(autolynx: CommandLine, group: tuple[str]) -> None:
    output = autolynx.done(*group, "--help").out
    for command in GROUPS[group]:
        assert f"\n  {command} " in output


@pytest.mark.parametrize("module", MODULES)
def test_a_command_loads_its_own_module_only(module: str) -> None:
    for command in MODULES[module]:
        made = typer.main.get_group(build(command))
        assert set(made.commands) == set(MODULES[module])


def test_every_module_of_commands_is_in_the_table() -> None:
    folder = Path(main.__file__).parent
    found = {
        ".".join(file.relative_to(folder).with_suffix("").parts)
        for file in folder.rglob("*.py")
        if "def add_to(" in file.read_text("utf-8")
    }
    assert found - {"demo.command"} | {"demo"} == set(MODULES)


def test_an_unreachable_database_is_reported_in_one_line(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/x"
    monkeypatch.setenv("AUTOLYNX_DATABASE_URL", nowhere)
    assert "AUTOLYNX_DATABASE_URL" in autolynx.refusal("members", "list")


def test_connections_that_a_pool_discards_are_not_reported_on_stderr(
    database: str,
) -> None:
    """The command reports the error itself; only a new process has no log handler."""
    command = """if True:
        from application.configuration import Configuration
        from interfaces.cli.workbench import workbench
        with workbench(Configuration()) as bench, bench.writing.connection() as conn:
            conn.close()
    """
    ended = run(
        [sys.executable, "-c", command],
        env=os.environ | {"AUTOLYNX_DATABASE_URL": database},
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_invalid_environment_variable_is_named(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_PORT", "many")
    line = autolynx.refusal("members", "list", code=2)
    assert line.startswith("AUTOLYNX_PORT: ")


def test_a_used_port_is_reported_in_one_line(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "PORT_SECONDS", 0.2)
    monkeypatch.setenv("AUTOLYNX_VAPI_API_KEY", "key")
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("AUTOLYNX_PORT", str(port))
        refusal = autolynx.refusal("up")
    assert f"port {port} of {HOST} is in use" in refusal
