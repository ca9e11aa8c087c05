"""A Postgres and its synchronous standby, which tests kill and promote.

Run as `python -m tests.end_to_end.replication FOLDER BINARIES PROGRAM ARGUMENT...` it
becomes one of Postgres' programs, which refuse root as the supervisor's does.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from storage.process.postgres_supervisor import Home, drop_privileges, make_private
from tests import child_process
from tests.ports import free_port
from tests.support import eventually

HOST, USER, NAME = "127.0.0.1", "autolynx", "postgres"
ROOT = Path(__file__).parents[2]
QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    # Shared memory in the server's own folder: a killed server does not remove it.
    "dynamic_shared_memory_type=mmap",
    "wal_retrieve_retry_interval=100ms",
)
"""No fsync: the tests kill processes, but the machine never loses its power."""


@dataclass(frozen=True)
class Server:
    """One server with its files; it listens on a port of this machine."""

    home: Home
    binaries: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@{HOST}:{self.port}/{NAME}"

    @contextmanager
    def running(self, *settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run it in this context, with settings as `name=value`."""
        given = (*QUICK, f"listen_addresses={HOST}", "unix_socket_directories=")
        options = [part for one in (*given, *settings) for part in ("-c", one)]
        command = self._command("postgres", "-D", self.data, "-p", self.port, *options)
        process = child_process.started(command, log=self.home.log, cwd=ROOT)
        try:
            eventually(self.answers, within=120, what="a server that answers")
            yield process
        except BaseException:
            sys.stderr.write(child_process.tail(self.home.log))
            raise
        finally:
            kill(process)

    @property
    def data(self) -> Path:
        return self.home.pgdata

    def make(self) -> None:
        """Make an empty database."""
        options = ("-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C")
        self._run("initdb", "-D", self.data, *options, "--no-sync")

    def copy(self, other: "Server") -> None:
        """Copy another server that runs, to follow it as a standby."""
        options = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        self._run("pg_basebackup", "-d", other.url, "-D", self.data, *options)

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return bool(self.value("select true"))
        return False

    def value(self, query: str) -> object:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as conn:
            row = conn.execute(query.encode()).fetchone()
        return row[0] if row else None

    def _run(self, program: str, *arguments: object) -> None:
        command = self._command(program, *arguments)
        done = child_process.run(command, cwd=ROOT)
        assert done.returncode == 0, done.stderr

    def _command(self, program: str, *arguments: object) -> list[str]:
        given = (self.home.folder, self.binaries, program, *arguments)
        return [sys.executable, "-m", "tests.end_to_end.replication", *map(str, given)]


@dataclass(frozen=True)
class Pair:
    """A primary that acknowledges a commit only after its standby has stored it."""

    primary: Server
    standby: Server
    _process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The URL for AutoLynx: both servers, with target_session_attrs=read-write."""
        hosts = f"{HOST}:{self.primary.port},{HOST}:{self.standby.port}"
        return f"postgresql://{USER}@{hosts}/{NAME}?target_session_attrs=read-write"

    def lose_primary(self) -> None:
        """End it with all its processes, at once and for good."""
        kill(self._process)

    def promote(self) -> None:
        assert self.standby.value("select pg_promote(true, 30)") is True


@contextmanager
def replicated(folder: Path, binaries: Path) -> Iterator[Pair]:
    """Run a pair in this context."""
    primary, standby = (
        Server(_home(folder / name), binaries, free_port(HOST))
        for name in ("primary", "standby")
    )
    primary.make()
    waits = ("synchronous_commit=on", "synchronous_standby_names=*")
    with primary.running(*waits) as process:
        standby.copy(primary)
        # Not the settings of pg_basebackup: an older libpq may not know all of them.
        with standby.running(f"primary_conninfo={primary.url}"):
            synchronous = "select sync_state = 'sync' from pg_stat_replication"
            eventually(lambda: primary.value(synchronous), 60, what="replication")
            yield Pair(primary, standby, process)


def _home(folder: Path) -> Home:
    home = Home(folder)
    make_private(home.folder)
    make_private(home.sockets)  # It stays empty, but it must exist.
    return home


def kill(server: subprocess.Popen[bytes]) -> None:
    """End a postmaster and its children by SIGKILL."""
    for pid in (server.pid, *child_process.children_of(server.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    child_process.kill(server)


def main(folder: str, binaries: str, program: str, *arguments: str) -> None:
    drop_privileges(Home(Path(folder)), Path(binaries))
    path = str(Path(binaries) / program)
    os.execv(path, [path, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
