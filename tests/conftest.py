"""One embedded Postgres for the whole run, one database of its own for each test."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from xdist.scheduler import (  # type: ignore[import-untyped]  # it brings no types
    LoadFileScheduling,
)

from application.process.gc_tuning import disable_while_loading, enable_after_loading
from projections.engine.schema import create_read_model
from storage.database import Conn, connect
from storage.migrate import migrate
from storage.process.embedded_postgres import embedded_postgres
from tests.examples import register_profiles
from tests.memory_folder import POSTGRES, make_folder, remove_folder
from tests.reused_databases import ReusedDatabase, ReusedDatabases
from tests.wiring import Services, services_over

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "64MB",
    "autovacuum": "off",
    "max_connections": "400",
}
SHARED, MODEL = "TESTS_FOLDER", "model"
MOST_WORKERS = 8

register_profiles()

LONGEST_FIRST = (
    *("browser", "end_to_end", "faults", "interfaces/cli", "provider"),
    *("storage", "projections", "interfaces", "scheduler", "application"),
)

disable_while_loading()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with embedded_postgres(Path(os.environ[SHARED]) / POSTGRES, FAST) as url:
        yield url


@pytest.fixture(scope="session")
def server(postgres_url: str) -> Iterator[Conn]:
    """A connection that makes and drops databases.

    Both wait for all backends of the server, so they need a limit.
    """
    with connect(postgres_url, name="tests", statement_timeout=120) as connection:
        yield connection


@pytest.fixture(scope="session")
def model(server: Conn, postgres_url: str) -> str:
    """The name of a database with all our tables: to copy one is fast.

    All workers of a run copy the same one, which the first of them makes.
    """
    lock = Path(os.environ[SHARED]) / "model.lock"
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        query = "select from pg_database where datname = %s"
        if server.execute(query, (MODEL,)).fetchone() is None:
            _make_model(server, postgres_url)
    return MODEL


def _make_model(server: Conn, postgres_url: str) -> None:
    """Make it under another name, so that no worker uses one that is incomplete."""
    new = f"new_{uuid4().hex}"
    url = urlsplit(postgres_url)._replace(path=f"/{new}").geturl()
    server.execute(f"create database {new}".encode())
    migrate(url)
    with connect(url, name="tests") as connection:
        create_read_model(connection)
    server.execute(f"alter database {new} rename to {MODEL}".encode())


@pytest.fixture
def empty_database(server: Conn, postgres_url: str) -> Iterator[str]:
    """Yield the URL of a fresh database without tables, dropped afterwards."""
    with fresh_database(server, postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def reused_databases(
    server: Conn, postgres_url: str, model: str
) -> Iterator[ReusedDatabases]:
    databases = ReusedDatabases(
        create=lambda: create_database(server, postgres_url, model),
        drop=lambda url: drop_database(server, url),
    )
    yield databases
    databases.close()


@pytest.fixture
def reused_database(reused_databases: ReusedDatabases) -> Iterator[ReusedDatabase]:
    """Yield a database with all our tables, no rows of other tests, and connections."""
    with reused_databases.lend(connected=True) as database:
        yield database


@pytest.fixture
def database(reused_databases: ReusedDatabases) -> Iterator[str]:
    """Yield the URL of a database with all our tables and no rows of other tests."""
    with reused_databases.lend(connected=False) as database:
        yield database.url


@pytest.fixture
def services(reused_database: ReusedDatabase) -> Iterator[Services]:
    """The services over a database, with a clock that only the test advances."""
    with services_over(reused_database) as services:
        yield services


@pytest.fixture(scope="module")
def shared_database(server: Conn, postgres_url: str, model: str) -> Iterator[str]:
    """The same for all tests of a module."""
    with fresh_database(server, postgres_url, model) as url:
        yield url


@contextmanager
def fresh_database(
    server: Conn, postgres_url: str, model: str = "template1"
) -> Iterator[str]:
    url = create_database(server, postgres_url, model)
    yield url
    drop_database(server, url)


def create_database(server: Conn, postgres_url: str, model: str) -> str:
    """Copy the database `model`; return the URL of the copy."""
    name = f"test_{uuid4().hex}"
    copied = f"create database {name} template {model} strategy file_copy"
    server.execute(copied.encode())
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()


def drop_database(server: Conn, url: str) -> None:
    name = urlsplit(url).path.removeprefix("/")
    server.execute(f"drop database {name} with (force)".encode())


def pytest_configure(config: pytest.Config) -> None:
    """Let all workers of this run share a folder."""
    if SHARED not in os.environ:
        folder = make_folder()
        os.environ[SHARED] = str(folder)
        config.add_cleanup(lambda: remove_folder(folder))


def pytest_collection_finish() -> None:
    enable_after_loading()


def pytest_xdist_auto_num_workers() -> int:
    """Twice the cores: about half of the time a worker waits for other processes."""
    return min(2 * (os.cpu_count() or 1), MOST_WORKERS)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return Together(config, log)


class Together(LoadFileScheduling):  # type: ignore[misc]  # see its import
    """Keeps the tests of a file on one worker, and those of all files of a package.

    As `--dist loadfile`, which it takes the place of. Only tests/browser and its
    subfolder are packages: each has its own browser, so that they run side by side.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _scope_of(str(super()._split_scope(nodeid)))


@cache
def _scope_of(file: str) -> str:
    """Return the package of a test file, or the file itself if it is in none."""
    folder = Path(file).parent
    return str(folder) if (folder / "__init__.py").exists() else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that wait for processes first, so that none is left to the end."""
    items.sort(key=lambda item: _turn(item.path))


@cache
def _turn(file: Path) -> int:
    folder = file.relative_to(Path(__file__).parent).parent.as_posix()
    for turn, name in enumerate(LONGEST_FIRST):
        if folder.startswith(name):
            return turn
    return len(LONGEST_FIRST)
