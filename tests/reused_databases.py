"""Databases that are emptied after a test and used again.

To create a database, connect to it and drop it costs a test about ten times as much as
to delete its rows. A database is not used again if its test changed more than rows, or
left something that may still use it: a connection, a lock, a thread or a process.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import LiteralString

from psycopg import Error
from psycopg_pool import PoolClosed, PoolTimeout

from projections.connections import Pools, open_pools
from storage.database import Conn, connect
from tests.stepped_read_model import NAME as MODEL
from tests.stepped_read_model import SteppedReadModel
from tests.support import eventually

NAME = "reused"
KEPT = [f"autolynx {name}" for name in (NAME, f"{NAME} reads", MODEL)]
"""Names of the connections that stay open between tests."""
MOST_TESTS = 150
"""Tests for which a database is used: deleted rows slow down its tables."""
MOST_BYTES = 4_000_000
"""Size of the tables from which on a database is not used again."""

OBJECTS: LiteralString = """
select (select jsonb_agg(to_jsonb(c) order by name) from (
    select 'pg_class' as name, count(*), max(xmin::text::bigint),
        sum(relpages) + sum(reltuples::bigint) as statistics
        from pg_class where oid >= 16384
    union all select 'pg_attribute', count(*), max(xmin::text::bigint), 0
        from pg_attribute where attrelid >= 16384
    union all select 'pg_proc', count(*), max(xmin::text::bigint), 0
        from pg_proc where oid >= 16384
    union all select 'pg_constraint', count(*), max(xmin::text::bigint), 0
        from pg_constraint where oid >= 16384
    union all select 'pg_index', count(*), max(xmin::text::bigint), 0
        from pg_index where indexrelid >= 16384
    union all select 'pg_trigger', count(*), max(xmin::text::bigint), 0 from pg_trigger
    union all select 'pg_sequence', count(*), max(xmin::text::bigint), 0
        from pg_sequence
    union all select 'pg_description', count(*), max(xmin::text::bigint), 0
        from pg_description where objoid >= 16384
    union all select 'pg_namespace', count(*), max(xmin::text::bigint), 0
        from pg_namespace
    union all select 'pg_extension', count(*), max(xmin::text::bigint), 0
        from pg_extension
    union all select 'pg_statistic', count(*), 0, 0 from pg_statistic
        where starelid >= 16384
    union all select 'pg_db_role_setting', count(*), 0, 0 from pg_db_role_setting
        where setdatabase in
            (0, (select oid from pg_database where datname = current_database()))
) c)::text
"""
FILLED: LiteralString = """
select c.oid::regclass::text, pg_relation_size(c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)'
    and pg_relation_size(c.oid) > 0
"""
RESTART_SEQUENCES: LiteralString = """
select setval(oid, 1, false) from pg_class where relkind = 'S'
"""
USERS: LiteralString = """
select count(*) filter (where application_name <> all(%s)),
    count(*) filter (where state <> 'idle'),
    (select count(*) from pg_locks l where l.database = d.oid and locktype = 'advisory')
from pg_database d left join pg_stat_activity a
    on a.datid = d.oid and a.pid <> pg_backend_pid()
where d.datname = current_database() group by d.oid
"""


class ReusedDatabase:
    """A database with all tables, and the connections that are kept between tests."""

    def __init__(self, url: str) -> None:
        self.url, self._tests = url, 0
        self._opened = ExitStack()
        self._objects = self._conn.execute(OBJECTS).fetchone()
        self._rows = {table: _rows(self._conn, table) for table in self._filled()}
        self._users = _users()

    @cached_property
    def _conn(self) -> Conn:
        """The connection that restores the rows, without triggers."""
        conn = self._opened.enter_context(connect(self.url, name=NAME))
        conn.execute("set session_replication_role = replica")
        return conn

    @cached_property
    def pools(self) -> Pools:
        """Connection pools, opened by the first test that needs them."""
        pools = self._opened.enter_context(open_pools(self.url, name=NAME))
        self._users = _users()
        return pools

    @cached_property
    def read_model(self) -> SteppedReadModel:
        """The same for the read model: its connection has prepared its statements."""
        read_model = SteppedReadModel(self.url)
        self._opened.callback(read_model.close)
        return read_model

    def close(self) -> None:
        """Close all connections; they are opened again when they are needed."""
        self._opened.close()
        for name in ("_conn", "pools", "read_model"):
            vars(self).pop(name, None)

    def lend(self) -> None:
        """Note who uses the database before a test."""
        self._users = _users()
        self._tests += 1

    def restore(self) -> bool:
        """Restore all rows; return False if the database cannot be used again."""
        try:
            self._check_connections()
            return (
                self._tests < MOST_TESTS
                and self._is_unused()
                and self._conn.execute(OBJECTS).fetchone() == self._objects
                and self._restore_rows()
            )
        except (Error, PoolClosed, PoolTimeout):
            return False  # The test has broken a connection or the database.

    def _check_connections(self) -> None:
        """Replace connections of the pools that a test has broken."""
        if "pools" in vars(self):
            self.pools.writing.check()
            self.pools.reading.check()
        if "read_model" in vars(self):
            self.read_model.reset()

    def _is_unused(self) -> bool:
        """Wait a moment for the end of threads and connections that were closed."""

        def unused() -> bool:
            others = self._conn.execute(USERS, (KEPT,)).fetchone()
            return others == (0, 0, 0) and _users() <= self._users

        try:
            eventually(unused, within=0.3)
        except AssertionError:
            return False
        return True

    def _filled(self) -> dict[str, int]:
        """Return the tables into which rows were written, and their sizes in bytes."""
        return dict(self._conn.execute(FILLED).fetchall())

    def _restore_rows(self) -> bool:
        filled = self._filled()
        if sum(filled.values()) > MOST_BYTES:
            return False
        with self._conn.transaction():
            self._conn.execute("; ".join(f"delete from {t}" for t in filled).encode())
            for table, rows in self._rows.items():
                statement = f"copy {table} from stdin (format binary)".encode()
                with self._conn.cursor().copy(statement) as copy:
                    copy.write(rows)
            self._conn.execute(RESTART_SEQUENCES)
        return True


def _rows(conn: Conn, table: str) -> bytes:
    statement = f"copy {table} to stdout (format binary)".encode()
    with conn.cursor().copy(statement) as copy:
        return b"".join(copy)


def _users() -> set[object]:
    """Return the threads and the child processes of this process."""
    found: set[object] = {*threading.enumerate()}
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # The thread has ended in the meantime.
            found.update(children.read_text().split())
    return found


class ReusedDatabases:
    """The databases of one test process; `create` and `drop` take a URL."""

    def __init__(self, create: Callable[[], str], drop: Callable[[str], None]) -> None:
        self._create, self._drop = create, drop
        self._free: dict[bool, list[ReusedDatabase]] = {False: [], True: []}

    @contextmanager
    def lend(self, *, connected: bool) -> Iterator[ReusedDatabase]:
        """Lend a database whose rows are those of a new one.

        Unless `connected`, nobody else is connected to it while it is lent.
        """
        free = self._free[connected]
        database = free.pop() if free else ReusedDatabase(self._create())
        if not connected:
            database.close()
        database.lend()
        try:
            yield database
        finally:
            if database.restore():
                free.append(database)
            else:
                self._remove(database)

    def _remove(self, database: ReusedDatabase) -> None:
        database.close()
        self._drop(database.url)

    def close(self) -> None:
        """Drop all databases."""
        for database in (*self._free[False], *self._free[True]):
            self._remove(database)
