"""The contacts of an upload or a campaign with their numbers, for their dialability."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import orjson

from application.contacts.files.contact_groups import group_of
from domain.gate.groups import ContactGroup
from domain.states import FINISHED
from domain.values import ContactStatus, WaitingCode
from projections.contacts.contact_groups import group_from
from projections.tables.state_sql import literals
from storage.database import Conn

_UPLOAD: LiteralString = """
    select attributes::text, string_agg(phone, ',')
    from upload_row where upload_id = %(id)s group by 1
"""

# A number of an erased contact is not known; it is shown by its group alone.
_CAMPAIGN: LiteralString = f"""
    select g.codes, g.zones, g.source, g.has_consent, waits.until,
        case when waits.until is not null then waits.code end,
        string_agg(coalesce(v.phone, ''), ',')
    from campaign_board c
    join contact_import i on i.campaign_id = c.id and i.imported_position is not null
    join contact_log k on k.list_id = i.list_id
        and k.status = '{ContactStatus.PENDING}'
    left join contact_group g on g.group_id = k.group_id
    left join contact_vault v on v.contact_id = k.contact_id
        and v.list_id = k.list_id and v.salt is not null
    cross join lateral (
        select case when k.planned_at is not null then k.planned_at
            when k.deferred_position > c.resumed_position then k.due_at end as until,
            case when k.planned_at is null
                then coalesce(k.deferred_code, '{WaitingCode.RETRY_LATER}')
            when k.planned_kind = 'CALLBACK' then '{WaitingCode.CALLBACK_PLANNED}'
            else '{WaitingCode.RETRY_PLANNED}' end as code
    ) waits
    where c.id = %(id)s and c.expired_at is null
        and c.state not in {literals(FINISHED)}
    group by 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class WaitingPhones:
    """The E.164 numbers of contacts of one group with the same plan, each once.

    `phones` contains an empty text for each contact whose number is not known any more.
    """

    group: ContactGroup | None
    phones: list[str]
    not_before: datetime | None = None
    planned: WaitingCode = WaitingCode.RETRY_LATER


def of_upload(conn: Conn, upload_id: UUID) -> list[WaitingPhones]:
    """Read the accepted rows of an upload; they are grouped as at an import."""
    found: dict[int, WaitingPhones] = {}
    for attributes, phones in conn.execute(_UPLOAD, {"id": upload_id}):
        values = orjson.loads(attributes) if attributes else None
        for phone in phones.split(","):
            group = group_of(phone, values)
            one = found.get(group.id)
            if one is None:
                one = found[group.id] = WaitingPhones(group, [])
            one.phones.append(phone)
    return list(found.values())


def of_campaign(conn: Conn, campaign_id: UUID) -> Iterator[WaitingPhones]:
    """Read the contacts that wait for a call in a campaign that is not over."""
    for row in conn.execute(_CAMPAIGN, {"id": campaign_id}):
        *columns, until, code, phones = row
        planned = WaitingCode(code) if code else WaitingCode.RETRY_LATER
        yield WaitingPhones(group_from(columns), phones.split(","), until, planned)
