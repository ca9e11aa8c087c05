"""Filters of the contact list by what the contacts' calls have come to."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, LiteralString

from domain.outcomes import CallOutcome, Disposition, Withheld
from projections.contacts.contact_results import RESULTS
from projections.tables.state_sql import withheld_sql


@dataclass(frozen=True, slots=True)
class ContactFilters:
    """Only contacts that match each of these lists; None: any value, or none.

    A contact has at most one outcome, one disposition, and one reason for which it was
    withheld from calls.
    """

    outcomes: Collection[CallOutcome] | None = None
    dispositions: Collection[Disposition] | None = None
    withheld: Collection[Withheld] | None = None

    def __bool__(self) -> bool:
        lists = (self.outcomes, self.dispositions, self.withheld)
        return any(one is not None for one in lists)

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters of FILTERED."""
        return {
            "outcomes": _as_list(self.outcomes),
            "dispositions": _as_list(self.dispositions),
            "withheld": _as_list(self.withheld),
        }


NO_FILTERS = ContactFilters()


def _as_list(values: Collection[StrEnum] | None) -> list[str] | None:
    return None if values is None else [value.value for value in values]


_WITHHELD = withheld_sql("k.withheld", "k.status", "b.expired_at is not null")

CHOSEN: LiteralString = f"""
    chosen as materialized (
        select k.*, i.imported_position
        from contact_import i
        join contact_log k using (list_id)
        join campaign_board b on b.id = i.campaign_id
        left join ({RESULTS}) results using (contact_id)
        left join contact_vault v using (contact_id, list_id)
        where i.campaign_id = %(campaign)s and i.imported_position is not null
            and k.status = any(%(statuses)s)
            and (%(outcomes)s::text[] is null
                or results.outcome = any(%(outcomes)s))
            and (%(dispositions)s::text[] is null
                or results.disposition = any(%(dispositions)s))
            and (%(withheld)s::text[] is null or {_WITHHELD} = any(%(withheld)s))
            and {{match}}
    )
"""  # noqa: S608 - our own text

FILTERED: LiteralString = f"""
    with {CHOSEN}, imported as (
        select * from chosen
        where (imported_position, seq) > (%(list)s, %(seq)s)
        order by imported_position, seq limit %(most)s
    )
"""  # noqa: S608 - our own text
"""The page of contacts that match, as `imported`; `match` is a condition on `v`."""

FILTERED_TOTAL: LiteralString = f"with {CHOSEN} select count(*) from chosen"  # noqa: S608 - our own text
