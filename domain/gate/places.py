"""The places that a number may belong to: a set, because one is rarely certain."""

from dataclasses import dataclass
from enum import StrEnum


class PlaceSource(StrEnum):
    """What the places of a contact were determined from, the most trusted first."""

    COLUMN = "COLUMN"
    """The time zone or country column of the contact file."""
    POSTAL_CODE = "POSTAL_CODE"
    SUBDIVISION = "SUBDIVISION"
    """The state or province column."""
    NUMBER = "NUMBER"
    """The number alone: its area code and the codes that overlay it."""


@dataclass(frozen=True, slots=True)
class Places:
    """All places and time zones that a number may belong to.

    `codes` are ISO 3166-1 countries and ISO 3166-2 subdivisions, such as US and US-FL,
    and `time_zones` IANA names; both are sorted. A number without a time zone is
    unknown: no calling hours can be checked for it.
    """

    codes: tuple[str, ...]
    time_zones: tuple[str, ...]
    source: PlaceSource

    @property
    def is_unknown(self) -> bool:
        """Whether the time zone could not be determined."""
        return not self.time_zones or not self.codes

    @property
    def countries(self) -> frozenset[str]:
        """The ISO 3166-1 codes of the countries."""
        return frozenset(country_of(code) for code in self.codes)

    def united_with(self, other: "Places") -> "Places":
        """Return the places of both; the source is the more trusted one."""
        order = list(PlaceSource)
        return Places(
            codes=tuple(sorted({*self.codes, *other.codes})),
            time_zones=tuple(sorted({*self.time_zones, *other.time_zones})),
            source=min(self.source, other.source, key=order.index),
        )


def country_of(code: str) -> str:
    """Return the country of a place: US for US-FL."""
    return code.partition("-")[0]
