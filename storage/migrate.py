"""Brings the tables to the form that this code needs; any number may try at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from application.errors import Failure
from storage.database import Conn, connect, lock_key

MIGRATIONS = Path(__file__).parent / "migrations"
OLDEST_SERVER = 14
RECORD = """
create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
)
"""


class UnfitServer(Failure):
    """The server cannot hold our tables."""


class MigrationChanged(Failure):
    """A file is not what was applied under its number, or two files share one."""


@dataclass(frozen=True)
class _Migration:
    number: int
    name: str
    statements: str

    @property
    def sha256(self) -> str:
        return sha256(self.statements.encode()).hexdigest()


def migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing, each file in a transaction; return the names applied.

    Raises:
        UnfitServer: Postgres is older than 14, or the database is not UTF-8.
        MigrationChanged: an applied file was edited afterwards.
    """
    with connect(url, name="migrate") as connection:
        _check_server(connection)
        with _alone(connection):
            connection.execute(RECORD)
            missing = _missing(connection, folder)
            for migration in missing:
                _apply(connection, migration)
    return [migration.name for migration in missing]


def pending(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Name the migrations that are not applied yet; change nothing."""
    with connect(url, name="migrate") as connection:
        _check_server(connection)
        return [migration.name for migration in _missing(connection, folder)]


def _check_server(connection: Conn) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise UnfitServer(f"Postgres {version}: {OLDEST_SERVER} or newer is needed")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnfitServer(f"database in {encoding}: one in UTF8 is needed")


@contextmanager
def _alone(connection: Conn) -> Iterator[None]:
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
    table = connection.execute("select to_regclass('schema_migration')").fetchone()
    if table is None or table[0] is None:
        return {}
    rows = connection.execute("select number, sha256 from schema_migration")
    return dict(rows.fetchall())


def _read(folder: Path) -> list[_Migration]:
    files = sorted(folder.glob("[0-9]*.sql"))
    found = [
        _Migration(int(file.name.split("_")[0]), file.stem, file.read_text("utf-8"))
        for file in files
    ]
    if len({migration.number for migration in found}) != len(found):
        raise MigrationChanged("two migration files share a number")
    return sorted(found, key=lambda migration: migration.number)


def _apply(connection: Conn, migration: _Migration) -> None:
    with connection.transaction():
        connection.execute(migration.statements.encode())
        connection.execute(
            "insert into schema_migration (number, name, sha256) values (%s, %s, %s)",
            (migration.number, migration.name, migration.sha256),
        )
