"""Outgoing alerts: stored until each has been sent at least once, by each way."""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from storage.database import Pool


@dataclass(frozen=True, slots=True)
class OutgoingAlert:
    """An alert to post: the position of its event, and the JSON body."""

    position: int
    body: dict[str, Any]
    tries: int = 0
    """Failed tries so far."""


POSTED_TO_URL, MAILED = "alert_outbox", "alert_mail_outbox"
"""The tables: one for each way by which alerts are sent."""

LAST: LiteralString = "select coalesce(max(position), 0) from {table}"

KEEP: LiteralString = """
insert into {table} (position, body, state) values (%s, %s, %s)
on conflict (position) do nothing
"""

DUE: LiteralString = """
select position, body, tries from {table}
where state = 'waiting' and next_try_at <= clock_timestamp()
order by position limit %s
"""

DUE_IN: LiteralString = """
select extract(epoch from min(next_try_at) - clock_timestamp()) from {table}
where state = 'waiting'
"""

POSTED: LiteralString = """
update {table}
set state = 'posted', tries = tries + 1, done_at = clock_timestamp(), error = null
where position = %s
"""

FAILED: LiteralString = """
update {table} set
    tries = tries + 1, error = %(error)s,
    next_try_at = clock_timestamp() + make_interval(secs => %(wait)s),
    state = case when created_at < clock_timestamp()
        - make_interval(secs => %(give_up_after)s) then 'given_up' else state end
where position = %(position)s
returning state = 'given_up'
"""


class AlertOutbox:
    """Stores outgoing alerts of one table; all times are of the database's clock."""

    def __init__(self, pool: Pool, table: LiteralString = POSTED_TO_URL) -> None:
        self._pool, self._table = pool, sql.Identifier(table)

    def _sql(self, statement: LiteralString) -> sql.Composed:
        return sql.SQL(statement).format(table=self._table)

    def last(self) -> int:
        """Return the position of the newest alert in the outbox, or 0."""
        with self._pool.connection() as connection:
            row = connection.execute(self._sql(LAST)).fetchone()
        return int(row[0]) if row else 0

    def keep(self, alerts: list[OutgoingAlert], *, wanted: bool) -> None:
        """Store alerts, each once; unless `wanted`, they are never posted."""
        state = "waiting" if wanted else "unwanted"
        rows = [(one.position, Jsonb(one.body), state) for one in alerts]
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(self._sql(KEEP), rows)

    def due(self, most: int = 20) -> list[OutgoingAlert]:
        """Return up to `most` alerts that are to be posted now, the oldest first."""
        with self._pool.connection() as connection:
            rows = connection.execute(self._sql(DUE), (most,)).fetchall()
        return [OutgoingAlert(*row) for row in rows]

    def due_in(self) -> float:
        """Return the seconds until the next alert is to be posted, or infinity."""
        with self._pool.connection() as connection:
            row = connection.execute(self._sql(DUE_IN)).fetchone()
        return float("inf") if row is None or row[0] is None else float(row[0])

    def posted(self, position: int) -> None:
        """Record that an alert was posted."""
        with self._pool.connection() as connection:
            connection.execute(self._sql(POSTED), (position,))

    def failed(
        self, position: int, *, error: str, wait: float, give_up_after: float
    ) -> bool:
        """Record a failed try; return whether the alert is given up.

        The next try is due in `wait` seconds. An alert is given up if it was created
        more than `give_up_after` seconds ago.
        """
        values = {
            "position": position,
            "error": error,
            "wait": wait,
            "give_up_after": give_up_after,
        }
        with self._pool.connection() as connection:
            row = connection.execute(self._sql(FAILED), values).fetchone()
        return bool(row and row[0])
