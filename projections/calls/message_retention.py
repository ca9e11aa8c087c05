"""Empties stored messages in the vault once their retention time is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import LiteralString

from projections.tables.queries import select_value
from storage.database import Conn, Pool
from storage.vault import old_messages

PAGE = 2_000
"""Positions of the log that one transaction covers."""

_LAST_BEFORE: LiteralString = """
    select position from read.event_index where occurred_at < %(before)s
    order by occurred_at desc, position desc limit 1
"""

_SUBJECTS_OF_A_PAGE: LiteralString = """
    select distinct i.aggregate_id from read.event_index i
    where i.position > %(after)s and i.position <= %(up_to)s
        and not exists (
            select from read.event_index later
            where later.aggregate_id = i.aggregate_id and later.position > %(last)s
        )
"""

# A message about an unknown call is copied to the call as soon as that is known.
_ATTACHED_TO_ERASED: LiteralString = """
    select i.aggregate_id from read.event_index i
    join autolynx_events e on e.notification_id = i.position
    join erased_subject s
        on s.subject_id = (convert_from(e.state, 'UTF8')::json ->> 'call_id')::uuid
    where i.type = 'unmatched_message.attached'
"""


class MessageRetention:
    """Empties old messages; `pool` must have connections that can write."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def wipe_messages_before(self, before: datetime) -> int:
        """Empty the messages of calls without any event since `before`.

        Returns how many were emptied. Each run continues in the log where the last one
        ended: the last event of a call is on one page only, and a later event of the
        call puts it on a later page.
        """
        with self._pool.connection() as conn:
            last = int(select_value(conn, _LAST_BEFORE, before=before) or 0)
            after = old_messages.read_retention_position(conn)
        emptied = 0
        while after < last:
            up_to = min(after + PAGE, last)
            page = {"after": after, "up_to": up_to, "last": last}
            with self._pool.connection() as conn, _long_transaction(conn):
                subjects = [row[0] for row in conn.execute(_SUBJECTS_OF_A_PAGE, page)]
                emptied += old_messages.empty(conn, subjects)
                old_messages.write_retention_position(conn, up_to)
            after = up_to
        return emptied

    def wipe_messages_of_erased(self) -> int:
        """Empty messages that were matched with an erased person only afterwards."""
        with self._pool.connection() as conn, _long_transaction(conn):
            subjects = [row[0] for row in conn.execute(_ATTACHED_TO_ERASED)]
            old_messages.add_erased(conn, subjects)
            return old_messages.empty_erased(conn)


@contextmanager
def _long_transaction(conn: Conn) -> Iterator[None]:
    with conn.transaction():
        conn.execute("set local statement_timeout to '10min'")
        yield
