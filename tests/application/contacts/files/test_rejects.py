"""How much is kept of the rejects of a contact file, and which files are refused."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.contacts.files import rejects
from application.contacts.files.contact_rows import SkippedRow
from application.contacts.files.rejects import (
    KEPT_CHARACTERS,
    KEPT_REJECTS,
    MALFORMED_ROWS,
    UNFIT_ROWS,
    RejectTally,
    shortened,
)
from application.contacts.files.unreadable import UnreadableFile
from domain.values import SkipReason

DUPLICATE = SkipReason.DUPLICATE_IN_FILE
MALFORMED, INVALID = SkipReason.MALFORMED_ROW, SkipReason.INVALID_PHONE


def reject(row: int, reason: SkipReason = DUPLICATE, *cells: str) -> SkippedRow:
    return SkippedRow(row, reason, f"Wrong in row {row}.", cells)


def kept(tally: RejectTally, rows: Iterable[SkippedRow]) -> list[SkippedRow]:
    return [stored for row in rows if (stored := tally.add(row, 0)) is not None]


def test_the_text_of_the_first_hundred_thousand_rejects_is_kept() -> None:
    tally = RejectTally()
    stored = kept(tally, (reject(row) for row in range(2, 150_002)))
    assert [row.row for row in stored] == [*range(2, 100_002)]
    assert tally.skipped == 150_000
    assert tally.not_kept == {DUPLICATE: 50_000}
    assert KEPT_REJECTS == 100_000


def test_long_rejects_are_kept_up_to_a_total_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rejects, "KEPT_BYTES", 1_000)
    tally = RejectTally()
    stored = kept(tally, (reject(row, DUPLICATE, "\x01" * 50) for row in range(20)))
    # Each character takes six bytes of JSON, and each row four more.
    assert len(stored) == 4
    assert tally.not_kept == {DUPLICATE: 16}


@given(st.lists(st.sampled_from(SkipReason), max_size=60), st.integers(0, 60))
def test_each_reject_is_kept_or_counted_under_its_reason(
    reasons: list[SkipReason], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rejects, "KEPT_REJECTS", most)
        tally = RejectTally()
        stored = kept(tally, (reject(n, why) for n, why in enumerate(reasons)))
    counted = Counter(row.reason for row in stored) + Counter(tally.not_kept)
    assert counted == Counter(reasons)
    assert tally.skipped == len(reasons)


def test_the_cells_of_a_long_reject_are_cut_with_a_note() -> None:
    row = reject(2, INVALID, "a" * 3_000, "b" * 3_000, "c")
    cut = shortened(row)
    assert cut.cells == ("a" * 3_000, "b" * 999)
    assert cut.message == (
        "Wrong in row 2. Only the first 4,000 characters of the row are kept."
    )
    assert cut.reason is INVALID


def test_a_reject_of_many_empty_cells_is_cut_as_well() -> None:
    assert len(shortened(reject(2, INVALID, *[""] * 60_000)).cells) <= 4_001


def test_a_reject_that_fits_stays_as_it_is() -> None:
    row = reject(2, INVALID, "a" * (KEPT_CHARACTERS - 2), "")
    assert shortened(row) is row


@pytest.mark.parametrize("number", ["+1 (202) 555-0171", "2025550171", "202.555.0171"])
def test_a_number_is_not_cut_in_two_at_the_end(number: str) -> None:
    for padding in range(KEPT_CHARACTERS - len(number) - 2, KEPT_CHARACTERS):
        text = "a" * padding + number + "b" * KEPT_CHARACTERS
        (cell,) = shortened(reject(2, MALFORMED, text)).cells
        assert cell.strip("ab") in {"", number}


def test_a_file_of_malformed_rows_is_refused_after_the_first_thousand() -> None:
    tally = RejectTally()
    for row in range(2, MALFORMED_ROWS + 1):
        tally.add(reject(row, MALFORMED), accepted=10)
    with pytest.raises(UnreadableFile) as refused:
        tally.add(reject(MALFORMED_ROWS + 1, MALFORMED), accepted=10)
    message = refused.value.message
    assert "1,000 of the first 1,010 rows do not fit the header" in message
    assert "row 2: Wrong in row 2)" in message
    assert "Save it as CSV" in message


def test_a_file_of_rows_that_cannot_be_called_is_refused() -> None:
    tally = RejectTally()
    for row in range(2, UNFIT_ROWS + 1):
        reason = INVALID if row % 2 else SkipReason.MISSING_PHONE
        tally.add(reject(row, reason), accepted=0)
    with pytest.raises(UnreadableFile) as refused:
        tally.add(reject(UNFIT_ROWS + 1, INVALID), accepted=0)
    message = refused.value.message
    assert "100,000 of the first 100,000 rows cannot be called" in message
    assert "the wrong phone column or the wrong default region" in message


@pytest.mark.parametrize(
    ("reason", "rows", "accepted"),
    [
        (MALFORMED, 10 * MALFORMED_ROWS, 2_000),
        (INVALID, 2 * UNFIT_ROWS, 30_000),
        (DUPLICATE, 2 * UNFIT_ROWS, 1),
    ],
)
def test_a_file_with_enough_rows_to_call_is_taken(
    reason: SkipReason, rows: int, accepted: int
) -> None:
    tally = RejectTally()
    for row in range(2, rows + 2):
        tally.add(reject(row, reason), accepted)
    assert tally.skipped == rows
