"""Quotes that are not closed and records that are too long skip only their row."""

import pytest

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import SkippedRow
from application.contacts.files.formats.csv_records import LONGEST_RECORD
from domain.values import SkipReason
from tests.application.contacts.files.reading import (
    ANN,
    BOB,
    HEADER,
    MIB,
    accepted,
    read,
    results,
    skipped,
)


def test_an_unclosed_quote_spoils_its_own_row_only() -> None:
    text = f'{HEADER}{ANN}Bob,"Acme,4155552672\nCy,,4155552673\nDee,,4155552674\n'
    assert results(read(text)) == [
        (2, "Ann"),
        (3, "MALFORMED_ROW"),
        (4, "Cy"),
        (5, "Dee"),
    ]


def test_an_unclosed_quote_does_not_swallow_the_next_quoted_row() -> None:
    text = f'{HEADER}Ann,"Acme,4155552671\nBob,"Acme, Inc",4155552672\n{ANN}'
    assert results(read(text)) == [(2, "MALFORMED_ROW"), (3, "Bob"), (4, "Ann")]


def test_a_malformed_row_keeps_its_text() -> None:
    assert skipped(f'{HEADER}Ann,"Ac"me,1\n').cells == ('Ann,"Ac"me,1',)


def test_a_file_of_quotes_that_never_close_is_read_in_reasonable_time() -> None:
    lines = 40_000
    text = HEADER + 'x",",y\n' * lines
    rows = read(text)
    assert [row.row for row in rows] == list(range(2, lines + 2))
    assert {row.reason for row in rows if isinstance(row, SkippedRow)} == {
        SkipReason.MALFORMED_ROW
    }


def test_a_quote_that_stays_open_too_long_spoils_its_own_row_only() -> None:
    many = "".join(f"Cy{n},,x\n" for n in range(20_000))
    rows = results(read(f'{HEADER}Ann,"Acme,4155552671\n{many}{BOB}', 100, 5 * 10**4))
    assert rows[0] == (2, "MALFORMED_ROW")
    assert rows[1] == (3, "INVALID_PHONE")
    assert rows[-1] == (20_003, "Bob")


def test_rows_after_an_open_quote_are_read_before_the_end_of_the_file() -> None:
    text = f'{HEADER}Ann,"Acme,4155552671\n' + "Cy,,x\n" * 30_000
    with ContactFile(ReadOptions("US")) as file:
        rows = results(file.feed(text.encode()))
    assert rows[:2] == [(2, "MALFORMED_ROW"), (3, "INVALID_PHONE")]


# --- Sizes ---------------------------------------------------------------------------


def test_a_record_of_the_longest_size_is_accepted_and_a_longer_one_is_not() -> None:
    row = "Ann,,4155552671,{}\n"
    head = "name,business_name,phone,notes\n"
    fill = LONGEST_RECORD - len(row.format(""))
    assert accepted(head + row.format("x" * fill)).name == "Ann"
    found = skipped(head + row.format("x" * (fill + 1)))
    assert found.reason is SkipReason.MALFORMED_ROW
    assert len(found.cells[0]) < LONGEST_RECORD


@pytest.mark.parametrize("size", [LONGEST_RECORD, 2 * LONGEST_RECORD, 3 * MIB])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_huge_record_is_one_malformed_row_however_it_arrives(
    size: int, quote: str
) -> None:
    text = f"{HEADER}{ANN}{quote}{'x' * size}{quote},,1\r\n{BOB}"
    expected = [(2, "Ann"), (3, "MALFORMED_ROW"), (4, "Bob")]
    assert results(read(text)) == expected
    assert results(read(text, *range(1000, len(text), 50_000))) == expected


def test_a_long_quoted_record_that_is_closed_counts_as_one() -> None:
    long = "x\n" * (LONGEST_RECORD * 2 // 3)
    text = f'{HEADER}Ann,"{long}",4155552671\n{BOB}'
    assert results(read(text)) == [(2, "MALFORMED_ROW"), (3, "Bob")]
