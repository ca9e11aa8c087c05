"""Adds the messages about a batch of events to the outbox of webhooks.

The projector does this in the transaction that applies the batch to the live read
tables and moves their position: each event is applied to them once, so each endpoint
gets each message once into its queue. The outbox has a position of its own as well. If
the read tables were lost and computed again in place, events up to that position would
add no messages again. A rebuild beside the live tables adds none at all.
"""

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

import orjson

from domain.contacts.contact_events import PLANS_A_CALL
from domain.webhook_endpoint import MessageType, WebhookEndpoint
from projections.deliveries.notices import Notice, notices
from projections.tables.state_sql import is_finished_sql
from storage.database import Conn

_TOPICS = ", ".join(f"'{one.TOPIC}'" for one in PLANS_A_CALL)

# A contact is finished unless another call is planned. The events of one append are
# visible together, but may be applied in two batches: the log, unlike the read tables,
# already shows a plan that follows.
_ADD: LiteralString = f"""
    with noticed as (
        select n.*
        from unnest(%(types)s::text[], %(positions)s::bigint[],
            %(times)s::timestamptz[], %(groups)s::uuid[], %(lanes)s::uuid[],
            %(campaigns)s::uuid[], %(contacts)s::uuid[], %(calls)s::uuid[],
            %(details)s::text[])
            as n (type, position, occurred_at, group_id, lane,
                campaign_id, contact_id, call_id, details)
        where n.position > (select position from webhook_outbox)
            and exists (select from webhook_endpoint where enabled)
    ), keyed as (
        select n.type || ':' || n.position as key, n.*
        from noticed n where n.type <> '{MessageType.CONTACT_FINISHED}'
        union all
        (select distinct on (1)
            concat_ws(':', n.type, n.contact_id, k.attempt, k.version) as key, n.*
        from noticed n
        cross join lateral (
            select status, planned_at, attempt, version from contact_log
            where contact_id = n.contact_id limit 1
        ) k
        where n.type = '{MessageType.CONTACT_FINISHED}'
            and {is_finished_sql("k.status", "k.planned_at")}
            and not exists (
                select from autolynx_events e
                where e.originator_id = n.contact_id
                    and e.notification_id > %(position)s
                    and e.topic in ({_TOPICS}))
        order by 1, n.position)
    ), wanted as (
        select k.*, e.id as endpoint_id
        from keyed k join webhook_endpoint e
            on e.enabled and k.position > e.since_position
            and (e.types = '' or k.type = any(string_to_array(e.types, ',')))
    ), added as (
        insert into webhook_message (key, position, type, occurred_at, campaign_id,
            contact_id, call_id, details)
        select distinct on (key) key, position, type, occurred_at, campaign_id,
            contact_id, call_id, details::jsonb
        from wanted
        on conflict do nothing
        returning key
    )
    insert into webhook_delivery (id, endpoint_id, message_key, position, type,
        group_id, lane)
    select md5(w.key || w.endpoint_id)::uuid, w.endpoint_id, w.key, w.position, w.type,
        w.group_id, w.lane
    from wanted w join added using (key)
    on conflict do nothing
"""  # noqa: S608 - our own text

_ENABLE: LiteralString = """
    with enabled as (
        select id from unnest(%(ids)s::uuid[], %(positions)s::bigint[])
            as e (id, position)
        where e.position > (select position from webhook_outbox)
    ), works as (
        delete from webhook_failing where endpoint_id in (select id from enabled)
    )
    update webhook_delivery
    set next_attempt_at = clock_timestamp(), first_attempt_at = null
    where state = 'waiting' and endpoint_id in (select id from enabled)
"""

# A delivery that still waits keeps its place.
_RESEND: LiteralString = """
    with wanted as (
        select id from unnest(%(ids)s::uuid[], %(positions)s::bigint[])
            as r (id, position)
        where r.position > (select position from webhook_outbox)
    ), bodies as (
        update webhook_message m set needs_body = true
        from webhook_delivery d
        where d.id in (select id from wanted) and m.key = d.message_key
            and m.body is null
    )
    update webhook_delivery
    set resent = resent or state <> 'waiting', state = 'waiting', refused = false,
        next_attempt_at = clock_timestamp(), first_attempt_at = null,
        delivered_at = null
    where id in (select id from wanted)
"""

_MOVE: LiteralString = """
    update webhook_outbox set position = %(position)s where position < %(position)s
"""


def add_messages(conn: Conn, events: Iterable[tuple[Any, int]], position: int) -> None:
    """Add what follows from a batch, in the current transaction, after its rows.

    `events` are the batch's events with their positions, `position` is its last one.
    """
    batch = list(events)
    found = [notice for event, at in batch for notice in notices(event, at)]
    enabled = _of(batch, WebhookEndpoint.Enabled, "originator_id")
    resent = _of(batch, WebhookEndpoint.Resent, "delivery_id")
    if not found and not enabled["ids"] and not resent["ids"]:
        return
    if found:
        conn.execute(_ADD, {"position": position, **_columns(found)}, prepare=True)
    if enabled["ids"]:
        conn.execute(_ENABLE, enabled)
    if resent["ids"]:
        conn.execute(_RESEND, resent)
    conn.execute(_MOVE, {"position": position}, prepare=True)


def _of(
    batch: Sequence[tuple[Any, int]], kind: type, name: str
) -> dict[str, list[Any]]:
    found = [(getattr(one, name), at) for one, at in batch if isinstance(one, kind)]
    return {"ids": [id_ for id_, _ in found], "positions": [at for _, at in found]}


def _columns(found: Sequence[Notice]) -> dict[str, list[Any]]:
    return {
        "types": [one.type.value for one in found],
        "positions": [one.position for one in found],
        "times": [one.occurred_at for one in found],
        "groups": [one.group_id for one in found],
        "lanes": [one.lane for one in found],
        "campaigns": [one.campaign_id for one in found],
        "contacts": [one.contact_id for one in found],
        "calls": [one.call_id for one in found],
        "details": [orjson.dumps(one.details).decode() for one in found],
    }
