"""Versions that are older than the database cannot write to it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.errors import OperationalError

from application.configuration import Configuration
from application.errors import VersionTooOld
from projections.start_up import CannotStart, prepare_database
from storage.database import connect, open_pool
from storage.log.append import BULK_ROWS
from storage.log.recorder import EventRecorder
from storage.migrate import (
    ALLOWED,
    FIRST_DECLARED,
    DatabaseTooNew,
    check_version,
    migrate,
    pending,
)
from storage.process.decisions import beat
from storage.writer_version import MIGRATIONS, TOO_OLD, number_of
from tests.release_1 import load_release_1
from tests.support import eventually

REFUSED = "-- Older writers: refused"
WHAT_TO_DO = "stop (it|this process) and start the version of AutoLynx that ran"

# The statements of release 1 in storage/recorder.py,
# storage/operations.py and storage/migrate.py. They must not follow later changes.
RELEASE_1_APPEND = """
select autolynx_append(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[],
                       %b::uuid[], %b::bigint[], %t::json, %t)
"""
RELEASE_1_LOCK = "select autolynx_append_lock(%b::uuid[], %b::bigint[])"
RELEASE_1_BEAT = """
insert into heartbeat (role, holder, backend_pid, beat_at, silent_after)
values (%s, %s, pg_backend_pid(), clock_timestamp(), %s)
on conflict (role) do update set
    holder = excluded.holder, backend_pid = excluded.backend_pid,
    beat_at = excluded.beat_at, silent_after = excluded.silent_after
"""
RELEASE_1_RECORD = """
create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
)
"""
RELEASE_1_APPLIED = "select number, sha256 from schema_migration"


@pytest.fixture
def old(empty_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of release 1 to a release-1 database that was just upgraded."""
    load_release_1(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        append_as_release_1(connection)
        connection.execute(RELEASE_1_BEAT, ("scheduler", "old", 120.0))
        migrate(empty_database)
        yield connection


def append_as_release_1(connection: psycopg.Connection[Any]) -> None:
    ids, states = [uuid4()], [b"{}"]
    values: tuple[Any, ...] = (ids, [1], ["test.fact"], states)
    values = (*values, [], [], None, "5000ms")
    connection.execute(RELEASE_1_APPEND, values)


@contextmanager
def a_later_version(folder: Path, declaration: str) -> Iterator[Path]:
    """Yield the migrations of a version with one more than this one."""
    copied = copytree(MIGRATIONS, folder / "migrations")
    later = copied / "9999_later.sql"
    later.write_text(f"{declaration}\ncreate table later (a int);\n")
    yield copied


def append(url: str, events: int = 1) -> None:
    stored = [StoredEvent(uuid4(), 1, "test.fact", b"{}") for _ in range(events)]
    with open_pool(url, name="test") as pool:
        EventRecorder(pool).insert_events(stored)


def test_an_append_of_release_1_is_refused_after_the_upgrade(
    old: psycopg.Connection[Any],
) -> None:
    with pytest.raises(psycopg.Error, match=WHAT_TO_DO) as refused:
        append_as_release_1(old)
    assert refused.value.sqlstate == TOO_OLD


def test_a_bulk_append_of_release_1_is_refused_after_the_upgrade(
    old: psycopg.Connection[Any],
) -> None:
    with pytest.raises(psycopg.Error, match=WHAT_TO_DO):
        old.execute(RELEASE_1_LOCK, ([], []))


def test_a_process_of_release_1_cannot_lead_after_the_upgrade(
    old: psycopg.Connection[Any],
) -> None:
    """Release 1 gives up its leadership if a heartbeat ends with this error."""
    with pytest.raises(OperationalError, match=WHAT_TO_DO):
        old.execute(RELEASE_1_BEAT, ("scheduler", "old", 120.0))


def test_release_1_cannot_start_after_the_upgrade(
    old: psycopg.Connection[Any],
) -> None:
    old.execute(RELEASE_1_RECORD)
    with pytest.raises(psycopg.Error, match=WHAT_TO_DO):
        old.execute(RELEASE_1_APPLIED)


def test_this_version_writes_to_an_upgraded_database(
    empty_database: str,
) -> None:
    load_release_1(empty_database)
    migrate(empty_database)
    append(empty_database)
    append(empty_database, BULK_ROWS + 1)
    with connect(empty_database, name="test") as connection:
        beat(connection, "scheduler", "new")


def test_a_later_migration_that_refuses_older_writers_stops_this_version(
    database: str, tmp_path: Path
) -> None:
    with a_later_version(tmp_path, REFUSED) as later:
        migrate(database, later)
    for events in (1, BULK_ROWS + 1):
        with pytest.raises(VersionTooOld, match=WHAT_TO_DO):
            append(database, events)
    for command in (migrate, pending, check_version):
        with pytest.raises(DatabaseTooNew, match=WHAT_TO_DO):
            command(database)
    with (
        connect(database, name="test") as connection,
        pytest.raises(OperationalError, match=WHAT_TO_DO),
    ):
        beat(connection, "projector", "this one")


def test_a_later_migration_that_allows_older_writers_does_not_stop_this_version(
    database: str, tmp_path: Path
) -> None:
    with a_later_version(tmp_path, ALLOWED) as later:
        assert migrate(database, later) == ["9999_later"]
    assert migrate(database) == []
    assert pending(database) == []
    append(database)
    append(database, BULK_ROWS + 1)


def test_a_later_migration_that_declares_nothing_refuses_older_writers(
    database: str, tmp_path: Path
) -> None:
    with a_later_version(tmp_path, "-- A table.") as later:
        migrate(database, later)
    with pytest.raises(VersionTooOld):
        append(database)


def test_a_running_append_is_committed_before_a_migration_refuses_its_version(
    database: str, tmp_path: Path
) -> None:
    """The migration waits for the append lock; the next append is refused."""
    program = (
        "import sys, pathlib, storage.migrate as m;"
        "m.migrate(sys.argv[1], pathlib.Path(sys.argv[2]))"
    )
    with (
        a_later_version(tmp_path, REFUSED) as later,
        connect(database, name="test") as connection,
    ):
        with connection.transaction():
            connection.execute("select autolynx_append_lock('{}', '{}')")
            migrating = subprocess.Popen(
                [sys.executable, "-c", program, database, str(later)]
            )
            wait_for_waiting(database)
            connection.execute(
                "insert into autolynx_events"
                " (originator_id, originator_version, topic, state)"
                " values (gen_random_uuid(), 1, 'test.fact', '{}')"
            )
        assert migrating.wait(60) == 0
        found = connection.execute("select count(*) from autolynx_events").fetchone()
        assert found == (1,)
        with pytest.raises(psycopg.Error, match=WHAT_TO_DO):
            connection.execute("select autolynx_append_lock('{}', '{}')")


def wait_for_waiting(url: str) -> None:
    query = """
        select count(*) from pg_locks where locktype = 'advisory' and not granted
            and database = (
                select oid from pg_database where datname = current_database())
    """
    with connect(url, name="test") as watching:
        eventually(
            lambda: watching.execute(query).fetchone() == (1,),
            what="the migration to wait for the append lock",
        )


def test_every_migration_declares_whether_older_versions_may_write() -> None:
    declared = {
        file.name: file.read_text().split("\n", 1)[0]
        for file in MIGRATIONS.glob("*.sql")
        if number_of(file) >= FIRST_DECLARED
    }
    wrong = [name for name, line in declared.items() if line not in (ALLOWED, REFUSED)]
    assert wrong == []


def test_a_process_that_is_too_old_does_not_start(
    database: str, tmp_path: Path
) -> None:
    """tests/interfaces/cli/test_pooler.py proves that each role prints the message."""
    with a_later_version(tmp_path, REFUSED) as later:
        migrate(database, later)
    with pytest.raises(CannotStart, match="start the version of AutoLynx") as refused:
        prepare_database(Configuration(database_url=database), name="test")
    assert refused.value.exit_code == 1
    assert "\n" not in str(refused.value)
