"""Telephone numbers as people write them, to E.164.

`phonenumbers` (Google's libphonenumber) decides. It takes some 20 µs a number, so
plain numbers of the default region are first held against the library's own patterns
for that region; only what those refuse goes through the whole library. Both ways give
the same answers: the patterns take no number that the library would read differently.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache, partial

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
    at_home = _plain_reader(region, at_home=True) if known_region(region) else None
    # What is no plain number is often the same: "n/a", "unknown", 000-000-0000.
    by_library = lru_cache(maxsize=4_096)(partial(normalise_by_library, region=region))

    def normalise_plain_first(raw: str) -> str | None:
        if len(raw) > _LONGEST:
            return None
        dialled = raw.translate(_PUNCTUATION)
        plain = at_home(dialled) if at_home else None
        return plain or _from_abroad(dialled) or by_library(raw)

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
def _country_reader(code: str) -> Normaliser | None:
    if not (code.isascii() and code.isdecimal()):
        return None
    main = phonenumbers.region_code_for_country_code(int(code))
    return _plain_reader(main, at_home=False) if known_region(main) else None


def _plain_reader(region: str, *, at_home: bool) -> Normaliser:
    """Return what reads digits with at most a `+` before them, or says None."""
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


def _reader(prefix: str, pattern: re.Pattern[str]) -> Normaliser:
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
