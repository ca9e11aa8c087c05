"""Filters of the contact list by what the contacts' calls have come to."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, LiteralString

from domain.outcomes import CallOutcome, Disposition
from projections.contact_results import RESULTS


@dataclass(frozen=True, slots=True)
class ContactFilters:
    """Only contacts with one of these outcomes and dispositions; None: any or none."""

    outcomes: Collection[CallOutcome] | None = None
    dispositions: Collection[Disposition] | None = None

    def __bool__(self) -> bool:
        return self.outcomes is not None or self.dispositions is not None

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters of FILTERED."""
        return {
            "outcomes": _as_list(self.outcomes),
            "dispositions": _as_list(self.dispositions),
        }


NO_FILTERS = ContactFilters()


def _as_list(values: Collection[CallOutcome | Disposition] | None) -> list[str] | None:
    return None if values is None else [value.value for value in values]


CHOSEN: LiteralString = f"""
    chosen as materialized (
        select k.*, i.imported_position
        from ({RESULTS}) results
        join contact_log k using (contact_id)
        join contact_import i using (list_id)
        left join contact_vault v using (contact_id, list_id)
        where k.campaign_id = %(campaign)s and i.imported_position is not null
            and k.status = any(%(statuses)s)
            and (%(outcomes)s::text[] is null
                or results.outcome = any(%(outcomes)s))
            and (%(dispositions)s::text[] is null
                or results.disposition = any(%(dispositions)s))
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
