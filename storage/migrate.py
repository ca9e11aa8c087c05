"""Creates and upgrades the tables; only one process at a time does so.

Each migration from 0014 on declares in its first line whether processes of an older
version may continue to write (`-- Older writers: allowed`) or not
(`-- Older writers: refused`, which is the default). See docs/operations/upgrade.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import LiteralString

from psycopg import sql
from psycopg.errors import DeadlockDetected

from application.errors import Failure
from storage.database import Conn, connect, lock_key
from storage.fitness import refuse_transaction_pooler
from storage.writer_version import MIGRATIONS, number_of, writer_version

OLDEST_SERVER = 14
"""Major version of Postgres."""

ALLOWED = "-- Older writers: allowed"
FIRST_DECLARED = 14
"""The first migration that declares whether older writers may continue."""

TRIES = 5
"""Tries of a migration that ends in a deadlock with running appends."""

APPEND_LOCK: LiteralString = "select pg_advisory_xact_lock(x'4155544f4c594e58'::bigint)"
RAISE_FENCE: LiteralString = "update writer_fence set least = greatest(least, %s)"
RECORD: LiteralString = """
create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
)
"""


class UnfitServer(Failure):
    """The server's version or the database's encoding does not fit."""


class DatabaseTooNew(Failure):
    """A newer version upgraded the database and refuses writes of this one."""


class MigrationChanged(Failure):
    """A migration file was changed after it was applied, or two share a number."""


@dataclass(frozen=True)
class _Migration:
    number: int
    name: str
    statements: str

    @property
    def sha256(self) -> str:
        return sha256(self.statements.encode()).hexdigest()

    @property
    def refuses_older(self) -> bool:
        declared = self.statements.split("\n", 1)[0].strip()
        return self.number >= FIRST_DECLARED and declared != ALLOWED


def migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply missing migrations, each in a transaction; return their names.

    Raises:
        UnfitServer: Postgres is older than 14, or the database is not UTF-8.
        TransactionPooler: the URL leads to a pooler that does not keep sessions.
        DatabaseTooNew: a newer version upgraded the database and refuses this one.
        MigrationChanged: an applied file was edited afterwards.
    """
    refuse_transaction_pooler(url)
    with connect(url, name="migrate") as connection:
        _check_server(connection)
        with _exclusively(connection):
            _check_version(connection)
            if _record_table(connection) is None:
                connection.execute(RECORD)
            missing = _missing(connection, folder)
            for migration in missing:
                _apply(connection, migration)
    return [migration.name for migration in missing]


def pending(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Return the names of the migrations that are not applied yet; change nothing.

    Raises as `migrate` does.
    """
    with connect(url, name="migrate") as connection:
        _check_server(connection)
        _check_version(connection)
        return [migration.name for migration in _missing(connection, folder)]


def check_version(url: str) -> None:
    """Check that this version may write to the database; change nothing.

    Raises:
        DatabaseTooNew: a newer version upgraded the database and refuses this one.
        TransactionPooler: the URL leads to a pooler that does not keep sessions.
    """
    refuse_transaction_pooler(url)
    with connect(url, name="version") as connection:
        _check_version(connection)


def _check_version(connection: Conn) -> None:
    if not _exists(connection, "writer_fence"):
        return
    row = connection.execute("select least from writer_fence").fetchone()
    least, own = (row[0] if row else 0), writer_version()
    if least > own:
        raise DatabaseTooNew(
            f"this version knows migrations up to {own}, and the database refuses"
            f" versions older than migration {least}: stop this process and start the"
            ' version of AutoLynx that ran the last "autolynx migrate"'
        )


def _exists(connection: Conn, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s)", (relation,)).fetchone()
    return row is not None and row[0] is not None


def _record_table(connection: Conn) -> str | None:
    """Return the table of applied migrations, which 0014_writer_fence renames."""
    names = ("autolynx_migration", "schema_migration")
    return next((name for name in names if _exists(connection, name)), None)


def _check_server(connection: Conn) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise UnfitServer(f"Postgres {version}: {OLDEST_SERVER} or newer is required")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnfitServer(f"the database's encoding is {encoding}: UTF8 is required")


@contextmanager
def _exclusively(connection: Conn) -> Iterator[None]:
    key = lock_key("autolynx migrate")
    connection.execute("select pg_advisory_lock(%s)", (key,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", (key,))


def _missing(connection: Conn, folder: Path) -> list[_Migration]:
    applied = _applied(connection)
    missing = []
    for migration in _read(folder):
        known = applied.get(migration.number)
        if known is None:
            missing.append(migration)
        elif known != migration.sha256:
            raise MigrationChanged(f"{migration.name} was edited after it was applied")
    return missing


def _applied(connection: Conn) -> dict[int, str]:
    table = _record_table(connection)
    if table is None:
        return {}
    query = sql.SQL("select number, sha256 from {}").format(sql.Identifier(table))
    return dict(connection.execute(query).fetchall())


def _read(folder: Path) -> list[_Migration]:
    files = sorted(folder.glob("[0-9]*.sql"))
    found = [
        _Migration(number_of(file), file.stem, file.read_text("utf-8"))
        for file in files
    ]
    if len({migration.number for migration in found}) != len(found):
        raise MigrationChanged("two migration files share a number")
    return sorted(found, key=lambda migration: migration.number)


def _apply(connection: Conn, migration: _Migration) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _apply_once(connection, migration)
        except DeadlockDetected:
            if attempt == TRIES:
                raise
        else:
            return


def _apply_once(connection: Conn, migration: _Migration) -> None:
    with connection.transaction():
        if migration.refuses_older:
            connection.execute(APPEND_LOCK)
        connection.execute(migration.statements.encode())
        if migration.refuses_older:
            connection.execute(RAISE_FENCE, (migration.number,))
        table = _record_table(connection)
        assert table is not None  # `migrate` creates it before the first migration.
        insert = sql.SQL("insert into {} (number, name, sha256) values (%s, %s, %s)")
        connection.execute(
            insert.format(sql.Identifier(table)),
            (migration.number, migration.name, migration.sha256),
        )
