"""Look-up of one number in the imported suppression lists."""

from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from domain.gate.decision import ListFinding
from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import ListVersion, SuppressionLists, findings

NOTHING_KNOWN: Mapping[UUID, bool] = MappingProxyType({})


class NumberLists(Protocol):
    """Looks numbers up in the imported suppression lists."""

    def look_up(
        self, versions: Collection[UUID], number: str, known: Mapping[UUID, bool]
    ) -> dict[UUID, bool]:
        """Return which list versions contain an E.164 number.

        `known` has the answers that were read already; they stay true, because a
        version never changes. A version whose blocks cannot be read is left out.
        """


def look_up(
    blocks: NumberLists,
    lists: SuppressionLists | None,
    phone: str,
    purpose: CallPurpose,
    today: date,
    *,
    known: Mapping[UUID, bool] = NOTHING_KNOWN,
) -> tuple[ListFinding, ...] | None:
    """Return what the lists for a purpose say of a number; None if one is unreadable.

    `lists` is None before the first list was imported. `known` has answers by version
    that were read already.
    """
    versions = lists.versions.values() if lists else ()
    wanted = [one for one in versions if _restricts(one, purpose, phone)]
    ids = [one.version_id for one in wanted]
    contained = blocks.look_up(ids, phone, known) if ids else {}
    return findings(versions, phone, purpose, contained, today)


def _restricts(version: ListVersion, purpose: CallPurpose, phone: str) -> bool:
    return version.is_about(purpose) and version.covers_number(phone)
