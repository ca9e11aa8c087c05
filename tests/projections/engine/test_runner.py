"""Each event is applied once, in order, or the projector stops and says where."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import batched
from random import Random
from signal import SIGCONT
from subprocess import DEVNULL, Popen
from threading import Thread
from typing import Any
from uuid import uuid4

import orjson
import pytest
from psycopg import Notify, sql
from psycopg.errors import ReadOnlySqlTransaction

from domain.campaign import Campaign
from projections.engine.runner import (
    CHANGED,
    Batches,
    PositionMoved,
    ProjectionStopped,
    Projector,
    ReadModelMissing,
    _Checkpoint,
    catch_up,
)
from projections.engine.schema import TABLES, create_read_model
from storage.database import Listener, connect, lock_key
from tests.projections.conftest import Store
from tests.projections.lives import Life, whole_life
from tests.projections.memory import projected
from tests.support import eventually

type Tables = dict[str, list[tuple[Any, ...]]]


def life_of(seed: int, steps: int = 150) -> Life:
    return whole_life(Random(seed), steps)


def rows(store: Store, schema: str = "read") -> Tables:
    names = [*(table.name for table in TABLES), "projection_position"]
    found: Tables = {}
    for name in names:
        table = sql.Identifier(schema, name)
        query = sql.SQL("select * from {} t order by t::text").format(table)
        found[name] = store.conn.execute(query).fetchall()
    return found


def rebuilt(store: Store, batch: int = 2000) -> Tables:
    """Bring the whole log into a second schema and read that."""
    store.conn.execute("drop schema if exists again cascade")
    with connect(store.url, name="rebuild") as conn:
        create_read_model(conn, "again")
        catch_up(conn, schema="again", batch=batch, notify=False)
    return rows(store, "again")


@contextmanager
def running(*projectors: Projector) -> Iterator[list[Thread]]:
    threads = [Thread(target=projector.run) for projector in projectors]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for projector in projectors:
            projector.stop()
        for thread in threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in threads)


@contextmanager
def hearing(store: Store) -> Iterator[Iterator[tuple[Notify, ...]]]:
    listener = Listener(store.url, CHANGED, every=10)
    heard = iter(listener)
    assert next(heard) == ()
    try:
        yield heard
    finally:
        listener.stop()
        assert next(heard, None) is None
        listener.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_rebuild_equals_what_was_brought_in_live(store: Store, seed: int) -> None:
    for number, events in enumerate(batched(life_of(seed).events, 20)):
        store.append(events)
        catch_up(store.conn, batch=(1, 3, 500)[number % 3])
    live = rows(store)
    assert live == rebuilt(store)
    assert live == rebuilt(store, batch=7)
    assert len(live["event_index"]) == store.position()


def test_the_tables_hold_what_the_handlers_say(store: Store) -> None:
    life = life_of(4)
    store.append(life.events)
    catch_up(store.conn)
    memory = projected(life.events)
    for table in TABLES:
        if table.name == "event_index":
            continue
        names = columns(store, table.name)
        query = sql.SQL("select * from {}").format(sql.Identifier(table.name))
        found = [
            dict(zip(names, row, strict=True)) for row in store.conn.execute(query)
        ]
        told = memory.tables[table.name]
        assert len(found) == len(told), table.name
        for row in found:
            said = told[tuple(row[name] for name in table.key)]
            assert {name: row[name] for name in said if name != "config"} == {
                name: value for name, value in said.items() if name != "config"
            }


def columns(store: Store, table: str) -> list[str]:
    query = sql.SQL("select * from {} limit 0").format(sql.Identifier(table))
    return [column.name for column in store.conn.execute(query).description or ()]


def test_two_at_once_whose_connections_die_apply_each_event_once(
    store: Store,
) -> None:
    events = life_of(5, steps=400).events
    pair = [Projector(store.url, leads=False, batch=3, every=0.05) for _ in "ab"]
    with running(*pair):
        for some in batched(events, 10):
            last = store.append(some)
            kill(store, "autolynx projector")
        eventually(lambda: store.position() == last, 30, "the last event")
    assert rows(store) == rebuilt(store)


def kill(store: Store, name: str) -> None:
    store.conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = %s and datname = current_database()",
        (name,),
    )


def test_a_runner_goes_on_where_another_was_cut_off(store: Store) -> None:
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


def test_what_was_applied_is_not_applied_again(store: Store) -> None:
    events = life_of(7).events
    store.append(events)
    assert catch_up(store.conn) == len(events)
    before = rows(store)
    assert catch_up(store.conn) == 0
    assert rows(store) == before


@pytest.mark.parametrize("batch", [1, 8, 2000])
def test_an_unknown_topic_stops_it_there_with_all_before_it_applied(
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


def test_a_value_that_a_table_refuses_stops_it_there(store: Store) -> None:
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


def append_raw(store: Store, topic: str, state: bytes) -> int:
    return int(
        store.value(
            "insert into autolynx_events"
            " (originator_id, originator_version, topic, state)"
            " values (%s, 1, %s, %s) returning notification_id",
            uuid4(),
            topic,
            state,
        )
    )


def test_the_projector_ends_with_the_bad_event(store: Store) -> None:
    bad = append_raw(store, "call.nobody_knows", b"{}")
    with pytest.raises(ProjectionStopped, match=f"Event {bad} "):
        Projector(store.url).run()


def test_a_batch_tells_once_its_position_and_the_campaigns_that_changed(
    store: Store,
) -> None:
    life = life_of(11)
    with hearing(store) as heard:
        last = store.append(life.events)
        catch_up(store.conn)
        (told,) = next(heard)
    assert orjson.loads(told.payload) == {
        "position": last,
        "campaigns": sorted(str(campaign.id) for campaign in life.campaigns),
    }


def test_above_a_hundred_campaigns_it_says_that_any_may_have_changed(
    store: Store,
) -> None:
    life = Life(Random(0))
    for _ in range(101):
        life.open_campaign(0)
    with hearing(store) as heard:
        store.append(life.events)
        catch_up(store.conn)
        (told,) = next(heard)
    assert orjson.loads(told.payload)["campaigns"] == "*"


def test_a_large_import_comes_in_by_batches_of_bounded_size(store: Store) -> None:
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


def test_only_one_leads_and_the_other_takes_over(store: Store) -> None:
    events = life_of(12).events
    first, second = (Projector(store.url, every=0.05) for _ in "ab")
    with running(first):
        position = store.append(events[:10])
        eventually(lambda: store.position() == position)
        with running(second):
            assert leaders(store) == 1
            eventually(lambda: connections(store) == 2)
            first.stop()
            position = store.append(events[10:])
            eventually(lambda: store.position() == position)
            assert leaders(store) == 1


def leaders(store: Store) -> int:
    key = lock_key("autolynx:projector")
    query = """
        select count(*) from pg_locks where locktype = 'advisory' and granted
            and database = (select oid from pg_database
                where datname = current_database())
            and (classid::bigint << 32 | objid::bigint) = %s
    """
    return int(store.value(query, key))


def connections(store: Store) -> int:
    query = """
        select count(*) from pg_stat_activity
        where application_name = 'autolynx projector'
            and datname = current_database()
    """
    return int(store.value(query))


FREEZES = """
import os, signal, sys
from projections.engine.runner import Projector
from projections.engine.row_writer import Writer

def write_and_freeze(self, writes, write=Writer.write):
    write(self, writes)
    Writer.write = write
    os.kill(os.getpid(), signal.SIGSTOP)

Writer.write = write_and_freeze
Projector(sys.argv[1], every=0.05, silent_after=1.0, batch=10).run()
"""
"""A projector that freezes with its first batch written, before the commit."""


def test_a_frozen_one_is_replaced_and_writes_nothing_when_it_wakes(
    store: Store,
) -> None:
    events = life_of(17).events
    first = store.append(events[:20])
    command = [sys.executable, "-c", FREEZES, store.url]
    with Popen(command, stderr=DEVNULL) as frozen:
        try:
            _, status = os.waitpid(frozen.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            assert store.position() == 0
            with running(Projector(store.url, every=0.05, silent_after=1.0)):
                eventually(lambda: store.position() == first, 10, "its successor")
                frozen.send_signal(SIGCONT)
                last = store.append(events[20:])
                eventually(lambda: store.position() == last, 10, "the last event")
                eventually(lambda: connections(store) == 2, 10, "one that waits again")
                assert leaders(store) == 1
        finally:
            frozen.kill()
    assert rows(store) == rebuilt(store)


def test_stopping_is_prompt_and_may_be_repeated(store: Store) -> None:
    projector = Projector(store.url, every=60)
    with running(projector) as (thread,):
        position = store.append(life_of(13).events)
        eventually(lambda: store.position() == position)
        projector.stop()
        projector.stop()
        thread.join(30)
        assert not thread.is_alive()


def test_the_read_model_can_be_made_by_many_at_once(empty_database: str) -> None:
    def make() -> None:
        with connect(empty_database, name="maker") as conn:
            create_read_model(conn)
            made.append(True)

    made: list[bool] = []
    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8


def test_each_link_of_the_chain_stands_for_the_whole_log_before_it(
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


def test_a_read_model_that_was_not_made_is_named(store: Store) -> None:
    store.conn.execute("delete from projection_position")
    with pytest.raises(ReadModelMissing, match="create it first"):
        catch_up(store.conn)


def test_a_position_that_moved_meanwhile_undoes_the_batch(store: Store) -> None:
    last = store.append(life_of(15).events)
    batches = Batches(store.conn)
    batches._locked = lambda: _Checkpoint(-1, bytes(32))  # type: ignore[method-assign] # as if it had not waited
    with pytest.raises(PositionMoved):
        batches.apply(500)
    assert store.position() == 0
    assert rows(store)["call_log"] == []
    assert catch_up(store.conn) == last


def test_a_server_that_became_a_standby_stops_nothing_for_good(store: Store) -> None:
    store.append(life_of(16).events)
    store.conn.execute("set default_transaction_read_only = on")
    with pytest.raises(ReadOnlySqlTransaction):
        Batches(store.conn).apply(500)
