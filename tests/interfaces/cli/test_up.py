import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests import http_requests as asking
from tests.child_process import ended, kill
from tests.end_to_end.processes import autolynx, command_line, running_up
from tests.support import eventually

MODULES = {"interfaces.asgi", "projections", "scheduler"}


def gone(*pids: int) -> Callable[[], bool]:
    return lambda: not any(command_line(pid) for pid in pids)


def test_up_restarts_a_role_and_another_up_can_start_once_the_first_is_killed(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with running_up(tmp_path, DATA_DIR=data) as up:
        port = int(up.url.rpartition(":")[2])
        assert {line.split()[-1] for line in up.children().values()} == MODULES
        projector = up.child("projections")
        os.kill(projector, signal.SIGKILL)
        message = "projector was killed by SIGKILL; started again in 0.5 s"
        eventually(lambda: message in up.errors.read_text(), what="a message about it")
        eventually(lambda: _runs_another(up.children(), projector), what="another")
        orphans = up.children()
        kill(up.process)
        with running_up(tmp_path, DATA_DIR=data, PORT=port) as another:
            assert asking.get(f"{another.url}/healthz").is_success
            eventually(gone(*orphans), what="the orphans' end")
            children = another.children()
            another.process.send_signal(signal.SIGTERM)
            assert ended(another.process, another.errors) == 0
        assert gone(*children)()
    assert "AUTOLYNX_VAPI_API_KEY is not set" in up.errors.read_text()


def _runs_another(children: dict[int, str], than: int) -> bool:
    return any(
        line.endswith("projections") and pid != than for pid, line in children.items()
    )


def test_migrate_lists_the_applied_migrations(
    empty_database: str, tmp_path: Path
) -> None:
    migrated = autolynx("migrate", cwd=tmp_path, DATABASE_URL=empty_database)
    assert "0001_event_store" in migrated.stdout
    again = autolynx("migrate", cwd=tmp_path, DATABASE_URL=empty_database)
    assert again.stdout == "The tables are up to date.\n"
    with psycopg.connect(empty_database) as connection:
        count = connection.execute("select count(*) from read.campaign_board")
        assert count.fetchone() == (0,)
