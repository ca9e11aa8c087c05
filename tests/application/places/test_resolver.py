"""Places and time zones of numbers and of rows with columns that name a place."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from application.places import columns
from application.places.resolver import (
    InvalidPostalCode,
    StatedPlace,
    _area_codes,
    resolve,
    zones_of,
)
from application.places.subdivisions import SUBDIVISIONS, names_of
from domain.gate.places import PlaceSource

EASTERN, CENTRAL = "America/New_York", "America/Chicago"
NEW_YORKER = "+12125550100"


@pytest.mark.parametrize(
    ("number", "codes", "zones"),
    [
        ("+16895550100", ("US-FL",), (EASTERN,)),
        ("+18505550100", ("US-FL",), (CENTRAL, EASTERN)),
        ("+14485550100", ("US-FL",), (CENTRAL, EASTERN)),
        ("+13645550100", ("US-KY",), (CENTRAL, EASTERN)),
        ("+15515550100", ("US-NJ", "US-NY"), (EASTERN,)),
        ("+12025550100", ("US-DC",), (EASTERN,)),
        ("+17715550100", ("US-DC",), (EASTERN,)),
        ("+14165550100", ("CA-ON",), ("America/Toronto",)),
        ("+442079460000", ("GB",), ("Europe/London",)),
        ("+33142685300", ("FR",), ("Europe/Paris",)),
        ("+5521987654321", ("BR-RJ",), ("America/Sao_Paulo",)),
        ("+919876543210", ("IN",), ("Asia/Kolkata",)),
    ],
)
def test_a_number_alone_has_the_places_of_its_whole_overlay_family(
    number: str, codes: tuple[str, ...], zones: tuple[str, ...]
) -> None:
    found = resolve(number)
    assert (found.codes, found.time_zones) == (codes, zones)
    assert found.source is PlaceSource.NUMBER


@pytest.mark.parametrize("number", ["+17295550100", "+18005550100", "+8835100012345"])
def test_a_number_without_an_area_is_unknown(number: str) -> None:
    assert resolve(number).is_unknown


def test_an_australian_mobile_number_has_all_zones_of_the_country() -> None:
    zones = resolve("+61412345678").time_zones
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones)


@pytest.mark.parametrize(
    ("number", "row", "codes", "zones", "source"),
    [
        # A column narrows the number's zones where both agree.
        (
            "+18505550100",
            StatedPlace(postal_code="32501"),
            ("US-FL",),
            (CENTRAL,),
            PlaceSource.POSTAL_CODE,
        ),
        (
            "+18505550100",
            StatedPlace(time_zone=EASTERN),
            ("US-FL",),
            (EASTERN,),
            PlaceSource.COLUMN,
        ),
        # Both count where they disagree.
        (
            NEW_YORKER,
            StatedPlace(subdivision="US-TX"),
            ("US-NY", "US-TX"),
            (CENTRAL, "America/Denver", EASTERN),
            PlaceSource.SUBDIVISION,
        ),
        (
            NEW_YORKER,
            StatedPlace(postal_code="90001-1234"),
            ("US-CA", "US-NY"),
            ("America/Los_Angeles", EASTERN),
            PlaceSource.POSTAL_CODE,
        ),
        (
            "+442079460000",
            StatedPlace(country="DE"),
            ("DE", "GB"),
            ("Europe/Berlin", "Europe/Busingen", "Europe/London"),
            PlaceSource.COLUMN,
        ),
        (
            "+14165550100",
            StatedPlace(postal_code="T2P 1J9"),
            ("CA-AB", "CA-ON"),
            ("America/Edmonton", "America/Toronto"),
            PlaceSource.POSTAL_CODE,
        ),
    ],
)
def test_a_column_is_trusted_first_and_the_number_is_added_if_it_disagrees(
    number: str,
    row: StatedPlace,
    codes: tuple[str, ...],
    zones: tuple[str, ...],
    source: PlaceSource,
) -> None:
    found = resolve(number, row)
    assert (found.codes, found.time_zones) == (codes, zones)
    assert found.source is source


@pytest.mark.parametrize("code", ["00000", "123", "T2P 1J9"])
def test_a_postal_code_that_does_not_exist_is_refused(code: str) -> None:
    with pytest.raises(InvalidPostalCode):
        resolve(NEW_YORKER, StatedPlace(country="US", postal_code=code))


def test_a_number_without_a_place_has_no_zones() -> None:
    assert zones_of("+17295550100") == ()
    assert zones_of("nothing") == ()


def test_a_zip_code_in_an_area_of_two_zones_has_both() -> None:
    # 42701 (Kentucky) lies in an area, 427, that two time zones divide.
    divided = {p: z for p, z in columns._zones_of_zip3().items() if len(z) > 1}
    assert divided
    prefix, zones = next(iter(sorted(divided.items())))
    row = next(code for code in columns._zips() if code.startswith(prefix))
    found = columns.places_of_postal_code(row, "US")
    assert found is not None
    assert set(found.time_zones) == zones


def test_every_zone_of_the_tables_exists() -> None:
    names = {z for own in SUBDIVISIONS.values() for z in own.time_zones}
    names |= {z for places in _area_codes().values() for z in places.time_zones}
    assert all(ZoneInfo(name) for name in names)


def offsets(zones: Iterable[str]) -> set[tuple[timedelta | None, timedelta | None]]:
    """Return the offsets from UTC of each zone in winter and in summer."""
    days = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))
    return {
        (
            days[0].astimezone(ZoneInfo(zone)).utcoffset(),
            days[1].astimezone(ZoneInfo(zone)).utcoffset(),
        )
        for zone in zones
    }


def test_the_area_codes_keep_the_time_of_their_states() -> None:
    for code, places in _area_codes().items():
        states = {zone for one in places.codes for zone in SUBDIVISIONS[one].time_zones}
        assert offsets(places.time_zones) <= offsets(states), code


def test_a_state_is_known_by_its_code_and_its_names() -> None:
    names = names_of("CA")
    spellings = ("QC", "CA-QC", "Quebec")
    assert {names[one] for one in spellings} == {"CA-QC"}
    assert names["Colombie-Britannique"] == "CA-BC"
    assert names_of("US")["WA"] == "US-WA"
    assert names_of("AU")["WA"] == "AU-WA"
    assert names_of("NL") == {}
