"""Baseline for appends: one thread that stores what has queued up in one transaction.

It is the least that a group commit needs: no expected versions, no vault, no lock and
no notification.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from uuid import UUID

import psycopg

from storage.binary import Bigints, Byteas, Texts, Uuids

TABLE = b"""
create table bare_event (
    originator_id uuid not null, originator_version bigint not null,
    topic text not null, state bytea not null,
    notification_id bigint generated always as identity unique,
    primary key (originator_id, originator_version)
)
"""
INSERT = b"""
insert into bare_event (originator_id, originator_version, topic, state)
select * from unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])
"""

type Queued = tuple[UUID, str, bytes, Future[None]]


class BareWriter:
    """Appends first events of new streams; safe to share between threads."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection
        self._queue: SimpleQueue[Queued | None] = SimpleQueue()

    def append(self, originator_id: UUID, topic: str, state: bytes) -> None:
        """Return when the event is committed."""
        done: Future[None] = Future()
        self._queue.put((originator_id, topic, state, done))
        done.result()

    def write(self) -> None:
        """Store queued events until `close` is called."""
        while (first := self._queue.get()) is not None:
            group = [first]
            with suppress(Empty):
                while (one := self._queue.get_nowait()) is not None:
                    group.append(one)
            self._store(group)

    def close(self) -> None:
        """End `write`; no append may be under way."""
        self._queue.put(None)

    def _store(self, group: list[Queued]) -> None:
        ids, topics, states, waiting = zip(*group, strict=True)
        columns = Uuids(ids), Bigints([1] * len(ids)), Texts(topics), Byteas(states)
        try:
            self._connection.execute(INSERT, columns, prepare=True)
        except psycopg.Error as error:
            for done in waiting:
                done.set_exception(error)
        else:
            for done in waiting:
                done.set_result(None)


@contextmanager
def bare_writer(url: str) -> Iterator[BareWriter]:
    """Run a writer on a new table during the block."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        writer = BareWriter(connection)
        thread = Thread(target=writer.write)
        thread.start()
        try:
            yield writer
        finally:
            writer.close()
            thread.join()
