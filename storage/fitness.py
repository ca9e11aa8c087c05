"""Checks that a database accepts writes and that its connections keep a session."""

from psycopg import errors

from application.errors import Failure
from storage.database import Conn, connect, within

SECONDS = 2.0
"""Longest wait for the server in one check."""

DISK_FULL = "the disk of the database is full: free some space ({error})"

WRITE_TEMPORARY_FILE = """
with text as materialized (
    select repeat(md5(n::text), 500) as value from generate_series(1, 8) n
)
select count(*) from text a, text b
"""
"""Needs 128 KiB; with less `work_mem`, Postgres writes it to a temporary file.

Nothing remains, unlike with a test row. By default temporary files are in the data
directory, so that a full disk refuses them as it refuses events.
"""

STANDBY = (
    "a standby: it accepts no writes. Set AUTOLYNX_DATABASE_URL to the primary, or name"
    " all hosts and add target_session_attrs=read-write"
)
READ_ONLY = (
    "read-only: default_transaction_read_only is on. Turn it off for this server,"
    " database and role"
)
TRANSACTION_POOLER = (
    "AUTOLYNX_DATABASE_URL leads to a transaction pooler, which loses advisory locks"
    " and LISTEN between transactions: connect directly, or use session pooling"
)


class TransactionPooler(Failure):
    """The URL leads to a pooler that does not keep a session for its client."""


def why_unwritable(url: str) -> str | None:
    """Return why a new connection could not write, None if it could.

    Raises OperationalError if the server does not answer.
    """
    with within(SECONDS), connect(url, name="write check") as connection:
        return why_read_only(connection) or why_full(connection)


def why_full(connection: Conn) -> str | None:
    """Return a message if the server's disk is full, None if there is some space."""
    try:
        with connection.transaction():
            connection.execute("set local work_mem = '64kB'")
            connection.execute(WRITE_TEMPORARY_FILE)
    except (errors.DiskFull, errors.ConfigurationLimitExceeded) as error:
        return DISK_FULL.format(error=error.diag.message_primary)
    return None


def why_read_only(connection: Conn) -> str | None:
    """Return why this connection's transactions cannot write, None if they can."""
    row = connection.execute(
        "select pg_is_in_recovery(), current_setting('transaction_read_only')::bool"
    ).fetchone()
    in_recovery, is_read_only = row or (False, False)
    if in_recovery:
        return STANDBY
    return READ_ONLY if is_read_only else None


def refuse_transaction_pooler(url: str) -> None:
    """Raise TransactionPooler if the URL leads to one."""
    if is_transaction_pooler(url):
        raise TransactionPooler(TRANSACTION_POOLER)


def is_transaction_pooler(url: str) -> bool:
    """Return whether one client connection is served by changing server sessions.

    A pooler either hands out its idle sessions in turn: then the first connection soon
    has another one. Or it hands out the session that was used last: then a transaction
    on a second connection takes the first one's. Neither happens to a direct connection
    or with session pooling.
    """
    with (
        connect(url, name="pooler check") as first,
        connect(url, name="pooler check") as second,
        within(SECONDS),
    ):
        sessions = {_session_of(first), _session_of(first)}
        with second.transaction():
            _session_of(second)
            sessions.add(_session_of(first))
    return len(sessions) > 1


def _session_of(connection: Conn) -> int:
    row = connection.execute("select pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])
