"""Place, consent and own id of a row: understood, or the row is skipped."""

import pytest

from application.contacts.files.column_names import ColumnRole
from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow
from application.contacts.files.contact_values import (
    country_of,
    read_consent_time,
    read_country,
    read_time_zone,
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"),
        (" de ", "DE"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States", "US"),
        ("United States of America", "US"),
        ("uk", "GB"),
        ("Deutschland", "DE"),
        ("Allemagne", "DE"),
        ("España", "ES"),
        ("Polska", "PL"),
        ("Atlantis", None),
        ("Bavaria", None),
    ],
)
def test_a_country_is_read_from_its_code_or_its_name(
    text: str, code: str | None
) -> None:
    assert read_country(text) == code


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("us_slash_eastern", "US/Eastern"),
        ("EST", "America/New_York"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("Mars/Olympus", None),
        ("five o'clock", None),
    ],
)
def test_a_time_zone_is_read_from_its_name(text: str, zone: str | None) -> None:
    assert read_time_zone(text) == zone


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31 15:04", "2026-01-31T15:04:00+00:00"),
        ("2026-01-31T15:04:05+02:00", "2026-01-31T13:04:05+00:00"),
        ("2026-01-31T15:04:05.25Z", "2026-01-31T15:04:05.250000+00:00"),
        ("2026-01-31 15:04:05 UTC", "2026-01-31T15:04:05+00:00"),
        ("01/02/2026", None),
        ("2026-02-30", None),
        ("yes", None),
    ],
)
def test_a_consent_time_is_read_in_iso_8601_only(text: str, at: str | None) -> None:
    assert read_consent_time(text) == at


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("+12025550101", "US"),
        ("+14165550101", "CA"),
        ("+18765550123", "JM"),
        ("+447700900101", "GB"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
        ("+881612345678", ""),
    ],
)
def test_a_number_has_the_country_of_its_prefix(phone: str, country: str) -> None:
    assert country_of(phone) == country


HEADER = "name,phone,tz,country,state,zip,consent_at,consent_source,external_id\n"


def row_of(cells: str) -> AcceptedRow:
    file = ContactFile(ReadOptions("US"))
    file.feed((HEADER + cells).encode())
    [[row]] = [rows for rows in file.finish() if rows]
    assert isinstance(row, AcceptedRow), row
    return row


def test_values_are_kept_beside_the_cells() -> None:
    row = row_of("Ada,2025550101,EST,USA,Florida,33101,2026-01-31,web,a-7\n")
    assert row.attributes == {
        "time_zone": "America/New_York",
        "country": "US",
        "subdivision": "US-FL",
        "postal_code": "33101",
        "consent_at": "2026-01-31T00:00:00+00:00",
        "consent_source": "web",
        "external_id": "a-7",
    }
    assert row.variables == {
        "tz": "EST",
        "country": "USA",
        "state": "Florida",
        "zip": "33101",
        "consent_at": "2026-01-31",
        "consent_source": "web",
        "external_id": "a-7",
    }


def test_empty_cells_are_no_values() -> None:
    assert row_of("Ada,2025550101,, ,,,,,\n").attributes is None


@pytest.mark.parametrize(
    ("cells", "attributes"),
    [
        ("Ada,+14165550101,,,Ontario,,,,", {"subdivision": "CA-ON"}),
        ("Ada,+14165550101,,,qc,,,,", {"subdivision": "CA-QC"}),
        ("Ada,2025550101,,,US-NY,,,,", {"subdivision": "US-NY"}),
        ("Ada,+4915123456789,,,Bayern,,,,", None),
        ("Ada,2025550101,,GB,Essex,,,,", {"country": "GB"}),
    ],
)
def test_a_state_is_one_of_the_row_s_country(
    cells: str, attributes: dict[str, str] | None
) -> None:
    assert row_of(cells + "\n").attributes == attributes


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("Ada,2025550101,noon,,,,,,", '"noon" is not a time zone'),
        ("Ada,2025550101,,Atlantis,,,,,", '"Atlantis" is not a country'),
        ("Ada,2025550101,,,Bayern,,,,", "not a state or province of US"),
        ("Ada,2025550101,,,,,soon,,", "2026-01-31"),
    ],
)
def test_a_row_with_a_value_that_is_not_understood_is_skipped(
    cells: str, message: str
) -> None:
    file = ContactFile(ReadOptions("US"))
    file.feed(f"{HEADER}{cells}\n".encode())
    [[row]] = [rows for rows in file.finish() if rows]
    assert not isinstance(row, AcceptedRow)
    assert (row.row, row.reason) == (2, "INVALID_VALUE")
    assert message in row.message


def test_the_values_of_a_mapped_column_are_checked_as_well() -> None:
    options = ReadOptions("US", overrides={"where": ColumnRole.COUNTRY})
    file = ContactFile(options)
    file.feed(b"phone,where\n2025550101,France\n")
    [[row]] = [rows for rows in file.finish() if rows]
    assert isinstance(row, AcceptedRow)
    assert row.attributes == {"country": "FR"}
