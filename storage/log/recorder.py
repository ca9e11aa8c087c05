"""The log in Postgres: appends events and vault rows in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Never, override
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    Notification,
    StoredEvent,
    TrackingRecorder,
)

from application.vault import VaultRow
from storage.binary import Bigints, Uuids
from storage.database import Conn, Pool, Retry, RetryPolicy, within
from storage.log.append import Append, merged
from storage.log.group_commit import CommitQueue, QueuedAppend
from storage.log.mapper import TypedMapper

HIGHEST = 2**63 - 1

STREAM = """
select originator_id, originator_version, topic, state from autolynx_events
where originator_id = %b and originator_version > %b and originator_version <= %b
order by originator_version limit %b
"""
STREAMS = """
select originator_id, originator_version, topic, state from autolynx_events
where originator_id = any(%b::uuid[]) order by originator_id, originator_version
"""
STREAMS_AND_NEWEST = """
(select originator_id, originator_version, topic, state from autolynx_events
where originator_id = any(%b::uuid[]))
union all
(select stored.originator_id, stored.originator_version, stored.topic, stored.state
from unnest(%b::uuid[], %b::bigint[]) as wanted (id, most)
cross join lateral (
    select * from autolynx_events where originator_id = wanted.id
    order by originator_version desc limit wanted.most
) as stored)
order by originator_id, originator_version
"""
STREAM_BACKWARDS = STREAM.replace("limit", "desc limit")
NOTIFICATIONS = """
select originator_id, originator_version, topic, state, notification_id
from autolynx_events
where notification_id >= %b and notification_id <= %b
    and (cardinality(%b::text[]) = 0 or topic = any(%b::text[]))
order by notification_id limit %b
"""


class EventRecorder(ApplicationRecorder):
    """Appends and reads events; safe to share between threads.

    Every method raises `StoreUnavailable` if Postgres stays unavailable for as long as
    the retry policy allows.
    """

    def __init__(self, pool: Pool, retry_policy: RetryPolicy | None = None) -> None:
        self._pool, self._retry_policy = pool, retry_policy or RetryPolicy()
        self._queue = CommitQueue(self._store_group, self._store_alone)

    @override
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
        **_: Any,
    ) -> Sequence[int]:
        """Append all events or none; return their positions in the same order.

        `vault` rows are stored in the same transaction. `expect` maps streams to the
        versions (0: no events) that they must still have when the append is stored.

        Raises:
            StreamMoved: one of them has another version.
            IntegrityError: an event or a vault row with such a key exists already.
            VersionTooOld: the database refuses writes of this version of AutoLynx.
        """
        if not stored_events:
            _refuse_rows_without_event(vault)
            return []
        append = Append(stored_events, vault, expect or {})
        if append.is_bulk or expect:
            return self._retry_policy.run(self._pool, append.attempt)
        return self._queue.store(append, append.streams, self._retry_policy.seconds)

    def _store_group(self, group: list[QueuedAppend[Append]]) -> list[Sequence[int]]:
        together = merged([queued.append for queued in group])
        left = group[0].left
        try:
            with within(left), self._pool.connection(timeout=left) as connection:
                positions = together.attempt(connection, Retry(0, left))
        except (psycopg.OperationalError, psycopg.InterfaceError):
            for queued in group:
                queued.in_doubt = True
            raise
        each = iter(positions)
        return [list(islice(each, len(queued.append.events))) for queued in group]

    def _store_alone(self, queued: QueuedAppend[Append]) -> Sequence[int]:
        repeats = int(queued.in_doubt)

        def attempt(connection: Conn, attempt: Retry) -> Sequence[int]:
            known = replace(attempt, repeats=attempt.repeats + repeats)
            return queued.append.attempt(connection, known)

        return replace(self._retry_policy, seconds=queued.left).run(self._pool, attempt)

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = self._select(
            STREAM_BACKWARDS if desc else STREAM,
            originator_id,
            gt or 0,
            HIGHEST if lte is None else lte,
            limit,
        )
        return [StoredEvent(*row) for row in rows]

    def select_streams(
        self, ids: Collection[UUID], newest: Mapping[UUID, int] | None = None
    ) -> Sequence[StoredEvent]:
        """Read complete streams with one query, each ordered by version.

        `newest` maps further streams to how many of their last events are read.
        """
        if newest:
            limits = (Uuids(list(newest)), Bigints(list(newest.values())))
            rows = self._select(STREAMS_AND_NEWEST, Uuids(list(ids)), *limits)
        else:
            rows = self._select(STREAMS, Uuids(list(ids)))
        return [StoredEvent(*row) for row in rows]

    @override
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = (start or 0) + (0 if inclusive_of_start or start is None else 1)
        wanted = list(topics)
        last = HIGHEST if stop is None else stop
        rows = self._select(NOTIFICATIONS, first, last, wanted, wanted, limit)
        return [Notification(*row) for row in rows]

    @override
    def max_notification_id(self) -> int | None:
        rows = self._select("select max(notification_id) from autolynx_events")
        return None if rows[0][0] is None else int(rows[0][0])

    @override
    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Never:
        message = "use select_notifications and storage.database.Listener"
        raise NotImplementedError(message)

    def _select(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        def work(connection: Conn, _: Retry) -> list[tuple[Any, ...]]:
            cursor = connection.cursor(binary=True)
            return cursor.execute(statement.encode(), values, prepare=True).fetchall()

        return self._retry_policy.run(self._pool, work)


def _refuse_rows_without_event(vault: Sequence[VaultRow]) -> None:
    if vault:
        raise ValueError("vault rows are stored only with an event that refers to them")


class EventStoreFactory(InfrastructureFactory[TrackingRecorder]):
    """Builds the recorder for the library's Application; the caller closes the pool."""

    def __init__(self, pool: Pool, retry_policy: RetryPolicy | None = None) -> None:
        super().__init__(env={})
        self._pool, self._retry_policy = pool, retry_policy

    @override
    def mapper(self, *_: Any, **__: Any) -> Mapper[Any]:
        return TypedMapper()

    @override
    def application_recorder(self) -> EventRecorder:
        return EventRecorder(self._pool, self._retry_policy)

    @override
    def aggregate_recorder(self, purpose: str = "events") -> Never:
        raise NotImplementedError(f"no recorder for {purpose}: there are no snapshots")

    @override
    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> Never:
        raise NotImplementedError("projections store their own checkpoint")

    @override
    def process_recorder(self) -> Never:
        raise NotImplementedError("projections store their own checkpoint")

    @override
    def is_snapshotting_enabled(self) -> bool:
        return False
