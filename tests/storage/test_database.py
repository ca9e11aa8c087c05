"""Connections have defaults and time limits, pools retry, and listeners reconnect."""

import os
from collections.abc import Iterator
from threading import Thread
from time import monotonic
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from application.errors import StoreUnavailable
from projections.engine.schema import open_read_pool
from storage.database import (
    TCP,
    Conn,
    Listener,
    Pool,
    Retry,
    RetryPolicy,
    connect,
    conninfo,
    lock_key,
    open_pool,
    session_lock,
    within,
)
from tests.child_process import join
from tests.storage.proxy import Fault, proxy_to
from tests.support import eventually


@pytest.fixture
def pool(empty_database: str) -> Iterator[Pool]:
    with open_pool(empty_database, name="test") as pool:
        yield pool


@pytest.fixture
def listener(empty_database: str) -> Iterator[Listener]:
    listener = Listener(
        empty_database, "one", "Two", every=20, jitter=lambda low, _: low
    )
    yield listener
    listener.close()


def received_by(listener: Iterator[Any]) -> list[tuple[str, str]]:
    return [(one.channel, one.payload) for one in next(listener)]


def end_backends(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as killer:
        killer.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where application_name = %s and datname = current_database()",
            (name,),
        )


def setting(connection: Conn, name: str) -> str:
    row = connection.execute("select current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_missing_parameters_of_a_url_get_defaults() -> None:
    parts = conninfo_to_dict(conninfo("postgresql://me@db/x", "autolynx api"))
    assert (parts["host"], parts["user"], parts["dbname"]) == ("db", "me", "x")
    assert (parts["connect_timeout"], parts["keepalives_idle"]) == ("5", "5")
    assert parts["application_name"] == "autolynx api"
    assert "target_session_attrs" not in parts


def test_parameters_of_a_url_override_the_defaults() -> None:
    parts = conninfo_to_dict(conninfo("host=db connect_timeout=9 keepalives=0", "x"))
    assert (parts["connect_timeout"], parts["keepalives"]) == ("9", "0")


@pytest.mark.parametrize("url", ["mysql://me:secret@db/x", "me:secret", "https://db"])
def test_the_error_of_an_invalid_url_does_not_contain_it(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="postgresql://") as raised:
        conninfo(url, "x")
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_of_several_hosts_the_primary_is_used() -> None:
    several = "postgresql://a:1,b:2/x"
    asked = f"{several}?target_session_attrs=any"
    parts = conninfo_to_dict(conninfo(several, "x"))
    assert (parts["host"], parts["port"]) == ("a,b", "1,2")
    assert parts["target_session_attrs"] == "read-write"
    assert conninfo_to_dict(conninfo(asked, "x"))["target_session_attrs"] == "any"


def test_a_host_that_is_down_is_skipped(empty_database: str) -> None:
    there = conninfo_to_dict(empty_database)
    url = psycopg.conninfo.make_conninfo(
        empty_database,
        host=f"127.0.0.1,{there['host']}",
        port=f"1,{there.get('port') or 5432}",
    )
    with connect(url, name="x") as connection:
        assert setting(connection, "transaction_read_only") == "off"


def test_connections_have_time_limits_and_use_utc(empty_database: str) -> None:
    pool = open_pool(
        empty_database, name="bound", statement_timeout=2.5, lock_timeout=None
    )
    with pool, pool.connection() as connection:
        assert connection.autocommit
        assert setting(connection, "statement_timeout") == "2500ms"
        assert setting(connection, "lock_timeout") == "0"
        assert setting(connection, "TimeZone") == "UTC"
        assert setting(connection, "application_name") == "autolynx bound"


def test_no_wait_exceeds_its_time_limit(empty_database: str) -> None:
    with proxy_to(empty_database) as proxy:
        connection = connect(proxy.url, name="x")
        proxy.arm(Fault.SILENT)
        started = monotonic()
        with within(120), within(0.2), pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        assert monotonic() - started < 60, "the longer limit was applied"
        assert connection.closed


def test_a_time_limit_ends_with_its_context(pool: Pool) -> None:
    with pool.connection() as connection:
        with within(0.001):
            pass
        assert connection.execute("select 1").fetchone() == (1,)


def test_work_is_repeated_until_it_succeeds(pool: Pool) -> None:
    pauses: list[float] = []

    def work(connection: Conn, attempt: Retry) -> int:
        if attempt.repeats < 3:
            connection.close()
            raise psycopg.OperationalError("gone")
        return attempt.repeats

    policy = RetryPolicy(60, sleep=pauses.append, jitter=lambda _, high: high)
    assert policy.run(pool, work) == 3
    assert pauses == [0.05, 0.1, 0.2]


def test_retries_end_after_the_time_of_the_policy(pool: Pool) -> None:
    def work(connection: Conn, attempt: Retry) -> None:
        raise psycopg.OperationalError("gone")

    with pytest.raises(StoreUnavailable, match="gone"):
        RetryPolicy(0.2).run(pool, work)


def test_a_read_only_refusal_stays_the_cause_when_later_tries_run_out_of_time(
    pool: Pool,
) -> None:
    def work(connection: Conn, attempt: Retry) -> None:
        if attempt.repeats:
            raise psycopg.OperationalError("the server did not answer in time")
        connection.execute("set default_transaction_read_only = on")
        connection.execute("create table written (a int)")

    pauses = iter([0.0, 99.0])
    policy = RetryPolicy(60, sleep=lambda _: None, jitter=lambda *_: next(pauses))
    with pytest.raises(StoreUnavailable) as caught:
        policy.run(pool, work)
    assert caught.value.__cause__ is not None
    refusal = caught.value.__cause__.__cause__
    assert isinstance(refusal, psycopg.errors.ReadOnlySqlTransaction)


def test_work_on_a_closed_pool_is_not_repeated(pool: Pool) -> None:
    def work(connection: Conn, attempt: Retry) -> None:
        raise AssertionError

    pool.close()
    policy = RetryPolicy(60, sleep=lambda _: pytest.fail("it waited"))
    with pytest.raises(StoreUnavailable):
        policy.run(pool, work)


def test_work_is_repeated_on_another_server_than_a_standby(pool: Pool) -> None:
    used: list[Conn] = []

    def work(connection: Conn, attempt: Retry) -> None:
        used.append(connection)
        if attempt.repeats == 0:
            connection.execute("set default_transaction_read_only = on")
        connection.execute("create table written (a int)")

    RetryPolicy(20).run(pool, work)
    assert used[0].closed
    assert used[1] is not used[0]


def test_a_pool_writes_again_once_the_database_accepts_writes(database: str) -> None:
    """A session keeps the default from its start, so it must be replaced."""
    with open_pool(database, name="test", max_size=1) as pool:
        with pool.connection() as connection:
            connection.execute("set default_transaction_read_only = on")
        with pytest.raises(psycopg.OperationalError, match="read-only"):
            create_table(pool)
        create_table(pool)


def create_table(pool: Pool) -> None:
    with pool.connection() as connection:
        connection.execute("create table written (a int)")


def test_a_listener_may_be_closed_and_stopped_at_the_same_time(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stop` must not write to a closed pipe, whose number another file may have."""
    write, closing = os.write, Thread(target=listener.close, daemon=True)

    def late(file: int, data: bytes) -> int:
        closing.start()
        closing.join(0.2)
        return write(file, data)

    monkeypatch.setattr("storage.database.os.write", late)
    listener.stop()
    join(closing)


def test_a_listener_first_yields_no_notifications(listener: Listener) -> None:
    assert received_by(iter(listener)) == []


def test_a_listener_receives_from_all_its_channels(
    empty_database: str, listener: Listener
) -> None:
    iterator = iter(listener)
    received_by(iterator)
    with psycopg.connect(empty_database) as connection:
        connection.execute("notify one, 'a'")
        connection.execute("notify \"Two\", 'b'")
        connection.execute("notify three, 'c'")
    assert received_by(iterator) == [("one", "a"), ("Two", "b")]


def test_a_listener_regularly_yields_no_notifications(empty_database: str) -> None:
    listener = Listener(empty_database, "one", every=0.01)
    iterator = iter(listener)
    assert [received_by(iterator) for _ in range(3)] == [[], [], []]
    listener.close()


def test_a_listener_reconnects(empty_database: str, listener: Listener) -> None:
    iterator = iter(listener)
    received_by(iterator)
    end_backends(empty_database, "autolynx listener")
    assert received_by(iterator) == []
    with psycopg.connect(empty_database) as connection:
        connection.execute("notify one, 'after'")
    assert received_by(iterator) == [("one", "after")]


def test_stop_ends_a_listener_at_once(empty_database: str) -> None:
    listener = Listener(empty_database, "one", every=3600)
    received: list[Any] = []
    thread = Thread(target=lambda: received.extend(listener), daemon=True)
    thread.start()
    listening = "select 1 from pg_stat_activity where application_name = %s"
    with psycopg.connect(empty_database, autocommit=True) as connection:
        eventually(
            lambda: connection.execute(listening, ("autolynx listener",)).rowcount == 1,
            within=20,
            what="the listener",
        )
    listener.stop()
    listener.stop()
    thread.join(20)
    assert not thread.is_alive()
    listener.close()


def test_one_session_at_a_time_has_a_lock(empty_database: str) -> None:
    key = lock_key("leader")
    with (
        connect(empty_database, name="a") as first,
        connect(empty_database, name="b") as second,
    ):
        with session_lock(first, key) as mine, session_lock(second, key) as theirs:
            assert (mine, theirs) == (True, False)
        with session_lock(second, key) as theirs:
            assert theirs


def test_a_lock_ends_with_its_connection(empty_database: str) -> None:
    key = lock_key("leader")
    with (
        connect(empty_database, name="leader") as first,
        connect(empty_database, name="b") as second,
        session_lock(first, key),
    ):
        end_backends(empty_database, "autolynx leader")
        with session_lock(second, key) as mine:
            assert mine


def test_keys_of_locks_differ_and_fit_in_64_bits() -> None:
    keys = {lock_key(str(n)) for n in range(100)}
    assert len(keys) == 100
    assert all(-(2**63) <= key < 2**63 for key in keys)


LIMITS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "default_transaction_isolation",
    "TimeZone",
)


def test_read_connections_have_the_same_time_limits(
    empty_database: str,
) -> None:
    with (
        open_pool(empty_database, name="writes") as writing,
        open_read_pool(empty_database, name="reads") as reading,
        writing.connection() as writer,
        reading.connection() as reader,
    ):
        limits = {name: setting(writer, name) for name in LIMITS}
        assert {name: setting(reader, name) for name in LIMITS} == limits
        assert limits["lock_timeout"] == "5s"
        tcp = reader.info.get_parameters()
        assert {name: tcp[name] for name in TCP} == {
            name: str(value) for name, value in TCP.items()
        }
        assert setting(reader, "default_transaction_read_only") == "on"
