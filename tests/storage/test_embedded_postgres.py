"""The embedded Postgres is shared by processes and survives their crashes."""

import fcntl
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import psycopg
import pytest

from storage.process import embedded_postgres as embedded
from storage.process import postgres_supervisor as supervisor
from storage.process.embedded_postgres import EmbeddedPostgresFailed, embedded_postgres
from storage.process.postgres_supervisor import Home
from tests.child_process import STOP_SECONDS
from tests.support import eventually as soon

ROOT = Path(__file__).parents[2]
FAST = {"fsync": "off", "synchronous_commit": "off"}
USER = """
import json, pathlib, sys
from storage.process.embedded_postgres import embedded_postgres
with embedded_postgres(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""
WITHOUT_NAMESPACES = """
import os, sys
from storage.process import postgres_supervisor as supervisor
def forbidden(flags):
    raise PermissionError
os.unshare = forbidden
supervisor.main(*sys.argv[1:])
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="finds processes below /proc"
)


class User:
    """Another process that uses the server until `leave` or `kill`."""

    def __init__(
        self, folder: Path, settings: dict[str, str] = FAST, *, uid: int | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder), json.dumps(settings)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=uid,
            group=uid and pwd.getpwuid(uid).pw_gid,
            extra_groups=None if uid is None else [],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.kill()

    def url(self) -> str:
        """Wait until the server runs; return its URL."""
        assert self._process.stdout
        url = self._process.stdout.readline().strip()
        assert url, "the server did not start"
        return url

    def leave(self) -> None:
        self._process.communicate(timeout=STOP_SECONDS)
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=STOP_SECONDS)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait up to 30 seconds: a start may include crash recovery."""
    soon(condition, within=30, what="the server")


def started_at(url: str) -> datetime:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    assert row
    at = row[0]
    assert isinstance(at, datetime)
    return at


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def stopped(folder: Path) -> bool:
    return not Home(folder).pid_file.exists()


def supervisors(folder: Path) -> set[int]:
    """Return the process id of this folder's supervisor while it holds its lock."""
    if not embedded._is_supervised(Home(folder)):
        return set()
    command = f"storage.process.postgres_supervisor\0{folder}\0".encode()
    return {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if command in _read(path)
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def kill_everything(folder: Path, user: User) -> None:
    server = Home(folder).server_pid()
    assert server
    for pid in (*supervisors(folder), server):
        os.kill(pid, signal.SIGKILL)
    user.kill()
    eventually(lambda: not supervisors(folder) and Home(folder).server_pid() is None)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if not stopped(folder):
        eventually(lambda: stopped(folder))


def test_processes_that_start_together_share_one_server(folder: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(User(folder)) for _ in range(4)]
        urls = [user.url() for user in users]
        assert len({started_at(url) for url in urls}) == 1
        for user in users[:-1]:
            user.leave()
        assert answers(urls[0])
        users[-1].leave()
        eventually(lambda: stopped(folder))


def test_a_server_starts_again_while_it_stops(folder: Path) -> None:
    for _ in range(6):
        with embedded_postgres(folder, FAST) as url:
            assert answers(url)


def test_the_server_stops_after_its_last_user_even_after_kill_9(folder: Path) -> None:
    with User(folder) as first, User(folder) as second:
        url = first.url()
        assert second.url() == url
        first.kill()
        assert answers(url)
        second.kill()
        eventually(lambda: stopped(folder))


@needs_proc
def test_data_survives_kill_9_of_everything(folder: Path) -> None:
    with User(folder, {}) as user:
        with psycopg.connect(user.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        kill_everything(folder, user)
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


@needs_proc
def test_a_server_starts_if_another_process_has_its_old_process_id(
    folder: Path,
) -> None:
    with User(folder) as user:
        user.url()
        kill_everything(folder, user)
    pid_file = Home(folder).pid_file
    dead, rest = pid_file.read_text().split("\n", 1)
    pid_file.write_text(f"{os.getpid()}\n{rest}")
    assert int(dead) != os.getpid()
    with embedded_postgres(folder, FAST) as url:
        assert answers(url)


@needs_proc
def test_a_server_that_outlived_its_supervisor_is_adopted(folder: Path) -> None:
    with User(folder) as user:
        before = started_at(user.url())
        (supervising,) = supervisors(folder)
        os.kill(supervising, signal.SIGKILL)
        user.kill()
    eventually(lambda: not supervisors(folder))
    with embedded_postgres(folder, FAST) as url:
        assert started_at(url) == before
    eventually(lambda: stopped(folder))


@needs_proc
def test_a_server_stops_after_its_last_user_even_if_its_supervisor_was_killed(
    folder: Path,
) -> None:
    with embedded_postgres(folder, FAST):
        (supervising,) = supervisors(folder)
        os.kill(supervising, signal.SIGKILL)
        eventually(lambda: not supervisors(folder))
    eventually(lambda: stopped(folder))


def test_a_killed_server_is_started_again_for_its_users(folder: Path) -> None:
    with embedded_postgres(folder, FAST) as url:
        killed = Home(folder).server_pid()
        assert killed
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: Home(folder).server_pid() not in {None, killed})
        eventually(lambda: answers(url))


@pytest.mark.parametrize("name", ["d" * 130, "a, 'b' \"c\" ü"])
def test_long_and_unusual_folder_names_work(tmp_path: Path, name: str) -> None:
    with embedded_postgres(tmp_path / name, FAST) as url:
        assert answers(url)
    eventually(lambda: stopped(tmp_path / name))


def test_all_files_belong_to_our_user_and_folders_stay_private(tmp_path: Path) -> None:
    parent = tmp_path / "private"
    parent.mkdir(mode=0o700)
    with embedded_postgres(parent / "data", FAST) as url:
        assert answers(url)
        found = [parent, *parent.rglob("*")]
        assert {path.lstat().st_uid for path in found} == {os.geteuid()}
        assert parent.stat().st_mode & 0o777 == 0o700
        assert (parent / "data").stat().st_mode & 0o777 == 0o700
    eventually(lambda: stopped(parent / "data"))


def test_the_error_of_a_failed_start_contains_the_log(folder: Path) -> None:
    with (
        pytest.raises(EmbeddedPostgresFailed, match="shared_buffers"),
        embedded_postgres(folder, {"shared_buffers": "plenty"}),
    ):
        pass


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 130)
    sockets = Home(folder).sockets
    sockets.symlink_to(tmp_path)
    try:
        with (
            pytest.raises(EmbeddedPostgresFailed, match="another user"),
            embedded_postgres(folder, FAST),
        ):
            pass
    finally:
        sockets.unlink()


@contextmanager
def reachable_folder(uid: int) -> Iterator[Path]:
    """Yield a folder of that user, outside of pytest's private folder."""
    top = Path(tempfile.mkdtemp())
    os.chown(top, uid, -1)
    yield top
    eventually(lambda: stopped(top / "data"))
    shutil.rmtree(top)


@needs_root
def test_servers_of_two_users_do_not_conflict() -> None:
    uids = [pwd.getpwnam(name).pw_uid for name in ("daemon", "nobody")]
    for uid in uids:
        _skip_unless_python_runs_as(uid)
    with ExitStack() as stack:
        users = []
        for uid in uids:
            folder = stack.enter_context(reachable_folder(uid)) / "data"
            users.append(stack.enter_context(User(folder, uid=uid)))
        assert len({started_at(user.url()) for user in users}) == len(uids)


def _skip_unless_python_runs_as(uid: int) -> None:
    command = [sys.executable, "-c", "import storage.process.embedded_postgres"]
    try:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(
            command, check=True, user=uid, capture_output=True, env=environment
        )
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("other users have no access to this Python or checkout")


@contextmanager
def supervisor_without_namespaces(folder: Path) -> Iterator[None]:
    """Run a supervisor as on a machine that forbids user namespaces."""
    home = Home(folder)
    embedded._make_folders(home)
    binaries = embedded.binaries_for(home)
    with home.users_lock.open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        arguments = [str(folder), str(binaries), json.dumps(FAST)]
        with home.log.open("a") as log:
            subprocess.run(
                [sys.executable, "-c", WITHOUT_NAMESPACES, *arguments],
                check=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        yield


@needs_root
def test_root_becomes_nobody_if_namespaces_are_forbidden() -> None:
    nobody = pwd.getpwnam("nobody")
    with reachable_folder(0) as top:
        top.chmod(0o755)
        server = embedded.binaries_for(Home(top / "data")) / "postgres"
        if not supervisor._works(lambda: supervisor._switch_to(nobody), [server]):
            pytest.skip("other users have no access to this checkout")
        with supervisor_without_namespaces(top / "data"):
            with embedded_postgres(top / "data", FAST) as url:
                assert answers(url)
            assert Home(top / "data").pgdata.stat().st_uid == nobody.pw_uid
            assert top.stat().st_uid == 0


@needs_root
def test_the_error_says_what_to_do_if_root_cannot_change_user(folder: Path) -> None:
    folder.parent.chmod(0o700)
    with supervisor_without_namespaces(folder):
        eventually(lambda: "AUTOLYNX_DATA_DIR" in Home(folder).log.read_text())
    assert not Home(folder).pgdata.exists()
