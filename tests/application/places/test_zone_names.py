"""Time zone names that are links to other zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from application.places.columns import places_of_time_zone, zones_of_country
from application.places.resolver import StatedPlace, _area_codes, resolve
from application.places.subdivisions import SUBDIVISIONS
from application.places.zone_names import canonical


@pytest.mark.parametrize(
    ("number", "stated", "codes", "zones"),
    [
        ("+12125550100", "US/Eastern", ("US-NY",), ("America/New_York",)),
        ("+18505550100", "US/Central", ("US-FL",), ("America/Chicago",)),
        ("+15055550100", "Navajo", ("US-NM",), ("America/Denver",)),
        ("+14165550100", "Canada/Eastern", ("CA-ON",), ("America/Toronto",)),
        ("+919876543210", "Asia/Calcutta", ("IN",), ("Asia/Kolkata",)),
        ("+380441234567", "Europe/Kiev", ("UA",), ("Europe/Kyiv",)),
        ("+442079460000", "GB", ("GB",), ("Europe/London",)),
        ("+31201234567", "Europe/Amsterdam", ("NL",), ("Europe/Amsterdam",)),
        ("+61412345678", "Australia/NSW", ("AU",), ("Australia/Sydney",)),
        ("+3545812345", "Iceland", ("IS",), ("Atlantic/Reykjavik",)),
    ],
)
def test_a_stated_link_narrows_the_zones_of_the_number(
    number: str, stated: str, codes: tuple[str, ...], zones: tuple[str, ...]
) -> None:
    found = resolve(number, StatedPlace(time_zone=stated))
    assert (found.codes, found.time_zones) == (codes, zones)


def test_a_link_of_another_country_is_added_to_the_places_of_the_number() -> None:
    found = resolve("+12125550100", StatedPlace(time_zone="Asia/Calcutta"))
    assert found.codes == ("IN", "US-NY")
    assert found.time_zones == ("America/New_York", "Asia/Kolkata")


@pytest.mark.parametrize("name", ["EST", "MST", "CET", "EST5EDT", "Etc/GMT+5", "UTC"])
def test_the_name_of_a_clock_names_no_country(name: str) -> None:
    found = places_of_time_zone(name)
    assert (found.codes, found.time_zones) == ((), (name,))


def test_a_link_and_its_zone_have_the_same_time_in_every_month_of_two_years() -> None:
    days = [datetime(2026 + n // 12, n % 12 + 1, 3, 12, tzinfo=UTC) for n in range(24)]
    links = [name for name in available_timezones() if canonical(name) != name]
    assert {"US/Pacific", "Asia/Saigon", "NZ", "Navajo", "Pacific/Yap"} <= set(links)
    for name in links:
        own, zone = ZoneInfo(name), ZoneInfo(canonical(name))
        for day in days:
            assert day.astimezone(own).utcoffset() == day.astimezone(zone).utcoffset()


def test_every_name_of_a_place_has_a_country() -> None:
    names = {name for name in available_timezones() if "/" in name}
    of_no_place = {name for name in names if name.startswith("Etc/")}
    for name in names - of_no_place:
        assert places_of_time_zone(name).codes, name


def test_no_table_of_places_names_a_link() -> None:
    zones = {zone for one in SUBDIVISIONS.values() for zone in one.time_zones}
    zones |= {zone for places in _area_codes().values() for zone in places.time_zones}
    zones |= set(zones_of_country("US")) | set(zones_of_country("NL"))
    assert {zone for zone in zones if canonical(zone) != zone} == set()
