"""The `autolynx` command, as a process of its own or within the test's process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import (
    chdir,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg

from application.configuration import Configuration
from domain.values import CampaignState, Role
from interfaces.cli.main import build, exit_code_of
from interfaces.cli.workbench import workbench
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.child_process import child, children_of, first_line, run
from tests.ports import free_port
from tests.simulator import Simulator

AUTOLYNX = str(Path(sys.executable).parent / "autolynx")
HOST = "127.0.0.1"
SECRET = "a-webhook-secret"

UNRESTRICTED = {"SETTINGS_CALLING_RULES": "OFF", "SETTINGS_FREQUENCY_CAPS": ""}
"""Without calling rules and frequency caps, tests run at any time of day."""


def environment(**settings: Any) -> dict[str, str]:
    """Return the environment of a process, without the AUTOLYNX_* of this machine."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AUTOLYNX_")}
    chosen = UNRESTRICTED | settings
    ours = {f"AUTOLYNX_{name}": str(value) for name, value in chosen.items()}
    return inherited | ours | {"NO_PROXY": HOST}


def beside(simulator: Simulator) -> dict[str, Any]:
    """Settings that point at a simulator."""
    return {
        "VAPI_BASE_URL": simulator.url,
        "VAPI_API_KEY": simulator.api_key,
        "WEBHOOK_SECRET": SECRET,
    }


def autolynx(
    *arguments: str, cwd: Path, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a process of its own."""
    return run([AUTOLYNX, *arguments], env=environment(**settings), cwd=cwd)


def command(*words: str, cwd: Path, **settings: Any) -> str:
    """Run a command that must succeed in this process; return its output.

    A new process would take much longer, because it has to import everything.
    """
    printed, errors = StringIO(), StringIO()
    app = build(words[0])
    with (
        patch.dict(os.environ, environment(**settings), clear=True),
        chdir(cwd),
        redirect_stdout(printed),
        redirect_stderr(errors),
    ):
        code = exit_code_of(
            lambda: app([*words], prog_name="autolynx", standalone_mode=False)
        )
    assert code == 0, errors.getvalue()
    return printed.getvalue().strip()


def start_campaign(file: Path, cap: int, **settings: Any) -> UUID:
    """Create and start a campaign with the contacts of a file; return its id."""
    options = {
        "--csv": str(file),
        "--name": "Spring",
        "--assistant": DEFAULT_ASSISTANT_ID,
        "--phone-number": DEFAULT_PHONE_NUMBER_ID,
        "--cap": str(cap),
    }
    given = [part for option in options.items() for part in option]
    create = ("campaigns", "create", *given, "--start")
    return UUID(command(*create, cwd=file.parent, **settings).split()[0])


def token_of_an_admin(database_url: str) -> str:
    """Add an admin and return an API token, in this process: a command takes longer."""
    email = "admin@autolynx.example"
    with workbench(Configuration(database_url=database_url)) as bench:
        bench.members.add(email, Role.ADMIN, by="cli:test")
        return bench.access.create_token(email, days=None, by="cli:test").secret


def state_of(url: str, campaign_id: str | UUID) -> CampaignState | None:
    """Read a campaign's state from the read tables; None if they are being replaced.

    To start a command for each look would keep the machine busy.
    """
    query = "select state from read.campaign_board where id = %s"
    with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=10) as conn:
        row = conn.execute(query, (campaign_id,)).fetchone()
        return CampaignState(row[0]) if row else None
    return None


class Up:
    """A running `autolynx up`; standard error goes to a file."""

    def __init__(
        self, process: subprocess.Popen[bytes], url: str, errors: Path
    ) -> None:
        self.process, self.url, self.errors = process, url, errors

    def children(self) -> dict[int, str]:
        """Return the modules of its child processes, by process id."""
        pids = children_of(self.process.pid)
        return {pid: line for pid in pids if (line := command_line(pid))}

    def child(self, module: str) -> int:
        (found,) = [p for p, line in self.children().items() if f" {module}" in line]
        return found


def command_line(pid: int) -> str:
    """Return the command of a process, empty once it is over."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def running_up(cwd: Path, command: str = "up", **settings: Any) -> Iterator[Up]:
    """Run `autolynx up` (or `api`) in this context; it listens when it is yielded.

    Raises AssertionError with its standard error if it does not listen or does not end
    in time.
    """
    port = settings.setdefault("PORT", free_port(HOST))
    errors, printed = cwd / "up.log", cwd / f"up.{port}.out"
    with (
        printed.open("wb") as out,
        child(
            [AUTOLYNX, command],
            log=errors,
            env=environment(**settings),
            cwd=cwd,
            stdout=out,
        ) as process,
    ):
        line = first_line(process, printed, errors)
        assert f":{port}" in line, errors.read_text()
        yield Up(process, f"http://{HOST}:{port}", errors)
