"""The places and time zones of what a contact file states: zone, country, state, code.

The values are those that `contacts.contact_values` has understood.
"""

import re
from functools import cache
from zoneinfo import available_timezones

import zipcodes

from application.places.subdivisions import SUBDIVISIONS
from application.places.zone_names import canonical, table
from domain.gate.places import Places, PlaceSource

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


def places_of_subdivision(code: str) -> Places:
    """Return the places and zones of a listed state or province."""
    return Places((code,), SUBDIVISIONS[code].time_zones, PlaceSource.SUBDIVISION)


def places_of_country(code: str) -> Places:
    """Return all time zones of a country."""
    return Places((code,), zones_of_country(code), PlaceSource.COLUMN)


def places_of_time_zone(name: str) -> Places:
    """Return the zone with the countries that use it; `name` may be a link to it."""
    zone = canonical(name)
    codes = _countries_of_zones().get(zone, ())
    return Places(codes, (zone,), PlaceSource.COLUMN)


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
    zones = available_timezones()
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
def _country_zones() -> dict[str, tuple[str, ...]]:
    zones: dict[str, list[str]] = {}
    for code, _, zone, *_ in table("zone.tab"):
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
