"""Whether this is the database that was led last, with all that was stored in it.

A leader notes what it leads before its first claim, and takes the note back in peace at
its end. A database that is restored, failed over or copied brings an old note, or
another server; then the log may lack calls, the last of which the provider may not even
list yet.
"""

from storage.database import Pool

KNOWN = """
select exists (
    select from last_led known, led_now now where known.server = now.server
        or (known.left_at is not null and known.copy = now.copy))
"""

LEAD = """
insert into last_led (id, server, copy, left_at)
select 1, server, copy, null from led_now
on conflict (id) do update
    set server = excluded.server, copy = excluded.copy, left_at = null
"""

LEAVE = "update last_led set left_at = clock_timestamp() where id = 1"


class LastLed:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def is_this(self) -> bool:
        """Tell whether nothing that was ever stored can be missing.

        So it is on a server that ran on since the last leader's note, and on one that
        was restarted after that leader had left.
        """
        with self._pool.connection() as conn:
            row = conn.execute(KNOWN).fetchone()
        return row is not None and bool(row[0])

    def lead(self) -> None:
        """Note that this database is led from here on."""
        with self._pool.connection() as conn:
            conn.execute(LEAD)

    def leave(self) -> None:
        """Note that its leader has left, with all that it did stored."""
        with self._pool.connection() as conn:
            conn.execute(LEAVE)
