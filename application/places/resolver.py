"""Where a number may be: from the row's columns, else from the number alone.

The result is a set of places and time zones. A column is trusted more than the number;
where both disagree, both count. The number alone means its area code with all codes
that overlay it, because numbers are ported and moved with their owners.
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
from domain.gate.places import Places, PlaceSource

NORTH_AMERICA = "+1"
BRAZIL = "+55"
UNKNOWN_ZONE = "Etc/Unknown"


class InvalidPlace(Exception):
    """A cell that names no place; `column` is the role of its column."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class PlaceCells:
    """The cells of a row that name a place, empty where there is none."""

    time_zone: str = ""
    country: str = ""
    subdivision: str = ""
    postal_code: str = ""

    @property
    def are_empty(self) -> bool:
        """Whether the row has none of these cells."""
        return not (
            self.time_zone or self.country or self.subdivision or self.postal_code
        )


NO_CELLS = PlaceCells()


def resolve(number: str, cells: PlaceCells = NO_CELLS) -> Places:
    """Return all places of an E.164 number.

    The most trusted cell decides, and the number's own places are added if they lie
    elsewhere.

    Raises:
        InvalidPlace: if a cell names no place.
    """
    own = places_of_number(number)
    stated = None if cells.are_empty else _stated(cells, own)
    if stated is None:
        return own
    return _combined(stated, own)


def _stated(cells: PlaceCells, own: Places) -> Places | None:
    """Return the places that the cells name, all of them if there are several."""
    country = _country(cells)
    countries = frozenset({country}) if country else own.countries
    found = [
        _time_zone(cells),
        _postal_code(cells, countries),
        _subdivision(cells, countries),
    ]
    known = [one for one in found if one is not None]
    if country:
        known.append(columns.places_of_country(country))
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


def _country(cells: PlaceCells) -> str | None:
    if not cells.country.strip():
        return None
    code = columns.country(cells.country)
    if code is None:
        raise InvalidPlace("country", f"{cells.country!r} is no country; use US or GB")
    return code


def _time_zone(cells: PlaceCells) -> Places | None:
    if not cells.time_zone.strip():
        return None
    name = columns.time_zone(cells.time_zone)
    if name is None:
        raise InvalidPlace(
            "time_zone",
            f"{cells.time_zone!r} is no time zone; use a name like America/New_York",
        )
    return columns.places_of_time_zone(name)


def _postal_code(cells: PlaceCells, countries: frozenset[str]) -> Places | None:
    text = cells.postal_code.strip()
    listed = countries & {"US", "CA"}
    if not text or not listed:
        return None  # Postal codes of other countries are not needed.
    found = [columns.places_of_postal_code(text, code) for code in sorted(listed)]
    places = next((one for one in found if one is not None), None)
    if places is None:
        raise InvalidPlace("postal_code", f"{text!r} is no postal code of the country")
    return places


def _subdivision(cells: PlaceCells, countries: frozenset[str]) -> Places | None:
    text = cells.subdivision.strip()
    if not text or not any(map(columns.has_subdivisions, countries)):
        return None
    code = columns.subdivision(text, countries)
    if code is None:
        raise InvalidPlace(
            "subdivision", f"{text!r} is no state or province of the country"
        )
    return columns.places_of_subdivision(code)


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
    known = {zone for zone in found if zone != UNKNOWN_ZONE}
    if not known:
        known = {zone for code in regions for zone in columns.zones_of_country(code)}
    return Places(regions, tuple(sorted(known)), PlaceSource.NUMBER)


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
