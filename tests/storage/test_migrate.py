"""Migrations are applied once, in their order, by one process at a time."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from storage.migrate import (
    MigrationChanged,
    UnfitServer,
    migrate,
    pending,
)
from storage.writer_version import MIGRATIONS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table first (a int);\n")
    (tmp_path / "0002_second.sql").write_text(
        "create table second (a int); insert into second values (1);\n"
    )
    return tmp_path


def table_exists(url: str, name: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("select to_regclass(%s)", (name,)).fetchone()
        return row is not None and row[0] is not None


def test_each_migration_is_applied_once_and_in_order(
    empty_database: str, folder: Path
) -> None:
    assert pending(empty_database, folder) == ["0001_first", "0002_second"]
    assert migrate(empty_database, folder) == ["0001_first", "0002_second"]
    assert migrate(empty_database, folder) == []
    assert pending(empty_database, folder) == []


def test_listing_pending_migrations_changes_nothing(
    empty_database: str, folder: Path
) -> None:
    pending(empty_database, folder)
    assert not table_exists(empty_database, "schema_migration")


def test_a_failed_migration_is_rolled_back(empty_database: str, folder: Path) -> None:
    (folder / "0003_bad.sql").write_text("create table third (a int); select 1/0;")

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database, folder)

    assert table_exists(empty_database, "second")
    assert not table_exists(empty_database, "third")
    assert pending(empty_database, folder) == ["0003_bad"]


def test_a_changed_file_of_an_applied_migration_is_refused(
    empty_database: str, folder: Path
) -> None:
    migrate(empty_database, folder)
    (folder / "0001_first.sql").write_text("create table first (b int);")
    with pytest.raises(MigrationChanged, match="0001_first"):
        migrate(empty_database, folder)


def test_other_line_endings_are_not_a_change(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "0001_first.sql").write_bytes(b"create table first (a int);\r\n")
    assert migrate(empty_database, folder) == []


def test_two_migrations_with_the_same_number_are_refused(
    empty_database: str, folder: Path
) -> None:
    (folder / "0002_again.sql").write_text("select 1;")
    with pytest.raises(MigrationChanged, match="share a number"):
        migrate(empty_database, folder)


def test_a_database_in_another_encoding_is_refused(
    postgres_url: str, empty_database: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "create database in_ascii encoding 'SQL_ASCII' locale 'C'"
            " template template0"
        )
        try:
            url = psycopg.conninfo.make_conninfo(postgres_url, dbname="in_ascii")
            with pytest.raises(UnfitServer, match="UTF8"):
                migrate(url)
        finally:
            connection.execute("drop database in_ascii with (force)")


def test_of_eight_concurrent_processes_one_migrates(empty_database: str) -> None:
    program = "import sys, storage.migrate as m; print(len(m.migrate(sys.argv[1])))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_database], stdout=subprocess.PIPE
        )
        for _ in range(8)
    ]
    counts = sorted(int(process.communicate(timeout=60)[0]) for process in running)
    everything = len(list(MIGRATIONS.glob("*.sql")))
    assert counts == [0] * 7 + [everything]
    assert table_exists(empty_database, "autolynx_events")
