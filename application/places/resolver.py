"""Where a number may be: by what its row states, else by the number alone.

The result is a set of places and time zones. A stated value is trusted more than the
number; where both disagree, both count. The number alone means its area code with all
codes that overlay it, because numbers are ported and moved with their owners.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers
from phonenumbers import timezone

from application.places import columns
from application.places.subdivisions import BRAZIL_AREA_CODES, SUBDIVISIONS
from application.places.zone_names import canonical
from domain.gate.places import Places, PlaceSource

NORTH_AMERICA = "+1"
BRAZIL = "+55"
UNKNOWN_ZONE = "Etc/Unknown"


class InvalidPostalCode(Exception):
    """The postal code does not exist in its country."""


@dataclass(frozen=True, slots=True)
class StatedPlace:
    """What a row states of its place; None for what it does not state.

    `time_zone` is an IANA name, `country` ISO 3166-1 alpha-2, `subdivision` ISO 3166-2.
    """

    time_zone: str | None = None
    country: str | None = None
    subdivision: str | None = None
    postal_code: str | None = None


NOTHING_STATED = StatedPlace()


def resolve(number: str, row: StatedPlace = NOTHING_STATED) -> Places:
    """Return all places of an E.164 number.

    The most trusted value decides, and the number's own places are added if they lie
    elsewhere. Raises InvalidPostalCode.
    """
    own = places_of_number(number)
    stated = None if row == NOTHING_STATED else _stated(row, own)
    if stated is None:
        return own
    return _combined(stated, own)


def _stated(row: StatedPlace, own: Places) -> Places | None:
    """Return the places that a row states, all of them where its values disagree."""
    countries = frozenset({row.country}) if row.country else own.countries
    found = [
        columns.places_of_time_zone(row.time_zone) if row.time_zone else None,
        _postal_code(row.postal_code, countries),
        columns.places_of_subdivision(row.subdivision) if row.subdivision else None,
        columns.places_of_country(row.country) if row.country else None,
    ]
    known = [one for one in found if one is not None]
    if not known:
        return None
    stated = known[0]
    for less_trusted in known[1:]:
        stated = _combined(stated, less_trusted)
    return stated


def _combined(stated: Places, own: Places) -> Places:
    """Return the stated places, with those of the number unless they agree."""
    if own.is_unknown:
        return stated
    codes = _agreed_codes(stated, own)
    if codes is None or not set(stated.time_zones) <= set(own.time_zones):
        return stated.united_with(own)
    return Places(codes, stated.time_zones, stated.source)


def _agreed_codes(stated: Places, own: Places) -> tuple[str, ...] | None:
    """Return the most exact codes if the number may lie in the stated places."""
    states = {code for code in stated.codes if "-" in code}
    own_states = {code for code in own.codes if "-" in code}
    if not own.countries <= stated.countries:
        return None
    if not states:
        return own.codes
    return stated.codes if states & own_states or not own_states else None


def _postal_code(text: str | None, countries: frozenset[str]) -> Places | None:
    listed = countries & {"US", "CA"}
    if not text or not listed:
        return None  # Postal codes of other countries are not needed.
    found = [columns.places_of_postal_code(text, code) for code in sorted(listed)]
    places = next((one for one in found if one is not None), None)
    if places is None:
        raise InvalidPostalCode(text)
    return places


# --- The number alone -----------------------------------------------------------------


def places_of_number(number: str) -> Places:
    """Return the places of an E.164 number by its area code, or by its country."""
    if number.startswith(NORTH_AMERICA):
        listed = _area_codes().get(number[2:5])
        return listed or Places(_region(number), (), PlaceSource.NUMBER)
    if number.startswith(BRAZIL) and number[3:5] in BRAZIL_AREA_CODES:
        code = BRAZIL_AREA_CODES[number[3:5]]
        zones = SUBDIVISIONS[code].time_zones
        return Places((code,), zones, PlaceSource.NUMBER)
    regions = _region(number)
    found = timezone.time_zones_for_number(phonenumbers.parse(number))
    known = {canonical(zone) for zone in found if zone != UNKNOWN_ZONE}
    if not known:
        known = {zone for code in regions for zone in columns.zones_of_country(code)}
    return Places(regions, tuple(sorted(known)), PlaceSource.NUMBER)


def zones_of(number: str) -> tuple[str, ...]:
    """Return all time zones of an E.164 number, sorted; none if it has no place."""
    try:
        return places_of_number(number).time_zones
    except phonenumbers.NumberParseException:
        return ()


@lru_cache(maxsize=65_536)
def _region(number: str) -> tuple[str, ...]:
    """Return the country of a number; none for numbers of no country."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    return (region,) if region and len(region) == 2 and region.isalpha() else ()  # noqa: PLR2004 - ISO 3166-1 alpha-2


@cache
def _area_codes() -> Mapping[str, Places]:
    text = (files("application.places") / "data" / "area_codes.toml").read_text("utf-8")
    return {
        code: Places(tuple(row["places"]), tuple(row["zones"]), PlaceSource.NUMBER)
        for code, row in tomllib.loads(text).items()
    }
