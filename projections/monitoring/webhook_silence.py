"""Detects that the provider's webhooks do not arrive although calls are under way."""

from datetime import timedelta
from typing import LiteralString

from projections.tables.queries import select_value
from storage.database import Conn

_SILENCE: LiteralString = """
    with heard as (
        select occurred_at from event_index
        where actor = %(actor)s and aggregate_type in ('call', 'unmatched_message')
            and type not in ('call.duplicate_detected', 'call.duplicate_suspected')
        order by position desc limit 1
    )
    select clock_timestamp() - min(c.placed_at)
    from dial_queue q join call_log c using (call_id)
    where q.phase in ('placed', 'reporting')
        and c.placed_at > coalesce((select occurred_at from heard), '-infinity')
"""


def silence(conn: Conn, provider_actor: str) -> timedelta:
    """Return how long the oldest call has been under way since the last webhook.

    Only calls placed after the last webhook, for any call, count; zero if there are
    none. `provider_actor` is the actor of events caused by webhooks; results of asking
    the provider have another actor and do not end the silence.
    """
    found: timedelta | None = select_value(conn, _SILENCE, actor=provider_actor)
    return found or timedelta()
