"""Whether the provider tells anything of the calls that it was given."""

from datetime import timedelta
from typing import LiteralString

from projections.tables.queries import select_value
from storage.database import Conn

_SILENCE: LiteralString = """
    with heard as (
        select occurred_at from event_index
        where actor = 'vapi' and aggregate_type in ('call', 'unmatched_message')
            and type not in ('call.duplicate_detected', 'call.duplicate_suspected')
        order by position desc limit 1
    )
    select clock_timestamp() - min(c.placed_at)
    from dial_queue q join call_log c using (call_id)
    where q.phase in ('placed', 'reporting')
        and c.placed_at > coalesce((select occurred_at from heard), '-infinity')
"""


def silence(conn: Conn) -> timedelta:
    """Tell since when calls are under way of which no message came, nor of any other.

    What was found by asking the provider breaks no silence. Zero where none is.
    """
    found: timedelta | None = select_value(conn, _SILENCE)
    return found or timedelta()
