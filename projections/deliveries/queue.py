"""The queue of deliveries: those that wait, and the result of each attempt.

All times are those of the database's clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from projections.tables.definition import SCHEMA
from projections.tables.queries import select, select_value
from storage.database import Conn, Pool, open_pool

MOST_LOADED = 200
"""Deliveries of one endpoint that are looked at in one pass, the oldest first."""

GIVE_UP_SECONDS = 3 * 86_400
"""How long a delivery is tried again, and an endpoint may fail until it is disabled."""

KEPT_DAYS = 30
"""Days for which deliveries are kept, at most."""

MOST_REMOVED = 5_000
"""Deliveries removed in one statement."""


def open_queue_pool(url: str, *, name: str) -> Pool:
    """Open a pool of connections that see the read tables and can write to the queue.

    The caller closes it.
    """
    settings = {"search_path": f"{SCHEMA}, public"}
    return open_pool(url, name=name, max_size=2, settings=settings)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits, with what decides whether it may be sent now.

    `is_campaign`: its lane is that of its whole campaign. `is_failing`: the last
    delivery to its endpoint failed. `has_body`: the message is composed.
    """

    id: UUID
    endpoint_id: UUID
    group_id: UUID
    lane: UUID
    is_campaign: bool
    resent: bool
    refused: bool
    is_due: bool
    is_failing: bool
    has_body: bool


# A message that the endpoint refused delays only its own lane: neither is loaded before
# it is due, so that many of them cannot hide the others.
_WAITING: LiteralString = f"""
    select d.id, d.endpoint_id, d.group_id, d.lane, d.lane = d.group_id as is_campaign,
        d.resent, d.refused, d.next_attempt_at <= clock_timestamp() as is_due,
        f.endpoint_id is not null as is_failing, m.body is not null as has_body
    from webhook_endpoint e
    left join webhook_failing f on f.endpoint_id = e.id
    cross join lateral (
        select * from webhook_delivery d
        where d.endpoint_id = e.id and d.state = 'waiting'
            and not (d.refused and d.next_attempt_at > clock_timestamp())
            and not exists (
                select from webhook_delivery r
                where r.endpoint_id = d.endpoint_id and r.lane = d.lane
                    and r.state = 'waiting' and r.refused
                    and (r.position, r.type) < (d.position, d.type)
                    and r.next_attempt_at > clock_timestamp())
        order by d.position, d.type limit {MOST_LOADED}
    ) d
    join webhook_message m on m.key = d.message_key
    where e.enabled and e.id <> all(%(busy)s)
        and exists (
            select from webhook_delivery due
            where due.endpoint_id = e.id and due.state = 'waiting'
                and due.next_attempt_at <= clock_timestamp())
    order by e.id, d.position, d.type
"""  # noqa: S608 - our own text


def waiting(conn: Conn, busy: Collection[UUID]) -> list[Waiting]:
    """List the oldest waiting deliveries of each endpoint with one that is due.

    Leaves out the `busy` endpoints.
    """
    return select(conn, Waiting, _WAITING, busy=list(busy))


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """A delivery to send; `keys` are the endpoint's secrets, the newest first."""

    id: UUID
    endpoint_id: UUID
    url: str
    body: str
    keys: tuple[bytes, ...]


_OUTGOING: LiteralString = """
    select d.id, d.endpoint_id, e.url, m.body, array(
        select k.key from key_vault k
        where k.salt is not null and (k.campaign_id = e.secret_id
            or k.campaign_id = e.old_secret_id
                and e.old_valid_until > clock_timestamp())
        order by k.campaign_id <> e.secret_id
    )
    from webhook_delivery d
    join webhook_endpoint e on e.id = d.endpoint_id
    join webhook_message m on m.key = d.message_key
    where d.id = any(%(ids)s) and d.state = 'waiting' and m.body is not null
"""


def outgoing(conn: Conn, ids: Sequence[UUID]) -> list[Outgoing]:
    """Load what is to be sent; leaves out deliveries that are no longer waiting."""
    rows = conn.execute(_OUTGOING, {"ids": list(ids)}).fetchall()
    return [
        Outgoing(id_, endpoint_id, url, body, tuple(map(bytes, keys)))
        for id_, endpoint_id, url, body, keys in rows
    ]


_NEXT_DUE: LiteralString = """
    select extract(epoch from min(next.at) - clock_timestamp())
    from webhook_endpoint e
    cross join lateral (
        select d.next_attempt_at as at from webhook_delivery d
        where d.endpoint_id = e.id and d.state = 'waiting'
            and d.next_attempt_at > clock_timestamp()
        order by d.next_attempt_at limit 1
    ) next
    where e.enabled
"""


def due_in(conn: Conn) -> float:
    """Return the seconds until the next repetition is due, or infinity."""
    seconds = select_value(conn, _NEXT_DUE)
    return float("inf") if seconds is None else max(float(seconds), 0.0)


# --- Results ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt.

    `answer` is the status code or the error. `refused`: the endpoint answered that it
    does not accept this message, which says nothing about others.
    """

    delivery_id: UUID
    endpoint_id: UUID
    is_delivered: bool
    answer: str
    refused: bool = False


_DELIVERED: LiteralString = """
    with works as (
        delete from webhook_failing where endpoint_id = any(%(endpoints)s)
        returning endpoint_id
    ), freed as (
        update webhook_delivery d set next_attempt_at = clock_timestamp()
        from works
        where d.endpoint_id = works.endpoint_id and d.state = 'waiting'
            and d.attempts > 0 and not d.refused and d.id <> all(%(ids)s)
    )
    update webhook_delivery d
    set state = 'delivered', attempts = attempts + 1, refused = false,
        first_attempt_at = coalesce(first_attempt_at, clock_timestamp()),
        delivered_at = clock_timestamp(), last_answer = r.answer
    from unnest(%(ids)s::uuid[], %(answers)s::text[]) as r (id, answer)
    where d.id = r.id and d.state = 'waiting'
"""

# A message is given up if the endpoint took others since its first attempt. If it took
# none, the endpoint is disabled instead, and the message waits until it is enabled.
_FAILED: LiteralString = """
    with failing as (
        insert into webhook_failing (endpoint_id) select unnest(%(endpoints)s::uuid[])
        on conflict (endpoint_id)
            do update set failing_since = webhook_failing.failing_since
        returning endpoint_id, failing_since
    )
    update webhook_delivery d
    set attempts = attempts + 1, last_answer = r.answer, refused = r.refused,
        first_attempt_at = coalesce(first_attempt_at, clock_timestamp()),
        next_attempt_at = case when is_over then clock_timestamp() else least(
            clock_timestamp() + make_interval(secs => (%(gaps)s::float8[])[
                least(attempts + 1, cardinality(%(gaps)s::float8[]))]),
            greatest(clock_timestamp() + interval '1 second',
                coalesce(first_attempt_at, clock_timestamp())
                    + make_interval(secs => %(give_up)s))) end,
        state = case when is_over and f.failing_since > first_attempt_at
            then 'failed' else state end
    from unnest(%(ids)s::uuid[], %(answers)s::text[], %(refused)s::bool[])
        as r (id, answer, refused)
    cross join lateral (
        select first_attempt_at
            <= clock_timestamp() - make_interval(secs => %(give_up)s) is true as is_over
        from webhook_delivery own where own.id = r.id
    ) over, failing f
    where d.id = r.id and d.state = 'waiting' and f.endpoint_id = d.endpoint_id
"""

_TO_DISABLE: LiteralString = """
    select f.endpoint_id, f.failing_since
    from webhook_failing f join webhook_endpoint e on e.id = f.endpoint_id
    where e.enabled and f.failing_since
        <= clock_timestamp() - make_interval(secs => %(give_up)s)
"""


def record(
    conn: Conn, attempts: Sequence[Attempt], *, gaps: Sequence[float], give_up: float
) -> None:
    """Record attempts; `gaps` are the seconds before each repetition.

    The last gap applies to all later ones. After `give_up` seconds of failures a
    message is given up. The first success after failures makes all deliveries due that
    failed before, except those that were refused.
    """
    delivered = [one for one in attempts if one.is_delivered]
    failed = [one for one in attempts if not one.is_delivered]
    with conn.transaction():
        if delivered:
            conn.execute(_DELIVERED, _columns(delivered))
        if failed:
            values = {"gaps": list(gaps), "give_up": give_up}
            values["refused"] = [one.refused for one in failed]
            conn.execute(_FAILED, {**_columns(failed), **values})


def _columns(attempts: Sequence[Attempt]) -> dict[str, list[Any]]:
    return {
        "ids": [one.delivery_id for one in attempts],
        "answers": [one.answer for one in attempts],
        "endpoints": list({one.endpoint_id for one in attempts}),
    }


def to_disable(conn: Conn, *, give_up: float) -> list[tuple[UUID, Any]]:
    """List the endpoints that have failed for `give_up` seconds, and since when."""
    return conn.execute(_TO_DISABLE, {"give_up": give_up}).fetchall()


# --- Retention ----------------------------------------------------------------------

_REMOVE: LiteralString = """
    with gone as (
        delete from webhook_delivery where id in (
            select id from webhook_delivery
            where created_at < clock_timestamp() - make_interval(days => %(days)s)
            limit %(most)s)
        returning message_key
    ), empty as (
        delete from webhook_message m
        where m.created_at < clock_timestamp() - make_interval(days => %(days)s)
            and not exists (
                select from webhook_delivery d where d.message_key = m.key
                    and d.created_at
                        >= clock_timestamp() - make_interval(days => %(days)s))
    )
    select count(*) from gone
"""


def remove_old(conn: Conn, days: int) -> int:
    """Remove deliveries that are older; return how many."""
    values = {"days": days, "most": MOST_REMOVED}
    return int(select_value(conn, _REMOVE, **values))
