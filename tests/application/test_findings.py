"""Numbers by country and by kind."""

from application.contacts.files.contact_rows import AcceptedRow, Row, SkippedRow
from application.contacts.files.findings import NumberCount
from domain.values import SkipReason

PHONES = (
    "+12025550101",  # Washington; the kind is not known in North America.
    "+12025550102",
    "+18005550199",
    "+442079460123",
    "+447400123456",
    "+447400123457",
    "+491701234567",
    "+80012345678",  # A freephone number of no country.
)


def test_accepted_numbers_are_counted_by_country_and_by_kind() -> None:
    rows: list[Row] = [AcceptedRow(2, "Ada", "", phone, {}) for phone in PHONES]
    rows.append(SkippedRow(9, SkipReason.INVALID_PHONE, "It is too short.", ("12",)))
    counted = NumberCount()
    counted.add(rows[:4])
    counted.add(rows[4:])
    assert counted.by_country() == (("GB", 3), ("US", 3), ("001", 1), ("DE", 1))
    assert counted.by_kind() == (
        ("MOBILE", 3),
        ("FIXED_LINE_OR_MOBILE", 2),
        ("TOLL_FREE", 2),
        ("FIXED_LINE", 1),
    )
