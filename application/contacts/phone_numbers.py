"""Phone cells to E.164 numbers: which cells name a number that may be called.

`phone_cell` takes a cell apart and `phonenumbers` (Google's libphonenumber) decides
whether the number is valid and of what kind. That takes 20 µs or more a number, so
plain numbers are first matched against the library's own patterns for their region.
The patterns accept only numbers that the library would read in the same way and that
are of a kind that is called; every other cell takes the whole way.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache, lru_cache, partial

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    PhoneNumberType,
)
from phonenumbers.phonemetadata import PhoneNumberDesc

from application.contacts.phone_cell import (
    LONGEST_CELL,
    InvalidPhone,
    PhoneText,
    invalid,
    is_date,
    read_cell,
)

_CALLED_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "voip",
    "personal_number",
    "voicemail",
)
_REFUSED_KINDS = {
    PhoneNumberType.PREMIUM_RATE: ("premium_rate", "a premium-rate number"),
    PhoneNumberType.SHARED_COST: ("shared_cost", "a shared-cost number"),
    PhoneNumberType.PAGER: ("pager", "a pager's number"),
    PhoneNumberType.UAN: ("uan", "a company's universal access number (UAN)"),
}
# Inmarsat, the global mobile satellite systems, and the international networks, which
# include Thuraya: libphonenumber has no kind for them (ITU-T E.164 list of codes).
_SATELLITE_CODES = frozenset({870, 881, 882})
_SATELLITE = "a satellite number"
_LONGEST_DATE = 10
_LONGEST_DIALLED = 19  # Characters: E.164's 15 digits after an international prefix.


class Kinds(StrEnum):
    """Which kinds of numbers a file may have: those that one calls, or any."""

    CALLED = "called"
    ANY = "any"


type Phone = tuple[str, str | None]
"""A number as E.164, and the digits of its extension if it has one."""

type PhoneReader = Callable[[str], Phone | InvalidPhone]
"""Reads a cell; where it is invalid, the answer says why and what to do."""

type _Plain = Callable[[str], str | None]
"""Turns digits with at most a `+` before them into E.164; None if not recognised."""


def known_region(region: str) -> bool:
    """Say whether this is a region (ISO 3166-1 alpha-2, upper case) with numbers."""
    return region in phonenumbers.SUPPORTED_REGIONS


def with_extension(phone: str, extension: str | None) -> str:
    """Write a number as one text, which a phone reader reads back."""
    return f"{phone} ext. {extension}" if extension else phone


@cache
def phone_reader(region: str, *, any_kind: bool = False) -> PhoneReader:
    """Return the reader of cells whose numbers without `+` are dialled in `region`.

    `any_kind` accepts premium-rate, shared-cost, pager, satellite and universal access
    numbers too.
    """
    at_home = _plain_reader(region, at_home=True) if known_region(region) else None
    # What is no plain number is often the same: "n/a", "unknown", 000-000-0000.
    whole = lru_cache(maxsize=4_096)(
        partial(read_by_library, region=region, any_kind=any_kind)
    )

    def read(cell: str) -> Phone | InvalidPhone:
        # Several times as fast as `str.translate`.
        dialled = cell.replace(" ", "").replace("-", "")
        dialled = dialled.replace("(", "").replace(")", "")
        plain = at_home(dialled) if at_home else None
        plain = plain or _from_abroad(dialled)
        length = len(cell)
        if plain is None or length > LONGEST_CELL:
            return whole(cell)
        if length <= _LONGEST_DATE and "-" in cell and is_date(cell):
            return whole(cell)
        return plain, None

    return read


def read_by_library(
    cell: str, region: str, *, any_kind: bool = False
) -> Phone | InvalidPhone:
    """Read a cell by the whole library, without the patterns of `phone_reader`."""
    text = read_cell(cell)
    if isinstance(text, InvalidPhone):
        return text
    number = _valid_number(text.number, region)
    if any(_valid_number(part, region) for part in text.before_slashes):
        return invalid(cell, "holds more than one number", "leave one in each row")
    if number is None:
        return _not_valid(cell, text, region)
    refused = None if any_kind else _refused_kind(number)
    if refused:
        remedy = "upload the file with kinds=any to call such numbers"
        return invalid(cell, f"is {refused}", remedy)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return e164, text.extension


def _valid_number(digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    """Parse digits; a `+` means that the country code follows, whatever the region."""
    try:
        number = phonenumbers.parse(digits, None if digits[:1] == "+" else region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _not_valid(cell: str, text: PhoneText, region: str) -> InvalidPhone:
    if len(text.number) > _LONGEST_DIALLED:
        return invalid(cell, "has too many digits", "leave one number in each row")
    if text.number.startswith("+"):
        return invalid(
            cell, "is not a valid phone number", "check the country code and the digits"
        )
    fault = f"is not a valid phone number in region {region}"
    return invalid(cell, fault, "check the digits, or write + and the country code")


def _refused_kind(number: phonenumbers.PhoneNumber) -> str | None:
    """Name the number's kind if numbers of that kind are not called."""
    if number.country_code in _SATELLITE_CODES:
        return _SATELLITE
    kind = _REFUSED_KINDS.get(phonenumbers.number_type(number))
    return kind[1] if kind else None


def _from_abroad(dialled: str) -> str | None:
    """Read a plain number that names its country, whatever the default region."""
    if not dialled.startswith("+"):
        return None
    for digits in (1, 2, 3):
        read = _country_reader(dialled[1 : digits + 1])
        if read is not None:
            return read(dialled)
    return None


@lru_cache(maxsize=2_000)
def _country_reader(code: str) -> _Plain | None:
    if not (code.isascii() and code.isdecimal()):
        return None
    main = phonenumbers.region_code_for_country_code(int(code))
    return _plain_reader(main, at_home=False) if known_region(main) else None


def _plain_reader(region: str, *, at_home: bool) -> _Plain:
    """Return the reader of a region's plain numbers of a kind that is called."""
    code = phonenumbers.country_code_for_region(region)
    # Regions that share a calling code: the first is the main one.
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    sharing = [_metadata(each) for each in regions]
    own = sharing[regions.index(region)]
    read = [own] if own is sharing[0] else [sharing[0], own]
    valid = "|".join(_valid_in(metadata, sharing) for metadata in read)
    stripped = _any([metadata.national_prefix_for_parsing for metadata in read])
    home = f"|{_dialled_at_home(code, own)}" if at_home else ""
    pattern = rf"(?:\+{code}{home})((?!{stripped})(?:{valid}))\Z"
    return _reader(f"+{code}", re.compile(pattern, re.ASCII))


def _reader(prefix: str, pattern: re.Pattern[str]) -> _Plain:
    match = pattern.match

    def read(dialled: str) -> str | None:
        plain = match(dialled)
        return prefix + plain[1] if plain else None

    return read


def _metadata(region: str) -> PhoneMetadata:
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, f"phonenumbers knows no numbers of {region}"
    return metadata


def _dialled_at_home(code: int, own: PhoneMetadata) -> str:
    """Match what may stand before the national number where no `+` does."""
    prefix = own.national_prefix_for_parsing
    abroad = f"(?!{_any([own.international_prefix])})"
    if prefix is None or own.national_prefix_transform_rule or not prefix.isdecimal():
        return rf"{abroad}(?!{code})"
    if prefix == str(
        code
    ):  # North America: the code read as a prefix is the same number.
        return rf"{abroad}(?:{prefix})?(?!{code})"
    return rf"{abroad}(?!{code})(?:{prefix})?"


def _valid_in(metadata: PhoneMetadata, sharing: list[PhoneMetadata]) -> str:
    """Match a national number of the region that no other region claims first."""
    others = _any([other.leading_digits for other in sharing if other is not metadata])
    own = f"(?={metadata.leading_digits})" if metadata.leading_digits else ""
    called = "|".join(_matching(getattr(metadata, kind)) for kind in _CALLED_KINDS)
    refused = "|".join(
        _matching(getattr(metadata, kind)) for kind, _ in _REFUSED_KINDS.values()
    )
    general = _matching(metadata.general_desc)
    return rf"{own}(?!{others})(?={general}\Z)(?!(?:{refused})\Z)(?:{called})(?=\Z)"


def _matching(desc: PhoneNumberDesc | None) -> str:
    if desc is None or not desc.national_number_pattern:
        return r"(?!)"
    lengths = "|".join(
        rf"\d{{{length}}}\Z"
        for length in desc.possible_length
        if length not in desc.possible_length_local_only
    )
    return rf"(?={lengths})(?:{desc.national_number_pattern})"


def _any(patterns: list[str | None]) -> str:
    """Match where one of the patterns does; nowhere, if there is none."""
    return "|".join(f"(?:{pattern})" for pattern in patterns if pattern) or r"(?!)"
