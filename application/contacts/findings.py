"""What was understood of a contact file, beside its rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from phonenumbers import country_code_for_region

from application.contacts.column_names import ColumnRole
from application.contacts.contact_rows import AcceptedRow, Row
from application.contacts.contact_values import country_of
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import phone_reader

GLOBAL_SERVICE = "001"
"""Stands for numbers of no country, such as satellite networks (UN M.49: world)."""

_PREFIX = 7
"""Characters of a number, such as +120255, by which countries are counted."""

_FEWEST_DIGITS = 7
_FEWEST_IN_SAMPLE = 10
_FITTING_PERCENT = 90
_BETTER_PERCENT = 20
_LIKELY_REGIONS = (
    *("US", "GB", "IN", "DE", "FR", "ES", "IT", "NL", "PL", "BR", "MX", "AU", "ZA"),
    *("NG", "KE", "PH", "ID", "PK", "BD", "TR", "AE", "SA", "EG", "JP", "KR", "CN"),
    *("VN", "TH", "MY", "SG", "IE", "PT", "BE", "AT", "CH", "SE", "NO", "DK", "FI"),
    *("CZ", "SK", "HU", "RO", "GR", "UA", "RU", "IL", "AR", "CO", "CL", "PE", "NZ"),
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a file is understood to be.

    `columns` are the file's names with their `roles`; `countries` are accepted numbers
    by ISO 3166-1 code, most frequent first; `warnings` are for the user to read.
    """

    columns: tuple[str, ...]
    roles: tuple[ColumnRole, ...] = ()
    countries: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()


class CountryCount:
    """Counts the countries of accepted numbers."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, rows: Sequence[Row]) -> None:
        """Count the accepted ones among the next rows of a file."""
        self._counts.update(
            [row.phone[:_PREFIX] for row in rows if type(row) is AcceptedRow]
        )

    def by_country(self) -> tuple[tuple[str, int], ...]:
        """Return ISO 3166-1 codes with their numbers, most frequent first."""
        found: Counter[str] = Counter()
        for prefix, count in self._counts.items():
            found[country_of(prefix) or GLOBAL_SERVICE] += count
        return tuple(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def region_warning(region: str, cells: Sequence[str]) -> str | None:
    """Return a text if another region fits far better than `region`.

    `cells` are a sample of phone cells without a country code.
    """
    sample = [cell for cell in cells if sum(map(str.isdecimal, cell)) >= _FEWEST_DIGITS]
    total = len(sample)
    if total < _FEWEST_IN_SAMPLE:
        return None
    valid, own_code = _valid_in(region, sample), country_code_for_region(region)
    others = [other for other in _LIKELY_REGIONS if other != region]
    best, other = max(
        (_valid_in(other, sample), other)
        for other in others
        if country_code_for_region(other) != own_code
    )
    fits = best * 100 >= _FITTING_PERCENT * total
    if not fits or (best - valid) * 100 < _BETTER_PERCENT * total:
        return None
    return (
        f"Of the first {total} numbers without a country code, {valid} are valid in"
        f" {region} and {best} in {other}: most of these would be valid in {other}. If"
        f" they are numbers of {other}, upload the file again with"
        f" defaultRegion={other}, or other people will be called."
    )


def _valid_in(region: str, cells: Sequence[str]) -> int:
    read = phone_reader(region)
    return sum(not isinstance(read(cell), InvalidPhone) for cell in cells)
