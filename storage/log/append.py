"""One append: its events and vault rows, stored by one SQL function or by COPY."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import DatabaseError, IntegrityError, StoredEvent
from psycopg import errors

from application.errors import StreamMoved, VersionTooOld
from application.vault import VaultRow
from storage.binary import Bigints, Byteas, Packed, Texts, Uuids
from storage.database import Conn, Retry
from storage.vault.tables import (
    as_json,
    copy_rows,
    message_columns,
    messages_and_others,
    subjects,
)
from storage.writer_version import TOO_OLD

CHANNEL = "autolynx_events"
"""Channel that is notified of each append; the payload is its last position."""

BULK_ROWS = 200
BULK_BYTES = 1_000_000
"""An append with more events, vault rows or bytes of state is stored by COPY."""

STREAM_MOVED = "LX001"
"""SQLSTATE of an append to a stream that does not have its expected version."""

APPEND = """
select autolynx_append(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[],
                       %b::uuid[], %b::bigint[], %t::json, %t)
"""
APPEND_MESSAGES = """
select autolynx_append_messages(
    %b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::uuid[], %b::bigint[],
    %b::uuid[], %b::uuid[], %b::uuid[], %b::json[], %b::text[], %b::json[], %b::json[],
    %b::text[], %b::text[], %b::bytea[], %b::bytea[], %t::json, %t)
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


class Append:
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
        """Whether it is stored by COPY."""
        rows = max(len(self.events), len(self.vault))
        return rows > BULK_ROWS or sum(map(len, self._columns[3])) > BULK_BYTES

    @property
    def streams(self) -> frozenset[UUID]:
        """The ids of the streams to which the events belong."""
        return frozenset(self._columns[0])

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
        statement, values = self._call
        cursor = connection.cursor(binary=True)
        row = cursor.execute(statement, (*values, wait), prepare=True).fetchone()
        assert row is not None
        positions: list[int] = row[0]
        return positions

    @cached_property
    def _call(self) -> tuple[bytes, tuple[Any, ...]]:
        """The statement and its values, without the last one: the longest wait."""
        ids, versions, topics, states = self._columns
        expected, at = self._expected
        packed: tuple[Packed, ...] = (
            *(Uuids(ids), Bigints(versions), Texts(topics), Byteas(states)),
            *(Uuids(expected), Bigints(at)),
        )
        messages, others = messages_and_others(self.vault)
        if not messages:
            return APPEND.encode(), (*packed, as_json(others))
        columns = message_columns(messages)
        return APPEND_MESSAGES.encode(), (*packed, *columns, as_json(others))

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


def merged(appends: Sequence[Append]) -> Append:
    """Return one append of the events and rows of several; none may expect versions."""
    events = [event for append in appends for event in append.events]
    return Append(events, [row for append in appends for row in append.vault], {})


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
