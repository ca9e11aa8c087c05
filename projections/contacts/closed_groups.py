"""Contacts of groups that are never called, and contacts without a group, in SQL."""

from collections.abc import Iterable
from typing import LiteralString
from uuid import UUID

from application.calls.group_withholding import GroupMember
from application.contacts.contact_grouping import UngroupedContact
from application.contacts.withholding import WaitingContact
from domain.states import FINISHED
from domain.values import ContactStatus
from projections.contacts.contact_groups import FRESH, group_from, pair_columns
from projections.tables.state_sql import literals
from storage.database import Conn

_PENDING = f"k.status = '{ContactStatus.PENDING}'"

# Each part uses an index in which contacts of other groups are not read.
_OF_GROUPS: LiteralString = f"""
    select contact.contact_id, never.campaign_id, contact.attempt,
        g.codes, g.zones, g.source, g.has_consent
    from unnest(%(campaigns)s::uuid[], %(groups)s::bigint[])
        as never (campaign_id, group_id)
    join contact_group g using (group_id)
    cross join lateral (
        (select k.contact_id, k.attempt
        from contact_import i join contact_log k using (list_id)
        where i.campaign_id = never.campaign_id and i.imported_position is not null
            and k.group_id = never.group_id and {FRESH}
        limit %(most)s)
        union all
        (select k.contact_id, k.attempt
        from campaign_terms v join contact_log k
            on k.campaign_id = v.campaign_id and k.planned_terms = v.version
        where v.campaign_id = never.campaign_id and k.group_id = never.group_id
            and k.planned_at is not null and {_PENDING}
        limit %(most)s)
        union all
        (select k.contact_id, k.attempt
        from contact_log k
        where k.campaign_id = never.campaign_id and k.due_at is not null
            and k.group_id = never.group_id and {_PENDING}
        limit %(most)s)
    ) contact
    limit %(most)s
"""  # noqa: S608 - our own text

_UNGROUPED: LiteralString = f"""
    select contact.contact_id, i.list_id, contact.phone, contact.attributes
    from contact_group_count n
    join contact_import i using (list_id)
    join campaign_board c on c.id = i.campaign_id
    cross join lateral (
        select k.contact_id, v.phone, v.attributes
        from contact_log k join contact_vault v using (contact_id, list_id)
        where k.list_id = i.list_id and {_PENDING} and k.group_id = 0
            and v.salt is not null and v.phone is not null
        order by k.seq limit %(most)s
    ) contact
    where n.group_id = 0 and n.pending > 0 and i.imported_position is not null
        and c.state not in {literals(FINISHED)}
    limit %(most)s
"""  # noqa: S608 - our own text


def waiting_of_groups(
    conn: Conn, groups: Iterable[tuple[UUID, int]], most: int
) -> list[GroupMember]:
    """Return up to `most` waiting contacts of these groups of campaigns."""
    values = pair_columns(groups) | {"most": most}
    found = {}
    for contact_id, campaign_id, attempt, *columns in conn.execute(_OF_GROUPS, values):
        group = group_from(columns)
        assert group is not None  # Joined.
        waiting = WaitingContact(contact_id, campaign_id, attempt)
        found[contact_id] = GroupMember(waiting, group)
    return list(found.values())


def ungrouped(conn: Conn, most: int) -> list[UngroupedContact]:
    """Return up to `most` waiting contacts of unfinished campaigns without a group."""
    rows = conn.execute(_UNGROUPED, {"most": most})
    return [UngroupedContact(*row) for row in rows]
