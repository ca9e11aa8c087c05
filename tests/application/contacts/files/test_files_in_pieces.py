"""Any file, cut at any offsets, has the results that the contract demands."""

import csv
import io
from collections.abc import Iterable
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from application.contacts.files import contact_file, table_start
from application.contacts.files.contact_rows import Row
from application.contacts.files.formats import csv_records, text_decoder
from application.contacts.files.unreadable import UnreadableFile
from tests.application.contacts.files.reading import ANN, BOB, HEADER, read, results
from tests.examples import examples

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]
letters = st.text(st.sampled_from('aZ é€",;\t\n\r\u00a0=+Ã©'), max_size=6)
PHONES = {
    "415-555-2671": "+14155552671",
    "4155552671 ext. 5": "+14155552671;ext=5",
    "(415) 555-2671 x5": "+14155552671;ext=5",
    "+1 415 555 2672": "+14155552672",
    "(212) 555-0100": "+12125550100",
    "2125550100": "+12125550100",
    "555": None,
    "": None,
    "+x": None,
}
phones = st.sampled_from(sorted(PHONES))
contact_rows = st.lists(
    st.one_of(
        st.tuples(letters, letters, phones, letters).map(list),
        st.tuples(st.sampled_from(["Ann", "Bob"]), letters, phones, letters).map(list),
        st.lists(st.sampled_from(["Ann", "1", "", '"']), max_size=6),
    ),
    min_size=1,
    max_size=12,
)


def expected_result(number: int, cells: list[str], seen: set[str]) -> tuple[int, str]:
    """Return what the contract demands for one row; "" for an empty row."""
    if any(cell.strip() for cell in cells[4:]):
        return number, "MALFORMED_ROW"
    cells = [*cells, "", "", "", ""][:4]
    return number, result_of_cells(cells, seen)


def result_of_cells(cells: list[str], seen: set[str]) -> str:
    if not any(cell.strip() for cell in cells):
        return ""
    if not cells[0].strip():
        return "MISSING_NAME"
    if not cells[2].strip():
        return "MISSING_PHONE"
    phone = PHONES.get(cells[2])
    if phone is None:
        return "INVALID_PHONE"
    if phone in seen:
        return "DUPLICATE_IN_FILE"
    seen.add(phone)
    return cells[0].strip()


@examples(50)
@given(
    rows=contact_rows,
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote_all=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_every_row_has_a_result_with_its_number(  # noqa: PLR0917 - drawn by name
    rows: list[list[str]],
    encoding: str,
    delimiter: str,
    end: str,
    quote_all: bool,
    cuts: list[int],
) -> None:
    text = io.StringIO(newline="")
    # Before Python 3.13 the writer quotes no line break but its own.
    breaks = {"\r", "\n"}
    quote_all = quote_all or any(breaks & set(cell) for row in rows for cell in row)
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["name", "business_name", "phone", "note"])
    writer.writerows(rows)
    content = text.getvalue().encode(encoding)
    seen: set[str] = set()
    judged = [
        expected_result(row, cells, seen) for row, cells in enumerate(rows, start=2)
    ]
    expected = [outcome for outcome in judged if outcome[1]]
    assume(expected)
    places = sorted(cut for cut in cuts if cut < len(content))
    assert results(read(content, *places)) == expected


def outcome(content: bytes, cuts: Iterable[int]) -> list[Row] | str:
    try:
        return read(content, *cuts)
    except UnreadableFile as refused:
        return refused.message


@examples(50)
@given(
    body=st.lists(
        st.sampled_from(
            ['"', '""', ",", ";", "\n", "\r", "\r\n", "a", "\0", "Ann,,415-555-2671"]
        ),
        max_size=80,
    ).map("".join),
    tail=st.binary(max_size=4),
    cuts=st.lists(st.integers(0, 200), max_size=30),
    limits=st.sampled_from([(6, 3), (20, 40), (65536, 131072)]),
)
def test_where_a_file_is_cut_never_changes_the_result(
    body: str, tail: bytes, cuts: list[int], limits: tuple[int, int]
) -> None:
    content = HEADER.encode() + body.encode() + tail
    places = sorted(cut for cut in cuts if cut < len(content))
    with pytest.MonkeyPatch.context() as patch:
        hold_little(patch, look_ahead=max(limits[1], len(HEADER)))
        patch.setattr(csv_records, "FEW_LINES", limits[0])
        whole = outcome(content, [])
        assert outcome(content, places) == whole
        assert outcome(content, range(1, len(content))) == whole


def hold_little(patch: pytest.MonkeyPatch, *, look_ahead: int) -> None:
    """Let a small file be read in pieces; the first KiB are held back otherwise."""
    patch.setattr(contact_file, "HEAD_BYTES", 4)
    patch.setattr(text_decoder, "HEAD_BYTES", 4)
    patch.setattr(table_start, "HEAD_LINES", 2)
    for module in (csv_records, table_start):
        patch.setattr(module, "LOOK_AHEAD", look_ahead)


def test_cuts_at_carriage_returns_do_not_change_the_rows() -> None:
    for end in ("\r", "\r\n"):
        too_long = "x" * 60 + ",,1\n"
        text = HEADER + ANN + BOB + too_long + ANN + BOB
        content = text.replace("\n", end).encode()
        with pytest.MonkeyPatch.context() as patch:
            hold_little(patch, look_ahead=len(HEADER))
            whole = outcome(content, [])
            assert outcome(content, range(1, len(content))) == whole
            for cut in range(1, len(content)):
                assert outcome(content, [cut]) == whole
