"""The requests since some time, and the running campaigns, from the read model."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from application.calls.earlier_calls import EarlierRequest
from domain.states import MAY_DIAL
from projections.tables.queries import select
from projections.tables.state_sql import literals
from storage.database import Pool

_REQUESTED: LiteralString = """
    select aggregate_id as call_id, max(occurred_at) as requested_at from event_index
    where type = 'call.requested' and occurred_at >= %(since)s
    group by aggregate_id order by 2, 1
"""
_RUNNING: LiteralString = f"""
    select id from campaign_board where state in {literals(MAY_DIAL)} order by id
"""  # noqa: S608 - our own text


class RequestsInReadModel:
    """Reads from a pool of connections to the read model."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def requested_since(self, instant: datetime) -> Sequence[EarlierRequest]:
        """Return each call that was requested from that instant on, once."""
        with self._pool.connection() as conn:
            return select(conn, EarlierRequest, _REQUESTED, since=instant)

    def running(self) -> Sequence[UUID]:
        """Return the campaigns that are started and neither paused nor finished."""
        with self._pool.connection() as conn:
            return [row[0] for row in conn.execute(_RUNNING)]
