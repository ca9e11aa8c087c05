"""Projectors: one leads, the others take over."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched
from signal import SIGCONT
from subprocess import DEVNULL, Popen
from threading import Thread

import pytest

from projections.engine.runner import (
    ProjectionStopped,
    Projector,
)
from storage.database import lock_key
from tests import child_process
from tests.child_process import START_SECONDS, is_stopped
from tests.projections.engine.read_tables import append_raw, life_of, rebuilt, rows
from tests.projections.store import Store
from tests.support import eventually


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


def test_two_projectors_with_broken_connections_apply_each_event_once(
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


def test_the_projector_ends_at_an_event_that_cannot_be_applied(store: Store) -> None:
    bad = append_raw(store, "call.nobody_knows", b"{}")
    with pytest.raises(ProjectionStopped, match=f"Event {bad} "):
        Projector(store.url).run()


def test_only_one_projector_leads_and_a_standby_takes_over(store: Store) -> None:
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


FREEZING_PROJECTOR = """
import os, signal, sys
from projections.engine.runner import Projector
from projections.engine.row_writer import Writer

def write_and_freeze(self, writes, write=Writer.write_packed):
    write(self, writes)
    Writer.write_packed = write
    os.kill(os.getpid(), signal.SIGSTOP)

Writer.write_packed = write_and_freeze
Projector(sys.argv[1], every=0.05, silent_after=1.0, batch=10).run()
"""
"""A projector that freezes with its first batch written, before the commit."""


def test_a_frozen_leader_is_replaced_and_cannot_write_afterwards(
    store: Store,
) -> None:
    events = life_of(17).events
    first = store.append(events[:20])
    command = [sys.executable, "-c", FREEZING_PROJECTOR, store.url]
    with Popen(command, stderr=DEVNULL) as frozen:
        try:
            eventually(lambda: is_stopped(frozen.pid), START_SECONDS, "the freeze")
            assert store.position() == 0
            with running(Projector(store.url, every=0.05, silent_after=1.0)):
                eventually(lambda: store.position() == first, 10, "its successor")
                frozen.send_signal(SIGCONT)
                last = store.append(events[20:])
                eventually(lambda: store.position() == last, 10, "the last event")
                eventually(lambda: connections(store) == 2, 10, "one that waits again")
                assert leaders(store) == 1
        finally:
            child_process.kill(frozen)
    assert rows(store) == rebuilt(store)


def test_stop_is_prompt_and_idempotent(store: Store) -> None:
    projector = Projector(store.url, every=60)
    with running(projector) as (thread,):
        position = store.append(life_of(13).events)
        eventually(lambda: store.position() == position)
        projector.stop()
        projector.stop()
        thread.join(30)
        assert not thread.is_alive()
