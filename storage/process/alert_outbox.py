"""Outgoing alerts: stored until each has been posted at least once."""

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from storage.database import Pool


@dataclass(frozen=True, slots=True)
class OutgoingAlert:
    """An alert to post: the position of its event, and the JSON body."""

    position: int
    body: dict[str, Any]
    tries: int = 0
    """Failed tries so far."""


LAST = "select coalesce(max(position), 0) from alert_outbox"

KEEP = """
insert into alert_outbox (position, body, state) values (%s, %s, %s)
on conflict (position) do nothing
"""

DUE = """
select position, body, tries from alert_outbox
where state = 'waiting' and next_try_at <= clock_timestamp()
order by position limit %s
"""

DUE_IN = """
select extract(epoch from min(next_try_at) - clock_timestamp()) from alert_outbox
where state = 'waiting'
"""

POSTED = """
update alert_outbox
set state = 'posted', tries = tries + 1, done_at = clock_timestamp(), error = null
where position = %s
"""

FAILED = """
update alert_outbox set
    tries = tries + 1, error = %(error)s,
    next_try_at = clock_timestamp() + make_interval(secs => %(wait)s),
    state = case when created_at < clock_timestamp()
        - make_interval(secs => %(give_up_after)s) then 'given_up' else state end
where position = %(position)s
returning state = 'given_up'
"""


class AlertOutbox:
    """Stores outgoing alerts; all times are those of the database's clock."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def last(self) -> int:
        """Return the position of the newest alert in the outbox, or 0."""
        with self._pool.connection() as connection:
            row = connection.execute(LAST).fetchone()
        return int(row[0]) if row else 0

    def keep(self, alerts: list[OutgoingAlert], *, wanted: bool) -> None:
        """Store alerts, each once; unless `wanted`, they are never posted."""
        state = "waiting" if wanted else "unwanted"
        rows = [(one.position, Jsonb(one.body), state) for one in alerts]
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.executemany(KEEP, rows)

    def due(self, most: int = 20) -> list[OutgoingAlert]:
        """Return up to `most` alerts that are to be posted now, the oldest first."""
        with self._pool.connection() as connection:
            rows = connection.execute(DUE, (most,)).fetchall()
        return [OutgoingAlert(*row) for row in rows]

    def due_in(self) -> float:
        """Return the seconds until the next alert is to be posted, or infinity."""
        with self._pool.connection() as connection:
            row = connection.execute(DUE_IN).fetchone()
        return float("inf") if row is None or row[0] is None else float(row[0])

    def posted(self, position: int) -> None:
        """Record that an alert was posted."""
        with self._pool.connection() as connection:
            connection.execute(POSTED, (position,))

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
            row = connection.execute(FAILED, values).fetchone()
        return bool(row and row[0])
