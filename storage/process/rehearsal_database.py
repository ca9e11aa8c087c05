"""The database of a rehearsal, which is dropped when the rehearsal is over.

It is a database of its own on the same server: nothing that a rehearsal stores can
reach the tables of the installation. There is at most one for an installation, under a
name that follows from the installation's database. A rehearsal that was killed leaves
it behind; the next rehearsal or the next start of a scheduler drops it.

It is no schema within the installation's database, because our tables, functions, locks
and notifications have fixed names there: a rehearsal could wake the real scheduler.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import LiteralString

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import InsufficientPrivilege

from application.errors import Failure
from storage.database import Conn, connect, lock_key, session_lock

PREFIX = "autolynx_rehearsal_"
_LOCK = lock_key("autolynx rehearsal")


class RehearsalRunning(Failure):
    """A rehearsal of this installation is running already."""


class CannotRehearse(Failure):
    """The server does not let the installation's user create a database."""


@contextmanager
def rehearsal_database(url: str) -> Iterator[str]:
    """Create an empty database, yield its URL, and drop it afterwards.

    `url` is that of the installation's database, which does not change.

    Raises:
        RehearsalRunning: there is another rehearsal of the installation.
        CannotRehearse: the user may not create databases.
    """
    with (
        connect(url, name="rehearsal") as connection,
        session_lock(connection, _LOCK) as is_ours,
    ):
        if not is_ours:
            raise RehearsalRunning(
                "A rehearsal is running already: wait until it is over, or stop it."
            )
        name = database_name(connection)
        _drop(connection, name)
        try:
            _create(connection, name)
            yield make_conninfo("", **{**conninfo_to_dict(url), "dbname": name})
        finally:
            _drop(connection, name)


def drop_leftover(url: str) -> bool:
    """Drop the database of a rehearsal that was killed; return whether there was one.

    The database of a running rehearsal stays.
    """
    with (
        connect(url, name="rehearsal") as connection,
        session_lock(connection, _LOCK) as is_ours,
    ):
        name = database_name(connection)
        found = connection.execute(
            "select from pg_database where datname = %s", (name,)
        ).fetchone()
        if not is_ours or found is None:
            return False
        _drop(connection, name)
        return True


def missing_grant(connection: Conn) -> str:
    """Return what to do so that rehearsals can run; empty if nothing is missing."""
    query: LiteralString = """
        select rolname from pg_roles
        where rolname = current_user and not rolcreatedb and not rolsuper
    """
    row = connection.execute(query).fetchone()
    if row is None:
        return ""
    user = sql.Identifier(row[0]).as_string(connection)
    return f"Run this as a superuser of the server: ALTER ROLE {user} CREATEDB;"


def database_name(connection: Conn) -> str:
    """Return the name of the database for rehearsals of this installation."""
    row = connection.execute("select current_database()").fetchone()
    assert row is not None
    return PREFIX + sha256(str(row[0]).encode()).hexdigest()[:16]


def _create(connection: Conn, name: str) -> None:
    database = sql.Identifier(name)
    try:
        connection.execute(sql.SQL("create database {}").format(database))
    except InsufficientPrivilege as error:
        raise CannotRehearse(
            "The database user may not create the database of a rehearsal."
            f" {missing_grant(connection)}"
        ) from error
    # After a crash of the server the database is dropped anyway.
    connection.execute(
        sql.SQL("alter database {} set synchronous_commit = off").format(database)
    )


def _drop(connection: Conn, name: str) -> None:
    statement = sql.SQL("drop database if exists {} with (force)")
    connection.execute(statement.format(sql.Identifier(name)))
