"""Read tables of another version are detected and rebuilt by the projector."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from threading import Thread

import pytest

from projections.engine import rebuild, schema
from projections.engine.compare import differences
from projections.engine.rebuild import ChainDiffers, alone
from projections.engine.runner import NotPrepared, Projector, catch_up
from projections.engine.schema import create_read_model, outdated, outdated_message
from projections.engine.upgrade import rebuild_outdated
from storage.database import connect
from tests.projections.random_lives import whole_life
from tests.projections.store import Store
from tests.support import eventually

EVENTS = whole_life(Random(1), 80).events
SOME = len(EVENTS) // 2


@pytest.fixture
def lived(store: Store) -> Store:
    store.append(EVENTS[:SOME])
    catch_up(store.conn)
    return store


def as_made_by_another_version(store: Store, table: str) -> None:
    store.conn.execute(f"comment on table {table} is 'form of old'".encode())


def wrong_rows(store: Store) -> list[str]:
    create_read_model(store.conn, "again")
    with connect(store.url, name="again") as conn:
        catch_up(conn, schema="again", notify=False)
    return [str(one) for one in differences(store.conn, "read", "again", most=100)]


@contextmanager
def projecting(store: Store) -> Iterator[None]:
    prepare = partial(rebuild_outdated, store.url)
    projector = Projector(store.url, every=0.05, prepare=prepare)
    thread = Thread(target=projector.run)
    thread.start()
    try:
        yield
    finally:
        projector.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_tables_of_this_version_are_not_outdated(lived: Store) -> None:
    assert outdated(lived.conn) == []
    assert outdated_message(lived.conn) is None
    kept = lived.value("select 'read.call_log'::regclass::oid::bigint")
    rebuild_outdated(lived.url, lived.conn)
    assert lived.value("select 'read.call_log'::regclass::oid::bigint") == kept


def test_the_projector_rebuilds_a_table_of_an_older_version(lived: Store) -> None:
    lived.conn.execute("alter table campaign_board drop column cap")
    as_made_by_another_version(lived, "campaign_board")
    assert outdated(lived.conn) == ["campaign_board"]
    assert "autolynx projections rebuild" in str(outdated_message(lived.conn))
    last = lived.append(EVENTS[SOME:])
    with projecting(lived):
        eventually(lambda: lived.position() == last, what="the new events")
    assert outdated(lived.conn) == []
    assert wrong_rows(lived) == []


def test_a_table_created_later_is_filled_from_earlier_events(lived: Store) -> None:
    lived.conn.execute("drop table spend_by_day, contact_log")
    create_read_model(lived.conn)
    assert lived.value("select count(*) from contact_log") == 0
    assert outdated(lived.conn) == ["contact_log", "spend"]
    rebuild_outdated(lived.url, lived.conn)
    assert outdated(lived.conn) == []
    assert lived.value("select count(*) from contact_log") > 0
    assert wrong_rows(lived) == []


def test_a_table_whose_handler_version_changed_is_outdated(
    lived: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table,) = schema._TABLES["call_log"]
    changed = table._replace(handler_version=table.handler_version + 1)
    new = {**schema._TABLES, "call_log": (changed,)}
    monkeypatch.setattr(schema, "_TABLES", new)
    assert outdated(lived.conn) == ["call_log"]


def test_the_upgrade_waits_for_the_end_of_a_verification(
    lived: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "LOCK_SECONDS", 0.05)
    as_made_by_another_version(lived, "call_log")
    with connect(lived.url, name="verify") as other, alone(other):
        with pytest.raises(NotPrepared, match="under way"):
            rebuild_outdated(lived.url, lived.conn)
        assert outdated(lived.conn) == ["call_log"]
    with projecting(lived):
        eventually(lambda: outdated(lived.conn) == [], what="rebuilt tables")


def test_a_changed_log_prevents_the_upgrade(lived: Store) -> None:
    lived.conn.execute(
        "update autolynx_events set state = state || ' ' where notification_id = 3"
    )
    as_made_by_another_version(lived, "call_log")
    with pytest.raises(ChainDiffers, match="Event 3 "):
        rebuild_outdated(lived.url, lived.conn)
    assert outdated(lived.conn) == ["call_log"]
