"""The contacts of an upload or a campaign with their numbers, for their dialability."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from application.contacts.files.contact_groups import (
    PLACE_VALUES,
    decisive_digits,
    group_of,
)
from application.contacts.files.contact_values import CONSENT_AT
from domain.gate.groups import ContactGroup
from domain.states import FINISHED
from domain.values import ContactStatus, WaitingCode
from projections.contacts.contact_groups import group_from
from projections.contacts.waiting_codes import DEFERRED_CODE, PLANNED_CODE
from projections.tables.state_sql import literals
from storage.database import Conn

_UPLOAD: LiteralString = """
    select attributes::text, phone from upload_row where upload_id = %(id)s
"""

# A number of an erased contact is not known; it is shown by its group alone.
_CAMPAIGN: LiteralString = f"""
    select g.codes, g.zones, g.source, g.has_consent, waiting.until,
        case when waiting.until is not null then waiting.code end, waiting.phones
    from (
        select k.group_id, waits.until, waits.code,
            string_agg(coalesce(v.phone, '0'), ',') as phones
        from campaign_board c
        join contact_import i
            on i.campaign_id = c.id and i.imported_position is not null
        join contact_log k on k.list_id = i.list_id
            and k.status = '{ContactStatus.PENDING}'
        left join contact_vault v on v.contact_id = k.contact_id
            and v.list_id = k.list_id and v.salt is not null
        cross join lateral (
            select case when k.planned_at is not null then k.planned_at
                when k.deferred_position > c.resumed_position then k.due_at end
                as until,
                case when k.planned_at is null then {DEFERRED_CODE}
                    else {PLANNED_CODE} end as code
        ) waits
        where c.id = %(id)s and c.expired_at is null
            and c.state not in {literals(FINISHED)}
        group by 1, 2, 3
    ) waiting
    left join contact_group g on g.group_id = waiting.group_id
"""  # noqa: S608 - our own text

NOT_KNOWN = 0
"""Stands for a number that was erased."""

AREA_NUMBERS = 10_000_000
FIRST_AREA, LAST_AREA = 1_200, 1_999
"""The leading digits of North American numbers of 11 digits, whose areas decide."""

GIVEN = "given"
"""Stands for the time of a consent, which does not decide about a group."""

DECISIVE_VALUES = (*PLACE_VALUES, CONSENT_AT)

type _Stated = tuple[str | None, ...]
_NOTHING_STATED: _Stated = (None,) * len(DECISIVE_VALUES)


@dataclass(frozen=True, slots=True)
class WaitingNumbers:
    """The numbers of contacts of one group with the same plan.

    `numbers` are the digits of E.164 as whole numbers, NOT_KNOWN for a contact whose
    number is not known any more.
    """

    group: ContactGroup | None
    numbers: NDArray[np.int64]
    not_before: datetime | None = None
    planned: WaitingCode = WaitingCode.RETRY_LATER


def of_upload(conn: Conn, upload_id: UUID) -> list[WaitingNumbers]:
    """Read the accepted rows of an upload; they are grouped as at an import."""
    phones: defaultdict[_Stated, list[str]] = defaultdict(list)
    for attributes, phone in conn.execute(_UPLOAD, {"id": upload_id}).fetchall():
        phones[_stated(attributes)].append(phone)
    found: defaultdict[ContactGroup, list[NDArray[np.int64]]] = defaultdict(list)
    for stated, some in phones.items():
        named = zip(DECISIVE_VALUES, stated, strict=True)
        values = {name: value for name, value in named if value}
        for group, numbers in _grouped(_numbers(",".join(some)), values):
            found[group].append(numbers)
    return [
        WaitingNumbers(group, np.concatenate(parts)) for group, parts in found.items()
    ]


def of_campaign(conn: Conn, campaign_id: UUID) -> Iterator[WaitingNumbers]:
    """Read the contacts that wait for a call in a campaign that is not over."""
    for row in conn.execute(_CAMPAIGN, {"id": campaign_id}):
        *columns, until, code, phones = row
        planned = WaitingCode(code) if code else WaitingCode.RETRY_LATER
        group = group_from(columns)
        yield WaitingNumbers(group, _numbers(phones), until, planned)


def _stated(attributes: str | None) -> _Stated:
    """Return the values of DECISIVE_VALUES, with GIVEN for any time of consent."""
    if not attributes:
        return _NOTHING_STATED
    values = orjson.loads(attributes)
    consent = GIVEN if values.get(CONSENT_AT) else None
    return (*map(values.get, PLACE_VALUES), consent)


def _numbers(phones: str) -> NDArray[np.int64]:
    """Read E.164 numbers that are separated by commas."""
    return np.fromstring(phones, np.int64, sep=",")


def _grouped(
    numbers: NDArray[np.int64], values: Mapping[str, str]
) -> Iterator[tuple[ContactGroup, NDArray[np.int64]]]:
    """Split numbers whose rows state the same values into groups."""
    for alike in _by_decisive_digits(numbers):
        yield group_of(f"+{alike[0]}", values), alike


def _by_decisive_digits(
    numbers: NDArray[np.int64],
) -> Iterator[NDArray[np.int64]]:
    """Split numbers by the leading digits on which their places depend."""
    area = numbers // AREA_NUMBERS
    american = (area >= FIRST_AREA) & (area <= LAST_AREA)
    area = np.where(american, area, 0)
    order = np.argsort(area, kind="stable")
    starts = np.flatnonzero(np.diff(area[order])) + 1
    for part in np.split(numbers[order], starts):
        if len(part) and FIRST_AREA <= part[0] // AREA_NUMBERS <= LAST_AREA:
            yield part
        else:
            alike: defaultdict[str, list[int]] = defaultdict(list)
            for number in part.tolist():
                alike[decisive_digits(f"+{number}")].append(number)
            yield from (np.array(one, np.int64) for one in alike.values())
