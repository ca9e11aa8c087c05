"""Decisions and heartbeats: what processes leave for people and for each other."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why contacts wait; `code` is a WaitingCode of the GraphQL contract."""

    code: str
    message: str
    contacts: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What one pass decided for a campaign: room seen, calls placed, and why."""

    campaign_id: UUID
    decided_at: datetime
    room: int
    placed: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The latest sign of a role's leader, by the database's clock."""

    holder: str
    backend_pid: int
    age_seconds: float
    beat_at: datetime


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
insert into heartbeat (role, holder, backend_pid, beat_at)
values (%s, %s, pg_backend_pid(), clock_timestamp())
on conflict (role) do update set
    holder = excluded.holder, backend_pid = excluded.backend_pid,
    beat_at = excluded.beat_at
"""

READ_BEAT = """
select holder, backend_pid, extract(epoch from clock_timestamp() - beat_at), beat_at
from heartbeat where role = %s
"""


class Operations:
    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def write_decisions(self, decisions: list[Decision]) -> None:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(WRITE_DECISION, [_row(one) for one in decisions])

    def decisions(self, campaign_ids: list[UUID]) -> dict[UUID, Decision]:
        with self._pool.connection() as connection:
            rows = connection.execute(READ_DECISIONS, (campaign_ids,)).fetchall()
        return {row[0]: _decision(row) for row in rows}

    def decision(self, campaign_id: UUID) -> Decision | None:
        return self.decisions([campaign_id]).get(campaign_id)

    def heartbeat(self, role: str) -> Heartbeat | None:
        with self._pool.connection() as connection:
            row = connection.execute(READ_BEAT, (role,)).fetchone()
        return Heartbeat(row[0], row[1], float(row[2]), row[3]) if row else None


def beat(connection: Connection[Any], role: str, holder: str) -> None:
    """Sign that the leader of a role lives, on the connection that holds its lock."""
    connection.execute(BEAT, (role, holder))


def _row(decision: Decision) -> tuple[Any, ...]:
    reasons = [asdict(reason) | {"until": _iso(reason)} for reason in decision.reasons]
    head = (decision.campaign_id, decision.decided_at, decision.room)
    return (*head, decision.placed, Jsonb(reasons))


def _iso(reason: Reason) -> str | None:
    return reason.until.isoformat() if reason.until else None


def _decision(row: tuple[Any, ...]) -> Decision:
    reasons = tuple(
        Reason(**{**said, "until": _time(said["until"])}) for said in row[4]
    )
    return Decision(row[0], row[1], row[2], row[3], reasons)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
