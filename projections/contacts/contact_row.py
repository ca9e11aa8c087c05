"""A contact as pages and exports show it, and the SQL that reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from domain.contacts.contact_history import PlanKind
from domain.gate.groups import NOT_PLACED, ContactGroup
from domain.gate.places import Places, PlaceSource
from domain.outcomes import Withheld
from domain.values import ContactStatus, WaitingCode
from projections.tables.state_sql import shown_status_sql, withheld_sql


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact; the personal fields are empty once erased.

    `variables` are the file's other columns. `call_id` is the latest call's.
    """

    id: UUID
    campaign_id: UUID
    list_id: UUID
    imported_position: int
    seq: int
    name: str
    business_name: str
    phone: str
    erased_at: datetime | None
    variables: dict[str, Any]
    status: ContactStatus
    call_id: UUID | None
    attempt: int
    extension: str | None = None
    version: int = 0
    next_attempt_at: datetime | None = None
    deferred_until: datetime | None = None
    planned_kind: PlanKind | None = None
    withheld: Withheld | None = None
    group_id: int = NOT_PLACED
    codes: str = ""
    zones: str = ""
    source: str | None = None
    has_consent: bool = False
    deferred_code: WaitingCode | None = None

    @property
    def group(self) -> ContactGroup | None:
        """The contact's group, None if it has none yet."""
        if self.source is None:
            return None
        places = (tuple(self.codes.split()), tuple(self.zones.split()))
        return ContactGroup(Places(*places, PlaceSource(self.source)), self.has_consent)

    @property
    def places(self) -> list[str]:
        """The ISO 3166 codes of all places to which the number may belong."""
        return [] if self.erased_at else self.codes.split()

    @property
    def time_zones(self) -> list[str]:
        """The IANA names of all time zones to which the number may belong."""
        return [] if self.erased_at else self.zones.split()


SHOWN_STATUS = shown_status_sql("k.status", "c.state", "c.expired_at is not null")
WITHHELD = withheld_sql("k.withheld", "k.status", "c.expired_at is not null")
"""SQL expressions of a contact in `contact_log k` and `campaign_board c`."""

SELECTED: LiteralString = f"""
    select k.contact_id as id, k.campaign_id, k.list_id, k.imported_position, k.seq,
        coalesce(v.name, '') as name, coalesce(v.business_name, '') as business_name,
        coalesce(v.phone, '') as phone, v.extension,
        k.erased_at,
        coalesce(v.variables, '{{}}'::json) as variables,
        {SHOWN_STATUS} as status, k.call_id, k.attempt, k.version,
        k.planned_at as next_attempt_at, k.due_at as deferred_until, k.planned_kind,
        {WITHHELD} as withheld, k.group_id, coalesce(g.codes, '') as codes,
        coalesce(g.zones, '') as zones, g.source,
        coalesce(g.has_consent, false) as has_consent, k.deferred_code
    from imported k
    join campaign_board c on c.id = k.campaign_id
    left join contact_group g on g.group_id = k.group_id
    left join contact_vault v using (contact_id, list_id)
    order by k.imported_position, k.seq
"""  # noqa: S608 - our own text
"""The columns of ContactRow, from the rows `imported` of `contact_log`."""
