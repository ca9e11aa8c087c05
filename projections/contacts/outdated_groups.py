"""Waiting contacts whose group was determined by earlier data about places, in SQL.

Lists are read in the order of their imports and rows in the order of their lists. How
far they were read is stored for each version of the data, so that another process
continues there.
"""

from dataclasses import replace
from typing import LiteralString

from application.contacts.contact_grouping import UngroupedContact
from application.contacts.files.contact_groups import group_of
from domain.gate.groups import NOT_PLACED
from domain.states import FINISHED
from domain.values import ContactStatus
from projections.tables.state_sql import literals
from storage.database import Conn
from storage.process.places_progress import Progress

_ROWS: LiteralString = f"""
    with list as (
        select i.list_id, i.imported_position from contact_import i
        join campaign_board c on c.id = i.campaign_id
        where i.imported_position <= %(since)s
            and (i.imported_position > %(seen_list)s
                or i.imported_position = %(seen_list)s and %(seen_row)s >= 0)
            and c.state not in {literals(FINISHED)}
            and exists (select from contact_log k where k.list_id = i.list_id)
        order by i.imported_position limit 1
    )
    select list.imported_position, k.seq, k.list_id, k.contact_id, k.group_id,
        k.status = '{ContactStatus.PENDING}', v.phone, v.attributes
    from list
    join contact_log k on k.list_id = list.list_id and k.seq > case
        when list.imported_position = %(seen_list)s then %(seen_row)s else -1 end
    left join contact_vault v on v.contact_id = k.contact_id and v.list_id = k.list_id
        and v.salt is not null
    order by k.seq limit %(most)s
"""  # noqa: S608 - our own text


def outdated_groups(
    conn: Conn, progress: Progress, most: int
) -> tuple[list[UngroupedContact], Progress]:
    """Read the next `most` rows; return the contacts with another group by now.

    Also returns the progress after these rows.
    """
    values = {
        "since": progress.since,
        "seen_list": progress.seen_list,
        "seen_row": progress.seen_row,
    }
    rows = conn.execute(_ROWS, values | {"most": most}).fetchall()
    if not rows:  # The list has no further row, or no list is left.
        is_complete = progress.seen_row < 0
        return [], replace(progress, seen_row=-1, is_complete=is_complete)
    outdated = [
        UngroupedContact(contact_id, list_id, phone, attributes)
        for _, _, list_id, contact_id, group_id, waits, phone, attributes in rows
        if waits and phone and _is_outdated(group_id, phone, attributes)
    ]
    position, row, *_ = rows[-1]
    return outdated, replace(progress, seen_list=position, seen_row=row)


def _is_outdated(group_id: int, phone: str, values: dict[str, str] | None) -> bool:
    """Whether the group is another one now; contacts without a group get one anyway."""
    return group_id != NOT_PLACED and group_of(phone, values).id != group_id
