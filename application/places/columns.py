"""Columns of a contact file that name a place: time zone, country, state, postal code.

Each function returns None for a value that is not valid, so that the row is refused
instead of being placed by a guess.
"""

import re
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import zipcodes

from application.places.subdivisions import SUBDIVISIONS
from domain.gate.places import Places, PlaceSource

_ALIASES = {
    "usa": "US",
    "united states of america": "US",
    "uk": "GB",
    "great britain": "GB",
    "united kingdom": "GB",
    "deutschland": "DE",
    "españa": "ES",
    "italia": "IT",
    "brasil": "BR",
    "holland": "NL",
}
_ZIP = re.compile(r"(\d{5})(?:[- ]?\d{4})?")
_CANADIAN = re.compile(
    r"([ABCEGHJ-NPRSTVXY])\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d"
)
_CANADIAN_LETTERS = {
    "A": ("CA-NL",),
    "B": ("CA-NS",),
    "C": ("CA-PE",),
    "E": ("CA-NB",),
    **dict.fromkeys("GHJ", ("CA-QC",)),
    **dict.fromkeys("KLMNP", ("CA-ON",)),
    "R": ("CA-MB",),
    "S": ("CA-SK",),
    "T": ("CA-AB",),
    "V": ("CA-BC",),
    "X": ("CA-NT", "CA-NU"),
    "Y": ("CA-YT",),
}
"""Provinces by the first letter of a postal code (Canada Post)."""


def time_zone(text: str) -> str | None:
    """Return the IANA name that a cell holds, in its usual spelling."""
    return _zone_names().get(text.strip().lower())


def country(text: str) -> str | None:
    """Return the ISO 3166-1 code of a country given by code or English name."""
    wanted = text.strip()
    if wanted.upper() in _countries().values():
        return wanted.upper()
    return _ALIASES.get(wanted.lower()) or _countries().get(wanted.lower())


def subdivision(text: str, countries: frozenset[str]) -> str | None:
    """Return the ISO 3166-2 code of a state or province, given by code or name.

    `countries` are those that the row may belong to. None as well where the states of
    a country are not listed, or the name is ambiguous.
    """
    wanted = text.strip().lower()
    found = {
        code
        for code, own in SUBDIVISIONS.items()
        if code[:2] in countries
        and wanted in (code.lower(), code[3:].lower(), own.name.lower())
    }
    return found.pop() if len(found) == 1 else None


def has_subdivisions(code: str) -> bool:
    """Return whether the states of a country are listed."""
    return any(one.startswith(f"{code}-") for one in SUBDIVISIONS)


def places_of_subdivision(code: str) -> Places:
    """Return the places and zones of a listed state or province."""
    return Places((code,), SUBDIVISIONS[code].time_zones, PlaceSource.SUBDIVISION)


def places_of_country(code: str) -> Places:
    """Return all time zones of a country."""
    return Places((code,), zones_of_country(code), PlaceSource.COLUMN)


def places_of_time_zone(name: str) -> Places:
    """Return the zone with the countries that use it."""
    codes = _countries_of_zones().get(name, ())
    return Places(codes, (name,), PlaceSource.COLUMN)


def places_of_postal_code(text: str, code: str) -> Places | None:
    """Return where a postal code of the United States or Canada is; None: not valid.

    A ZIP code whose first three digits lie in several time zones has all of them.
    """
    if code == "US":
        return _places_of_zip(text.strip())
    matched = _CANADIAN.fullmatch(text.strip().upper())
    if code != "CA" or matched is None:
        return None
    codes = _CANADIAN_LETTERS[matched[1]]
    zones = {zone for one in codes for zone in SUBDIVISIONS[one].time_zones}
    return Places(codes, tuple(sorted(zones)), PlaceSource.POSTAL_CODE)


def _places_of_zip(text: str) -> Places | None:
    matched = _ZIP.fullmatch(text)
    found = _zips().get(matched[1]) if matched else None
    if found is None:
        return None
    state, zone = found
    code = f"US-{state}"
    if code not in SUBDIVISIONS:
        return None
    neighbours = _zones_of_zip3()[text[:3]]
    zones = {zone, *neighbours} if zone and len(neighbours) > 1 else {zone} - {""}
    known = zones or set(SUBDIVISIONS[code].time_zones)
    return Places((code,), tuple(sorted(known)), PlaceSource.POSTAL_CODE)


@cache
def _zips() -> dict[str, tuple[str, str]]:
    """Return state and time zone by ZIP code; an empty zone is not known."""
    zones = set(_zone_names().values())
    return {
        row["zip_code"]: (
            row["state"],
            row["timezone"] if row["timezone"] in zones else "",
        )
        for row in zipcodes.list_all()  # type: ignore[no-untyped-call]  # the library's stub has no types here
    }


@cache
def _zones_of_zip3() -> dict[str, set[str]]:
    zones: dict[str, set[str]] = {}
    for code, (_, zone) in _zips().items():
        zones.setdefault(code[:3], set()).update({zone} - {""})
    return zones


@cache
def _zone_names() -> dict[str, str]:
    """Return the names of the places of the time zone database, by lower case."""
    names = (files("tzdata") / "zones").read_text("utf-8").split()
    return {name.lower(): name for name in names if "/" in name and _loads(name)}


def _loads(name: str) -> bool:
    if name.startswith(("Etc/", "SystemV/")):
        return False
    return bool(ZoneInfo(name).key)


@cache
def _countries() -> dict[str, str]:
    """Return the ISO 3166-1 codes by the country's English name in lower case."""
    rows = _table("iso3166.tab")
    return {name.lower(): code for code, name in rows}


@cache
def _country_zones() -> dict[str, tuple[str, ...]]:
    zones: dict[str, list[str]] = {}
    for code, _, zone, *_ in _table("zone.tab"):
        zones.setdefault(code, []).append(zone)
    return {code: tuple(sorted(names)) for code, names in zones.items()}


@cache
def _countries_of_zones() -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for code, zones in _country_zones().items():
        for zone in zones:
            found.setdefault(zone, set()).add(code)
    return {zone: tuple(sorted(codes)) for zone, codes in found.items()}


def zones_of_country(code: str) -> tuple[str, ...]:
    """Return the IANA time zones of a country, sorted; none for an unknown code."""
    return _country_zones().get(code, ())


def _table(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [line.split("\t") for line in lines]
