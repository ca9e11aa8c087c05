"""Values of a contact that are not a name or a number: place, consent, own id.

They decide who may be called and when, so a value that cannot be understood makes the
row invalid instead of being ignored.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import available_timezones

import phonenumbers

from application.contacts.files.column_names import ColumnRole, column_key
from application.places.subdivisions import names_of

TIME_ZONE = "time_zone"
COUNTRY = "country"
SUBDIVISION = "subdivision"
POSTAL_CODE = "postal_code"
CONSENT_AT = "consent_at"
CONSENT_SOURCE = "consent_source"
EXTERNAL_ID = "external_id"

type Attributes = dict[str, str]
"""Understood values by the names above; only those that the row has.

`time_zone` is an IANA name, `country` ISO 3166-1 alpha-2, `subdivision` ISO 3166-2,
`consent_at` a UTC time in ISO 8601; the others are the cells' text.
"""

_COUNTRY_NAMES = Path(__file__).with_name("country_names.txt")
_COUNTRY_ALIASES = {
    "usa": "US",
    "unitedstatesofamerica": "US",
    "america": "US",
    "eeuu": "US",
    "uk": "GB",
    "greatbritain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "uae": "AE",
    "holland": "NL",
    "czechrepublic": "CZ",
    "brasil": "BR",
    "korea": "KR",
    "southkorea": "KR",
    "russianfederation": "RU",
    "vietnam": "VN",
    "turkey": "TR",
    "turkiye": "TR",
}
_COUNTRIES_ALPHA_3 = {
    "usa": "US",
    "gbr": "GB",
    "can": "CA",
    "aus": "AU",
    "deu": "DE",
    "fra": "FR",
    "esp": "ES",
    "ita": "IT",
    "nld": "NL",
    "pol": "PL",
    "prt": "PT",
    "bra": "BR",
    "mex": "MX",
    "ind": "IN",
    "irl": "IE",
    "aut": "AT",
    "che": "CH",
    "bel": "BE",
}
_ZONE_ALIASES = {
    "eastern": "America/New_York",
    "et": "America/New_York",
    "est": "America/New_York",
    "edt": "America/New_York",
    "easterntime": "America/New_York",
    "easterntimeuscanada": "America/New_York",
    "easternstandardtime": "America/New_York",
    "central": "America/Chicago",
    "ct": "America/Chicago",
    "cst": "America/Chicago",
    "cdt": "America/Chicago",
    "centraltime": "America/Chicago",
    "centraltimeuscanada": "America/Chicago",
    "centralstandardtime": "America/Chicago",
    "mountain": "America/Denver",
    "mt": "America/Denver",
    "mst": "America/Denver",
    "mdt": "America/Denver",
    "mountaintime": "America/Denver",
    "mountaintimeuscanada": "America/Denver",
    "mountainstandardtime": "America/Denver",
    "pacific": "America/Los_Angeles",
    "pt": "America/Los_Angeles",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "pacifictime": "America/Los_Angeles",
    "pacifictimeuscanada": "America/Los_Angeles",
    "pacificstandardtime": "America/Los_Angeles",
}
_ISO_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,6})?)?"
    r" ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
)
_SHOWN = 50

NO_VALUES = frozenset({"-", "--", "n/a", "#n/a", "none", "null", "unknown"})
"""What exports write into cells without a value. NA is the code of Namibia."""


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """Why a row's value is not understood; the message says what to write."""

    message: str


type ValueColumn = tuple[int, ColumnRole]
"""The position of a column and its role."""

VALUE_ROLES = frozenset(
    {
        ColumnRole.TIME_ZONE,
        ColumnRole.COUNTRY,
        ColumnRole.SUBDIVISION,
        ColumnRole.POSTAL_CODE,
        ColumnRole.CONSENT_AT,
        ColumnRole.CONSENT_SOURCE,
        ColumnRole.EXTERNAL_ID,
    }
)
_AS_WRITTEN = {
    ColumnRole.POSTAL_CODE: POSTAL_CODE,
    ColumnRole.CONSENT_SOURCE: CONSENT_SOURCE,
    ColumnRole.EXTERNAL_ID: EXTERNAL_ID,
}


def read_values(
    cells: Sequence[str], columns: Sequence[ValueColumn], phone: str
) -> Attributes | InvalidValue:
    """Understand a row's values; `phone` (E.164) decides the country without a column.

    Empty cells have no value, nor have NO_VALUES. A state is only checked in countries
    whose states are known here; elsewhere it stays a variable of the contact.
    """
    given = {
        role: text
        for at, role in columns
        if (text := cells[at].strip()) and text.lower() not in NO_VALUES
    }
    if given.get(ColumnRole.COUNTRY, "x").lstrip("+").isdecimal():
        del given[ColumnRole.COUNTRY]  # A calling code, which belongs to the number.
    found: Attributes = {}
    for role, name, read in _CHECKED:
        if role in given:
            value = read(given[role])
            if value is None:
                return _invalid(role, given[role])
            found[name] = value
    if state := given.get(ColumnRole.SUBDIVISION):
        country = found.get(COUNTRY) or country_of(phone)
        known = _subdivisions(country)
        if known:
            code = known.get(column_key(state))
            if code is None:
                return _invalid(ColumnRole.SUBDIVISION, state, f" of {country}")
            found[SUBDIVISION] = code
    for role, name in _AS_WRITTEN.items():
        if role in given:
            found[name] = given[role]
    return found


@cache
def _subdivisions(country: str) -> dict[str, str]:
    """Return the states of a country by spelling, as `column_key` writes it."""
    return {column_key(name): code for name, code in names_of(country).items()}


def country_of(phone: str) -> str:
    """Return the country of an E.164 number; an empty text for a global service.

    Its first eight characters decide. Guernsey, Jersey and the Isle of Man, which need
    more, count as the United Kingdom.
    """
    return _country_by_prefix(phone[:8])


@lru_cache(maxsize=4_096)
def _country_by_prefix(prefix: str) -> str:
    try:
        number = phonenumbers.parse(prefix.ljust(12, "0"))
    except phonenumbers.NumberParseException:
        return ""
    code = number.country_code or 0
    regions = phonenumbers.region_codes_for_country_code(code)
    if regions in ((), ("001",)):
        return ""
    national = prefix[1 + len(str(code)) :]
    for region in regions:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        digits = metadata.leading_digits if metadata else None
        if digits and re.match(digits, national):
            return region
    return phonenumbers.region_code_for_number(number) or str(regions[0])


@lru_cache(maxsize=1_000)
def read_country(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country's code or name."""
    code = text.strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    key = column_key(text)
    alias = _COUNTRY_ALIASES.get(key) or _COUNTRIES_ALPHA_3.get(key)
    return alias or _country_names().get(key)


@cache
def _country_names() -> dict[str, str]:
    """Map country names in eight languages to codes.

    `phonenumbers` has more languages, but loading them takes 0.4 s and tens of MiB.
    """
    known: dict[str, str] = {}
    for line in _COUNTRY_NAMES.read_text(encoding="utf-8").splitlines():
        code, colon, names = line.partition(": ")
        if colon and not line.startswith("#"):
            known |= {column_key(name): code for name in names.split("; ")}
    return known


@lru_cache(maxsize=1_000)
def read_time_zone(text: str) -> str | None:
    """Return the IANA name of a time zone; names of US zones are recognised too."""
    plain = text.strip().replace("_slash_", "/").replace(" ", "_")
    alias = _ZONE_ALIASES.get(column_key(text))
    return alias or _zones().get(plain.casefold())


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def read_consent_time(text: str) -> str | None:
    """Return an ISO 8601 date or time as UTC; a date is its beginning in UTC."""
    if not _ISO_TIME.fullmatch(text.strip()):
        return None
    plain = text.strip().upper().replace("UTC", "Z").replace(" Z", "Z")
    try:
        at = datetime.fromisoformat(plain.replace(",", "."))
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat()


_CHECKED: tuple[tuple[ColumnRole, str, Callable[[str], str | None]], ...] = (
    (ColumnRole.TIME_ZONE, TIME_ZONE, read_time_zone),
    (ColumnRole.COUNTRY, COUNTRY, read_country),
    (ColumnRole.CONSENT_AT, CONSENT_AT, read_consent_time),
)
_WANTED = {
    ColumnRole.TIME_ZONE: ("time zone", "write an IANA name such as America/New_York"),
    ColumnRole.COUNTRY: ("country", "write its ISO code such as US, or its name"),
    ColumnRole.SUBDIVISION: ("state or province", "write its code such as FL"),
    ColumnRole.CONSENT_AT: (
        "consent date",
        "write it as 2026-01-31 or 2026-01-31T15:04:00Z",
    ),
}


def _invalid(role: ColumnRole, text: str, where: str = "") -> InvalidValue:
    what, remedy = _WANTED[role]
    shown = " ".join(text[:_SHOWN].split())
    return InvalidValue(f'"{shown}" is not a {what}{where}: {remedy}.')
