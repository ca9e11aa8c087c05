"""The groups of the contacts that wait in each campaign, with the gate's decisions."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from application.calls.group_gates import TermsOfCampaign
from domain.dial_view import GroupView
from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision
from domain.settings import SettingsValues
from domain.states import MAY_DIAL
from projections.campaigns.campaign_terms import terms_of
from projections.contacts.contact_groups import group_from, pair_columns
from projections.contacts.planned_calls import MOST_COUNTED
from projections.tables.state_sql import literals
from storage.database import Conn

type Decide = Callable[
    [TermsOfCampaign, SettingsValues | None, ContactGroup | None, datetime], Decision
]
"""Decides for a group of a campaign (see `application.calls.group_gates`)."""

WAITING: LiteralString = f"""
    select n.campaign_id, c.terms_version, c.terms, n.group_id, n.fresh,
        g.codes, g.zones, g.source, g.has_consent
    from campaign_board c
    cross join lateral (
        select i.campaign_id, n.group_id, sum(n.fresh)::bigint as fresh
        from contact_import i join contact_group_count n using (list_id)
        where i.campaign_id = c.id and i.imported_position is not null
            and n.pending > 0
        group by i.campaign_id, n.group_id
    ) n
    left join contact_group g using (group_id)
    where c.state in {literals(MAY_DIAL)} and c.expired_at is null and c.pending > 0
    order by n.campaign_id, n.group_id
"""  # noqa: S608 - our own text

_DUE: LiteralString = f"""
    select closed.campaign_id, closed.group_id, count(*)
    from unnest(%(campaigns)s::uuid[], %(groups)s::bigint[])
        as closed (campaign_id, group_id)
    join campaign_board c on c.id = closed.campaign_id
    join campaign_terms v on v.campaign_id = c.id
    cross join lateral (
        select from contact_log k
        where k.campaign_id = c.id and k.planned_terms = v.version
            and k.group_id = closed.group_id and k.planned_at <= %(now)s
        limit {MOST_COUNTED}
    ) due
    where c.planned_retries + c.planned_callbacks > 0
    group by 1, 2
"""  # noqa: S608 - our own text


def groups_of_campaigns(
    conn: Conn, settings: SettingsValues | None, now: datetime, decide: Decide
) -> dict[UUID, list[GroupView]]:
    """Return by campaign the groups of its waiting contacts, each decided once."""
    found: defaultdict[UUID, list[GroupView]] = defaultdict(list)
    terms: dict[UUID, TermsOfCampaign] = {}
    for campaign_id, version, stored, group_id, fresh, *group in conn.execute(WAITING):
        if campaign_id not in terms:
            own = terms_of(stored)
            terms[campaign_id] = TermsOfCampaign(campaign_id, version, own)
        own_group = group_from(group)
        decision = decide(terms[campaign_id], settings, own_group, now)
        found[campaign_id].append(GroupView(group_id, decision, fresh, own_group))
    return _with_due(conn, found, now)


def _with_due(
    conn: Conn, found: dict[UUID, list[GroupView]], now: datetime
) -> dict[UUID, list[GroupView]]:
    """Count the planned calls that are due, for the groups that may not be called."""
    closed = [
        (campaign_id, group.group_id)
        for campaign_id, groups in found.items()
        for group in groups
        if not group.is_open
    ]
    if not closed:
        return found
    values = pair_columns(closed) | {"now": now}
    due = {tuple(key): count for *key, count in conn.execute(_DUE, values)}
    return {
        campaign_id: [
            replace(group, due=due.get((campaign_id, group.group_id), 0))
            for group in groups
        ]
        for campaign_id, groups in found.items()
    }


def open_groups(found: dict[UUID, list[GroupView]]) -> dict[str, list[Any]]:
    """Return the parameters `campaigns` and `groups`: all groups that are open."""
    return pair_columns(
        (campaign_id, group.group_id)
        for campaign_id, groups in found.items()
        for group in groups
        if group.is_open
    )
