"""Batches of events: each event is applied once, in the order of the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import batched
from random import Random
from threading import Thread
from typing import Any

import orjson
import pytest
from psycopg import Notify, sql
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.types.json import Jsonb

from domain.campaigns.campaign import Campaign
from projections.contacts.contact_groups import COUNTS
from projections.engine.runner import (
    CHANGED,
    Batches,
    PositionMoved,
    ProjectionStopped,
    ReadModelMissing,
    _Checkpoint,
    catch_up,
)
from projections.engine.schema import TABLES, create_read_model
from storage.database import Listener, connect
from storage.migrate import migrate
from tests.child_process import join
from tests.projections.engine.read_tables import append_raw, life_of, rebuilt, rows
from tests.projections.lives import Life
from tests.projections.memory import projected
from tests.projections.store import Store


@contextmanager
def listening(store: Store) -> Iterator[Iterator[tuple[Notify, ...]]]:
    listener = Listener(store.url, CHANGED, every=10)
    received = iter(listener)
    assert next(received) == ()
    try:
        yield received
    finally:
        listener.stop()
        assert next(received, None) is None
        listener.close()


@pytest.mark.parametrize("seed", range(3))
def test_tables_filled_at_once_equal_those_filled_live(store: Store, seed: int) -> None:
    for number, events in enumerate(batched(life_of(seed).events, 20)):
        store.append(events)
        catch_up(store.conn, batch=(1, 3, 500)[number % 3])
    live = rows(store)
    assert live == rebuilt(store)
    assert live == rebuilt(store, batch=7)
    assert len(live["event_index"]) == store.position()


def test_the_tables_contain_the_rows_that_the_handlers_return(store: Store) -> None:
    life = life_of(4)
    store.append(life.events)
    catch_up(store.conn)
    memory = projected(life.events)
    for table in TABLES:
        if table.name in {"event_index", COUNTS}:
            continue  # They are not written by handlers.
        names = columns(store, table.name)
        query = sql.SQL("select * from {}").format(sql.Identifier(table.name))
        found = [
            dict(zip(names, row, strict=True)) for row in store.conn.execute(query)
        ]
        received = memory.tables[table.name]
        assert len(found) == len(received), table.name
        for row in found:
            fields = received[tuple(row[name] for name in table.key)]
            assert {name: row[name] for name in fields if name != "config"} == {
                name: value.obj if isinstance(value, Jsonb) else value
                for name, value in fields.items()
                if name != "config"
            }


def columns(store: Store, table: str) -> list[str]:
    query = sql.SQL("select * from {} limit 0").format(sql.Identifier(table))
    return [column.name for column in store.conn.execute(query).description or ()]


def test_a_runner_continues_after_the_last_committed_batch(store: Store) -> None:
    last = store.append(life_of(6).events)
    with connect(store.url, name="first") as conn:
        Batches(conn).apply(40)
    with (
        connect(store.url, name="second") as conn,
        conn.transaction(force_rollback=True),
    ):
        Batches(conn).apply(40)  # It dies before its commit.
    assert store.position() == 40
    assert catch_up(store.conn) == last - 40
    assert rows(store) == rebuilt(store)


def test_an_applied_event_is_not_applied_again(store: Store) -> None:
    events = life_of(7).events
    store.append(events)
    assert catch_up(store.conn) == len(events)
    before = rows(store)
    assert catch_up(store.conn) == 0
    assert rows(store) == before


@pytest.mark.parametrize("batch", [1, 8, 2000])
def test_an_unknown_topic_stops_the_runner_after_all_earlier_events(
    store: Store, batch: int
) -> None:
    events = life_of(8).events
    before = store.append(events[:37])
    bad = append_raw(store, "call.nobody_knows", b"{}")
    store.append(events[37:])
    with pytest.raises(ProjectionStopped) as stopped:
        catch_up(store.conn, batch=batch)
    assert (stopped.value.position, stopped.value.topic) == (bad, "call.nobody_knows")
    assert store.position() == before
    assert len(rows(store)["event_index"]) == before


def test_a_value_that_a_table_refuses_stops_the_runner(store: Store) -> None:
    life = life_of(10)
    made = next(event for event in life.events if isinstance(event, Campaign.Created))
    state = {**orjson.loads(stored_state(store, made)), "cap": 2**40}
    bad = append_raw(store, "campaign.created", orjson.dumps(state))
    with pytest.raises(ProjectionStopped, match="integer out of range") as stopped:
        catch_up(store.conn)
    assert stopped.value.position == bad
    assert store.position() == bad - 1


def stored_state(store: Store, event: Any) -> bytes:
    store.append([event])
    return bytes(store.value("select state from autolynx_events limit 1"))


def test_a_batch_notifies_once_with_its_position_and_changed_campaigns(
    store: Store,
) -> None:
    life = life_of(11)
    with listening(store) as received:
        last = store.append(life.events)
        catch_up(store.conn)
        (notification,) = next(received)
    assert orjson.loads(notification.payload) == {
        "position": last,
        "campaigns": sorted(str(campaign.id) for campaign in life.campaigns),
    }


def test_a_notification_names_no_campaigns_if_more_than_a_hundred_changed(
    store: Store,
) -> None:
    life = Life(Random(0))
    for _ in range(101):
        life.open_campaign(0)
    with listening(store) as received:
        store.append(life.events)
        catch_up(store.conn)
        (notification,) = next(received)
    assert orjson.loads(notification.payload)["campaigns"] == "*"


def test_a_large_import_is_applied_in_batches_of_limited_size(store: Store) -> None:
    life = Life(Random(0))
    campaign = life.open_campaign(0)
    one = life.fill_list(campaign, [])
    ids = [life.id() for _ in range(60_000)]
    for chunk in batched(ids, 1000):
        one.accept(contact_ids=chunk, digest="", staged_up_to=0, **life.stamp())
    life.record(one)
    store.append(life.events)
    first = Batches(store.conn).apply(2000)
    assert first.more
    assert first.events < len(life.events)
    catch_up(store.conn)
    assert store.value("select count(*) from contact_log") == 60_000


def test_several_processes_may_create_the_read_model(empty_database: str) -> None:
    migrate(empty_database)

    def create() -> None:
        with connect(empty_database, name="maker") as conn:
            create_read_model(conn)
            created.append(True)

    created: list[bool] = []
    threads = [Thread(target=create, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        join(thread)
    assert len(created) == 8


def test_each_link_of_the_chain_depends_on_all_earlier_events(
    store: Store,
) -> None:
    store.append(life_of(14).events)
    catch_up(store.conn, batch=7)
    head = bytes(32)
    for (position, *stored, state), (link,) in zip(
        store.conn.execute(
            "select notification_id, originator_id::text, originator_version::text,"
            " topic, state from autolynx_events order by notification_id"
        ).fetchall(),
        store.conn.execute("select hash from event_index order by position").fetchall(),
        strict=True,
    ):
        parts = [str(position).encode(), *(p.encode() for p in stored), state]
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        head = sha256(head + sha256(framed).digest()).digest()
        assert link == head
    assert store.value("select head from projection_position") == head


def test_a_missing_checkpoint_is_reported(store: Store) -> None:
    store.conn.execute("delete from projection_position")
    with pytest.raises(ReadModelMissing, match="create it first"):
        catch_up(store.conn)


def test_a_batch_is_rolled_back_if_the_checkpoint_has_moved(store: Store) -> None:
    last = store.append(life_of(15).events)
    batches = Batches(store.conn)
    batches._locked = lambda: _Checkpoint(-1, bytes(32))  # type: ignore[method-assign] # as if it had not waited
    with pytest.raises(PositionMoved):
        batches.apply(500)
    assert store.position() == 0
    assert rows(store)["call_log"] == []
    assert catch_up(store.conn) == last


def test_a_read_only_server_does_not_stop_the_projection_for_good(store: Store) -> None:
    store.append(life_of(16).events)
    store.conn.execute("set default_transaction_read_only = on")
    with pytest.raises(ReadOnlySqlTransaction):
        Batches(store.conn).apply(500)
