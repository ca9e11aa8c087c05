"""The scheduler's decisions, and the heartbeats and clocks of the processes."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why contacts wait; `code` is the name of a WaitingCode."""

    code: str
    message: str
    contacts: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Result of one pass of the scheduler for a campaign.

    `room` counts the free slots, `placed` the calls placed in this pass.
    """

    campaign_id: UUID
    decided_at: datetime
    room: int
    placed: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last heartbeat of a role's leader, by the database's clock.

    A standby may replace the leader `silent_after` seconds after its last heartbeat.
    """

    holder: str
    backend_pid: int
    age_seconds: float
    beat_at: datetime
    silent_after: float


@dataclass(frozen=True, slots=True)
class ProcessClock:
    """A running process, and the seconds by which its host's clock is ahead."""

    holder: str
    role: str
    skew_seconds: float
    measured_at: datetime


WRITE_DECISION = """
insert into dispatch_decision (campaign_id, decided_at, room, placed, reasons)
values (%s, %s, %s, %s, %s)
on conflict (campaign_id) do update set
    decided_at = excluded.decided_at, room = excluded.room,
    placed = excluded.placed, reasons = excluded.reasons
"""

READ_DECISIONS = """
select campaign_id, decided_at, room, placed, reasons
from dispatch_decision where campaign_id = any(%s)
"""

BEAT = """
insert into heartbeat (role, holder, backend_pid, beat_at, silent_after)
values (%s, %s, pg_backend_pid(), clock_timestamp(), %s)
on conflict (role) do update set
    holder = excluded.holder, backend_pid = excluded.backend_pid,
    beat_at = excluded.beat_at, silent_after = excluded.silent_after
"""

READ_BEAT = """
select holder, backend_pid, extract(epoch from clock_timestamp() - beat_at), beat_at,
    silent_after
from heartbeat where role = %s
"""

WRITE_CLOCK = """
with gone as (
    delete from process_clock where holder <> %(holder)s
        and measured_at < clock_timestamp() - interval '1 hour'
)
insert into process_clock (holder, role, skew_seconds, measured_at)
values (%(holder)s, %(role)s, %(skew)s, clock_timestamp())
on conflict (holder) do update set
    role = excluded.role, skew_seconds = excluded.skew_seconds,
    measured_at = excluded.measured_at
"""

READ_CLOCKS = """
select holder, role, skew_seconds, measured_at from process_clock
where measured_at >= clock_timestamp() - interval '1 minute'
order by role, holder
"""


class ProcessRecords:
    """Reads and writes what processes record about their work, outside the log."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def write_decisions(self, decisions: list[Decision]) -> None:
        """Store the latest decision of each of these campaigns."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(WRITE_DECISION, [_row(one) for one in decisions])

    def decisions(self, campaign_ids: list[UUID]) -> dict[UUID, Decision]:
        """Return the latest decisions by campaign, without campaigns that have none."""
        with self._pool.connection() as connection:
            rows = connection.execute(READ_DECISIONS, (campaign_ids,)).fetchall()
        return {row[0]: _decision(row) for row in rows}

    def decision(self, campaign_id: UUID) -> Decision | None:
        """Return the latest decision of a campaign, if there is one."""
        return self.decisions([campaign_id]).get(campaign_id)

    def heartbeat(self, role: str) -> Heartbeat | None:
        """Return the latest heartbeat of a role, if there is one."""
        with self._pool.connection() as connection:
            row = connection.execute(READ_BEAT, (role,)).fetchone()
        if row is None:
            return None
        return Heartbeat(row[0], row[1], float(row[2]), row[3], row[4])

    def clocks(self) -> list[ProcessClock]:
        """Return the clocks of all processes that measured in the last minute."""
        with self._pool.connection() as connection:
            return [ProcessClock(*row) for row in connection.execute(READ_CLOCKS)]


def beat(
    connection: Connection[Any], role: str, holder: str, silent_after: float = 120.0
) -> None:
    """Write the heartbeat of a role's leader, valid for `silent_after` seconds."""
    connection.execute(BEAT, (role, holder, silent_after))


def write_clock(
    connection: Connection[Any], role: str, holder: str, skew_seconds: float
) -> None:
    """Store by how many seconds the clock of a process's host is ahead."""
    values = {"role": role, "holder": holder, "skew": skew_seconds}
    connection.execute(WRITE_CLOCK, values)


def forget_clock(connection: Connection[Any], holder: str) -> None:
    """Remove the clock of a process that ends."""
    connection.execute("delete from process_clock where holder = %s", (holder,))


def _row(decision: Decision) -> tuple[Any, ...]:
    reasons = [asdict(reason) | {"until": _iso(reason)} for reason in decision.reasons]
    head = (decision.campaign_id, decision.decided_at, decision.room)
    return (*head, decision.placed, Jsonb(reasons))


def _iso(reason: Reason) -> str | None:
    return reason.until.isoformat() if reason.until else None


def _decision(row: tuple[Any, ...]) -> Decision:
    reasons = tuple(
        Reason(**{**stored, "until": _time(stored["until"])}) for stored in row[4]
    )
    return Decision(row[0], row[1], row[2], row[3], reasons)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
