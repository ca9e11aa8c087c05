"""What was understood of a contact file, beside its rows."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from phonenumbers import (
    PhoneNumberType,
    country_code_for_region,
    number_type,
    parse,
)

from application.contacts.files.column_names import ColumnRole
from application.contacts.files.contact_rows import AcceptedRow, Row
from application.contacts.files.contact_values import country_of
from application.contacts.files.missing_values import MissingValues
from application.contacts.files.sheets import Sheets
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import phone_reader
from domain.wording import noun

GLOBAL_SERVICE = "001"
"""Stands for numbers of no country, such as satellite networks (UN M.49: world)."""

_PREFIX = 7
"""Characters of a number, such as +120255, by which countries and kinds are counted."""

_FEWEST_DIGITS = 7
_FEWEST_IN_SAMPLE = 10
_FITTING_PERCENT = 90
_BETTER_PERCENT = 20
_SHOWN_REGIONS = 6
_LIKELY_REGIONS = (
    *("US", "GB", "IN", "DE", "FR", "ES", "IT", "NL", "PL", "BR", "MX", "AU", "ZA"),
    *("NG", "KE", "PH", "ID", "PK", "BD", "TR", "AE", "SA", "EG", "JP", "KR", "CN"),
    *("VN", "TH", "MY", "SG", "IE", "PT", "BE", "AT", "CH", "SE", "NO", "DK", "FI"),
    *("CZ", "SK", "HU", "RO", "GR", "UA", "RU", "IL", "AR", "CO", "CL", "PE", "NZ"),
)
"""In the order in which they are named if numbers fit several of them equally well."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a file is understood to be.

    `columns` are the file's names with their `roles`; `countries` are accepted numbers
    by ISO 3166-1 code and `kinds` by libphonenumber's kind, most frequent first;
    `warnings` are for the user to read; `sheets` are those of a workbook; `missing` are
    the rows without a value, by variable.
    """

    columns: tuple[str, ...]
    roles: tuple[ColumnRole, ...] = ()
    countries: tuple[tuple[str, int], ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    sheets: Sheets | None = None
    missing: tuple[MissingValues, ...] = ()


class NumberCount:
    """Counts accepted numbers by country and by kind.

    Numbers with the same first digits count as of the same country and kind.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Count the accepted ones among the next rows of a file."""
        phones = [row.phone for row in rows if type(row) is AcceptedRow]
        prefixes = [phone[:_PREFIX] for phone in phones]
        self._counts.update(prefixes)
        self._examples.update(zip(prefixes, phones, strict=True))

    def by_country(self) -> tuple[tuple[str, int], ...]:
        """Return ISO 3166-1 codes with their numbers, most frequent first."""
        return self._grouped(lambda phone: country_of(phone) or GLOBAL_SERVICE)

    def by_kind(self) -> tuple[tuple[str, int], ...]:
        """Return kinds, such as MOBILE, with their numbers, most frequent first."""
        return self._grouped(_kind_of)

    def _grouped(self, group_of: Callable[[str], str]) -> tuple[tuple[str, int], ...]:
        found: Counter[str] = Counter()
        for prefix, count in self._counts.items():
            found[group_of(self._examples[prefix])] += count
        return tuple(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _kind_of(phone: str) -> str:
    """Return a constant's name of libphonenumber's PhoneNumberType."""
    return PhoneNumberType.to_string(number_type(parse(phone)))


def region_warning(region: str, cells: Sequence[str]) -> str | None:
    """Return a text if another region fits far better than `region`.

    `cells` are a sample of phone cells without a country code.
    """
    sample = [cell for cell in cells if sum(map(str.isdecimal, cell)) >= _FEWEST_DIGITS]
    total = len(sample)
    if total < _FEWEST_IN_SAMPLE:
        return None
    valid, own_code = _valid_in(region, sample), country_code_for_region(region)
    found = {
        other: _valid_in(other, sample)
        for other in _LIKELY_REGIONS
        if country_code_for_region(other) != own_code
    }
    best = max(found.values())
    fits = best * 100 >= _FITTING_PERCENT * total
    if not fits or (best - valid) * 100 < _BETTER_PERCENT * total:
        return None
    fitting = [each for each, count in found.items() if count == best]
    *others, last = fitting[:_SHOWN_REGIONS]
    shown = f"{', '.join(others)} or {last}" if others else last
    numbers, choice = (shown, last) if not others else ("one of these", "that country")
    return (
        f"Of the first {total} numbers without a country code, {valid}"
        f" {noun(valid, 'is', 'are')} valid in {region} and {best} in {shown}: most of"
        f" these would be valid in {shown}."
        f" If they are numbers of {numbers}, choose {choice} as the default region, or"
        " other people will be called."
    )


def _valid_in(region: str, cells: Sequence[str]) -> int:
    read = phone_reader(region)
    return sum(not isinstance(read(cell), InvalidPhone) for cell in cells)
