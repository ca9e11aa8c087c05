"""Detects that Postgres was restored, failed over or copied since the last leader.

A leader records the server's identity before its first claim, and its departure at its
end. A restored or copied database contains a record of another server or timeline. Its
log may then lack calls, and the provider may not list the latest of them yet.
"""

from datetime import datetime, timedelta

from domain.dispatcher import DISPATCHER_ID
from storage.database import Pool

KNOWN = """
select exists (
    select from last_led known, led_now now where known.server = now.server
        or (known.left_at is not null and known.copy = now.copy))
    or not exists (
        select from last_led
        union all select from autolynx_events where originator_id = %(dispatcher)s)
    or not exists (select from autolynx_events where topic = 'campaign.created')
"""

SEARCH = """
insert into last_led (id, server, search_from)
select 1, case when %(known)s then server else '' end, %(since)s from led_now
on conflict (id) do update
    set search_from = coalesce(last_led.search_from, excluded.search_from)
returning search_from
"""

LEAD = """
insert into last_led (id, server, copy, left_at, search_from)
select 1, server, copy, null, %(since)s from led_now
on conflict (id) do update set server = excluded.server, copy = excluded.copy,
    left_at = null, search_from = excluded.search_from
"""

LEAVE = "update last_led set left_at = clock_timestamp() where id = 1"

KEEP_DELAY = """
update last_led set list_delay_seconds = %s, list_delay_at = clock_timestamp()
where id = 1
"""

READ_DELAY = """
select list_delay_seconds from last_led
where list_delay_at > clock_timestamp() - interval '1 day'
"""


class TimelineGuard:
    """Reads and writes the record of the last leader's server."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def is_same_timeline(self) -> bool:
        """Return whether no stored event can be missing.

        True if the server has run without interruption since the last leader's record,
        if it was restarted after that leader had left, or if nobody was called and no
        campaign exists.
        """
        with self._pool.connection() as conn:
            row = conn.execute(KNOWN, {"dispatcher": DISPATCHER_ID}).fetchone()
        return row is not None and bool(row[0])

    def search_from(self, since: datetime, *, known: bool) -> datetime:
        """Record the start of a search for missing calls.

        Returns the start of an earlier search that has not been completed, else
        `since`. `known` is the result of `is_same_timeline`.
        """
        values = {"since": since, "known": known}
        with self._pool.connection() as conn:
            row = conn.execute(SEARCH, values).fetchone()
        assert row is not None
        began: datetime = row[0]
        return began

    def lead(self, *, search_from: datetime | None = None) -> None:
        """Record that this database has a leader, which may claim contacts.

        The search for missing calls is recorded as complete, or, with `search_from`, as
        still incomplete since that time.
        """
        with self._pool.connection() as conn:
            conn.execute(LEAD, {"since": search_from})

    def leave(self) -> None:
        """Record that the leader has left after storing all its work."""
        with self._pool.connection() as conn:
            conn.execute(LEAVE)

    def list_delay(self) -> timedelta:
        """Return the largest delay, within the last day, of the provider's list."""
        with self._pool.connection() as conn:
            row = conn.execute(READ_DELAY).fetchone()
        return timedelta(seconds=row[0] if row else 0)

    def keep_list_delay(self, delay: timedelta) -> None:
        """Store the largest observed delay of the provider's list."""
        with self._pool.connection() as conn:
            conn.execute(KEEP_DELAY, (delay.total_seconds(),))
