"""The `autolynx` command as people run it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from domain.values import CampaignState
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
    """Run a command to its end."""
    return run([AUTOLYNX, *arguments], env=environment(**settings), cwd=cwd)


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
