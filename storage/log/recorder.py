"""The log in Postgres: appends events and vault rows in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any, Never, override
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    DatabaseError,
    InfrastructureFactory,
    IntegrityError,
    Mapper,
    Notification,
    StoredEvent,
    TrackingRecorder,
)
from psycopg import errors

from application.errors import StreamMoved, VersionTooOld
from application.vault import VaultRow
from storage.binary import Bigints, Byteas, Packed, Texts, Uuids
from storage.database import Conn, Pool, Retry, RetryPolicy, within
from storage.log.group_commit import CommitQueue, QueuedAppend
from storage.log.mapper import TypedMapper
from storage.vault.tables import as_json, copy_rows, subjects
from storage.writer_version import TOO_OLD

CHANNEL = "autolynx_events"
"""Channel that is notified of each append; the payload is its last position."""

BULK_ROWS = 200
BULK_BYTES = 1_000_000
"""An append with more events, vault rows or bytes of state is stored by COPY."""

STREAM_MOVED = "LX001"
"""SQLSTATE of an append to a stream that does not have its expected version."""

HIGHEST = 2**63 - 1

APPEND = """
select autolynx_append(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[],
                       %b::uuid[], %b::bigint[], %t::json, %t)
"""
LOCK = "select autolynx_append_lock(%b::uuid[], %b::bigint[])"
WITHHOLD = "select autolynx_withhold(%b::uuid[])"
POSITIONS = "select nextval('autolynx_event_position') from generate_series(1, %s)"
# A client that stops within an append must not hold the lock against other writers.
BOUNDS = """
select set_config(name, %t, true) from unnest(array[
    'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'
]) as bound (name)
"""
COPY = """
copy autolynx_events (originator_id, originator_version, topic, state, notification_id)
from stdin (format binary)
"""
ALREADY_STORED = """
select stored.notification_id
from unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[]) with ordinality
    as wanted (id, version, topic, state, number)
join autolynx_events as stored
    on stored.originator_id = wanted.id and stored.originator_version = wanted.version
    and stored.topic = wanted.topic and stored.state = wanted.state
order by wanted.number
"""
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
        append = _Append(stored_events, vault, expect or {})
        if append.is_bulk or expect:
            return self._retry_policy.run(self._pool, append.attempt)
        return self._queue.store(append, append.streams, self._retry_policy.seconds)

    def _store_group(self, group: list[QueuedAppend["_Append"]]) -> list[Sequence[int]]:
        merged = _merged([queued.append for queued in group])
        left = group[0].left
        try:
            with within(left), self._pool.connection(timeout=left) as connection:
                positions = merged.attempt(connection, Retry(0, left))
        except (psycopg.OperationalError, psycopg.InterfaceError):
            for queued in group:
                queued.in_doubt = True
            raise
        each = iter(positions)
        return [list(islice(each, len(queued.append.events))) for queued in group]

    def _store_alone(self, queued: QueuedAppend["_Append"]) -> Sequence[int]:
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


class _Append:
    """The events and vault rows of one append; each try sends the same bytes."""

    def __init__(
        self,
        events: Sequence[StoredEvent],
        vault: Sequence[VaultRow],
        expect: Mapping[UUID, int],
    ) -> None:
        self.events, self.vault = events, vault
        self._columns = (
            [_uuid(event.originator_id) for event in events],
            [event.originator_version for event in events],
            [event.topic for event in events],
            [event.state for event in events],
        )
        self._expected = (list(expect), list(expect.values()))

    @cached_property
    def is_bulk(self) -> bool:
        rows = max(len(self.events), len(self.vault))
        return rows > BULK_ROWS or sum(map(len, self._columns[3])) > BULK_BYTES

    @property
    def _packed(self) -> tuple[Packed, ...]:
        ids, versions, topics, states = self._columns
        expected, at = self._expected
        return (
            *(Uuids(ids), Bigints(versions), Texts(topics), Byteas(states)),
            *(Uuids(expected), Bigints(at)),
        )

    @property
    def streams(self) -> frozenset[UUID]:
        return frozenset(self._columns[0])

    @cached_property
    def _vault_json(self) -> str | None:
        return as_json(self.vault)

    def attempt(self, connection: Conn, attempt: Retry) -> Sequence[int]:
        """Append, or detect that an earlier try was committed without an answer.

        A conflict in the first try is always with another writer. In a repeat it may be
        with our own earlier try: then every event is stored, byte for byte.
        """
        try:
            return self._store(connection, attempt.left)
        except errors.UniqueViolation as error:
            return self._own_positions_or_raise(
                IntegrityError(str(error)), connection, attempt
            )
        except psycopg.DatabaseError as error:
            if error.diag.sqlstate == STREAM_MOVED:
                return self._own_positions_or_raise(
                    StreamMoved(str(error)), connection, attempt
                )
            if error.diag.sqlstate == TOO_OLD:
                raise VersionTooOld(error.diag.message_primary) from error
            if isinstance(
                error, psycopg.OperationalError | errors.ReadOnlySqlTransaction
            ):
                raise
            raise DatabaseError(str(error)) from error

    def _own_positions_or_raise(
        self, conflict: IntegrityError, connection: Conn, attempt: Retry
    ) -> Sequence[int]:
        own = self._already_stored(connection) if attempt.repeats else []
        if len(own) != len(self.events):
            raise conflict
        return own

    def _already_stored(self, connection: Conn) -> list[int]:
        cursor = connection.cursor(binary=True)
        return [row[0] for row in cursor.execute(ALREADY_STORED, self._columns)]

    def _store(self, connection: Conn, left: float) -> Sequence[int]:
        wait = f"{max(int(left * 1000), 1)}ms"
        if self.is_bulk:
            return self._store_by_copy(connection, wait)
        return self._store_by_function(connection, wait)

    def _store_by_function(self, connection: Conn, wait: str) -> Sequence[int]:
        cursor = connection.cursor(binary=True)
        values = (*self._packed, self._vault_json, wait)
        row = cursor.execute(APPEND, values, prepare=True).fetchone()
        assert row is not None
        positions: list[int] = row[0]
        return positions

    def _store_by_copy(self, connection: Conn, wait: str) -> Sequence[int]:
        """Append by COPY: the vault rows before the lock is taken, then the events."""
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            cursor.execute(BOUNDS, (wait,))
            copy_rows(connection, self.vault)
            cursor.execute(LOCK, self._expected)
            if subject_ids := subjects(self.vault):
                cursor.execute(WITHHOLD, (subject_ids,))
            cursor.execute(POSITIONS, (len(self.events),))
            positions = sorted(row[0] for row in cursor)
            self._copy_events(connection, positions)
            last = str(positions[-1])
            cursor.execute("select pg_notify(%t, %t)", (CHANNEL, last))
        return positions

    def _copy_events(self, connection: Conn, positions: Sequence[int]) -> None:
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.set_types(["uuid", "int8", "text", "bytea", "int8"])
            for row in zip(*self._columns, positions, strict=True):
                copy.write_row(row)


def _merged(appends: Sequence[_Append]) -> _Append:
    events = [event for append in appends for event in append.events]
    return _Append(events, [row for append in appends for row in append.vault], {})


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


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
