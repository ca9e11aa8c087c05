"""Telephone numbers as people write them, to E.164.

`phonenumbers` (Google's libphonenumber) decides. It takes some 20 µs a number, so
plain numbers of the default region are first held against the library's own patterns
for that region; only what those refuse goes through the whole library. Both ways give
the same answers: the patterns take no number that the library would read differently.
"""

import re
from collections.abc import Callable
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat
from phonenumbers.phonemetadata import PhoneNumberDesc

_PUNCTUATION = str.maketrans("", "", " .-()")
_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
_LONGEST = 250
"""What the library reads at most, in characters."""

type Normaliser = Callable[[str], str | None]


def known_region(region: str) -> bool:
    """Say whether this is a region (ISO 3166-1 alpha-2, upper case) with numbers."""
    return region in phonenumbers.SUPPORTED_REGIONS


def normalise(raw: str, region: str) -> str | None:
    """Return the number as E.164, or None where libphonenumber calls it invalid.

    A number without `+` is read as `region` would dial it.
    """
    return normaliser(region)(raw)


@cache
def normaliser(region: str) -> Normaliser:
    """Return `normalise` for one region, with its patterns ready."""
    found = _plain_number(region)
    if found is None:
        return lambda raw: normalise_by_library(raw, region)
    calling_code, pattern = found
    match = pattern.match

    def normalise_plain_first(raw: str) -> str | None:
        plain = match(raw.translate(_PUNCTUATION)) if len(raw) <= _LONGEST else None
        if plain is None:
            return normalise_by_library(raw, region)
        return f"+{calling_code}{plain[1]}"

    return normalise_plain_first


def normalise_by_library(raw: str, region: str) -> str | None:
    """Return the number as E.164 by the whole library, or None where invalid."""
    try:
        number = phonenumbers.parse(raw, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _plain_number(region: str) -> tuple[int, re.Pattern[str]] | None:
    """Return the calling code and a pattern whose group 1 is the national number."""
    if not known_region(region):
        return None
    code = phonenumbers.country_code_for_region(region)
    own = _metadata(region)
    # Regions that share a calling code: the first is the main one.
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    sharing = [_metadata(each) for each in regions]
    read = sharing[:1] if region == regions[0] else [sharing[0], own]
    valid = "|".join(_valid_in(metadata, sharing) for metadata in read)
    stripped = _any([metadata.national_prefix_for_parsing for metadata in read])
    ways = rf"(?:\+{code}|{_dialled_at_home(code, own)})"
    return code, re.compile(rf"{ways}((?!{stripped})(?:{valid}))\Z", re.ASCII)


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
    kinds = "|".join(_matching(getattr(metadata, kind)) for kind in _KINDS)
    general = _matching(metadata.general_desc)
    return rf"{own}(?!{others})(?={general}\Z)(?:{kinds})(?=\Z)"


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
