"""A database must accept writes and must keep sessions."""

from collections.abc import Iterator

import pytest
from psycopg import sql

from storage.database import connect
from storage.fitness import TransactionPooler, is_transaction_pooler, why_unwritable
from storage.migrate import check_version, migrate
from tests.storage.pooler import pooler_before


@pytest.fixture(params=["last released first", "in turn"])
def transaction_pooler(
    request: pytest.FixtureRequest, empty_database: str
) -> Iterator[str]:
    in_turn = request.param == "in turn"
    with pooler_before(
        empty_database, per_transaction=True, round_robin=in_turn
    ) as url:
        yield url


def test_a_direct_connection_is_no_transaction_pooler(empty_database: str) -> None:
    assert not is_transaction_pooler(empty_database)


def test_a_session_pooler_is_accepted(empty_database: str) -> None:
    with pooler_before(empty_database, per_transaction=False) as url:
        assert not is_transaction_pooler(url)
        assert migrate(url)


def test_a_transaction_pooler_is_refused_before_anything_is_changed(
    transaction_pooler: str, empty_database: str
) -> None:
    for command in (migrate, check_version):
        with pytest.raises(TransactionPooler, match="session pooling"):
            command(transaction_pooler)
    with connect(empty_database, name="test") as connection:
        row = connection.execute("select to_regclass('schema_migration')").fetchone()
    assert row == (None,)


def test_a_transaction_pooler_with_several_idle_sessions_is_noticed(
    transaction_pooler: str,
) -> None:
    with (
        connect(transaction_pooler, name="a") as a,
        connect(transaction_pooler, name="b") as b,
        connect(transaction_pooler, name="c") as c,
        a.transaction(),
        b.transaction(),
        c.transaction(),
    ):
        for each in (a, b, c):
            each.execute("select 1")
    assert is_transaction_pooler(transaction_pooler)


def test_a_database_that_takes_writes_is_writable(empty_database: str) -> None:
    assert why_unwritable(empty_database) is None


def test_a_database_made_read_only_is_not_writable(empty_database: str) -> None:
    with connect(empty_database, name="test") as connection:
        name = connection.info.dbname
        connection.execute(
            sql.SQL("alter database {} set default_transaction_read_only = on").format(
                sql.Identifier(name)
            )
        )
    reason = why_unwritable(empty_database)
    assert reason is not None
    assert "default_transaction_read_only" in reason


def test_a_server_without_space_for_a_temporary_file_is_not_writable(
    empty_database: str,
) -> None:
    assert why_unwritable(empty_database) is None
    with connect(empty_database, name="test") as connection:
        name = sql.Identifier(connection.info.dbname)
        limit = sql.SQL("alter database {} set temp_file_limit = 0").format(name)
        connection.execute(limit)
    reason = why_unwritable(empty_database)
    assert reason is not None
    assert reason.startswith("the disk of the database is full: free some space (")
