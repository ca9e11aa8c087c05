"""How the deliveries to each endpoint stand, for the metrics."""

from dataclasses import dataclass
from typing import LiteralString

from projections.tables.queries import select
from storage.database import Conn

MOST_COUNTED = 100_000
"""Waiting deliveries that are counted for one endpoint; there may be more."""


@dataclass(frozen=True, slots=True)
class EndpointGauges:
    """The deliveries that wait for an endpoint.

    `oldest` is the age in seconds of the oldest waiting message, None if none waits;
    messages that are sent again on request are not considered. `failing` is the time in
    seconds since its first failure after the last success, None if it works.
    """

    endpoint: str
    enabled: bool
    given_up: bool
    waiting: int
    oldest: float | None
    failing: float | None

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.enabled:
            return "working" if self.failing is None else "failing"
        return "given_up" if self.given_up else "disabled"


STATES = ("working", "failing", "disabled", "given_up")
"""`disabled` was disabled by a member, `given_up` because it failed for three days."""

_GAUGES: LiteralString = f"""
    select e.id::text as endpoint, e.enabled,
        e.failing_since is not null as given_up, w.waiting,
        extract(epoch from clock_timestamp() - o.created_at)::float8 as oldest,
        extract(epoch from clock_timestamp() - f.failing_since)::float8 as failing
    from webhook_endpoint e
    cross join lateral (
        select count(*) as waiting from (
            select from webhook_delivery d
            where d.endpoint_id = e.id and d.state = 'waiting' limit {MOST_COUNTED}
        ) counted
    ) w
    left join lateral (
        select d.created_at from webhook_delivery d
        where d.endpoint_id = e.id and d.state = 'waiting' and not d.resent
        order by d.position, d.type limit 1
    ) o on true
    left join webhook_failing f on f.endpoint_id = e.id
    order by e.id
"""  # noqa: S608 - our own text


def endpoint_gauges(conn: Conn) -> list[EndpointGauges]:
    """Read the gauges of all endpoints."""
    return select(conn, EndpointGauges, _GAUGES)
