"""Groups of contacts that the gate treats alike: same places, time zones and consent.

A campaign has some hundred groups however many contacts, so the plan asks the gate once
for each group.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from domain.gate.places import Places

NOT_PLACED = 0
"""The id that stands for "not placed yet": contacts imported before groups existed."""


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """Contacts with the same places, whose rows state a consent date or do not."""

    places: Places
    has_consent: bool

    @property
    def id(self) -> int:
        """A signed 64-bit digest of the group, never NOT_PLACED.

        Read tables use it as the key. It depends on nothing but the group, so that it
        is the same after a rebuild.
        """
        return _id_of(self)


@lru_cache(maxsize=65_536)
def _id_of(group: ContactGroup) -> int:
    places = group.places
    text = "|".join(
        (
            " ".join(places.codes),
            " ".join(places.time_zones),
            places.source,
            "consent" if group.has_consent else "",
        )
    )
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True) or 1


@dataclass(frozen=True, slots=True)
class GroupedRows:
    """The contacts of one group among those of an event, by their positions in it."""

    group: ContactGroup
    positions: tuple[int, ...]


def grouped(groups: Iterable[ContactGroup]) -> tuple[GroupedRows, ...]:
    """Collect the positions of each group, in the order in which groups first occur."""
    positions: dict[ContactGroup, list[int]] = {}
    for at, group in enumerate(groups):
        positions.setdefault(group, []).append(at)
    return tuple(GroupedRows(group, tuple(own)) for group, own in positions.items())


def group_ids(rows: Iterable[GroupedRows]) -> dict[int, int]:
    """Return the id of the group of each position that was placed."""
    return {at: one.group.id for one in rows for at in one.positions}
