"""Every row of a file is accepted or skipped, with its reason and its number."""

import csv
import io
from collections.abc import Iterable
from itertools import chain, pairwise
from typing import Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from application.contacts import first_rows
from application.contacts.contact_file import ContactFile, ReadOptions
from application.contacts.contact_rows import (
    AcceptedRow,
    Row,
    SkippedRow,
)
from application.contacts.formats import csv_records
from application.contacts.formats.csv_records import LONGEST_RECORD
from application.contacts.unreadable import UnreadableFile
from domain.values import SkipReason

HEADER = "name,business_name,phone\n"
ANN = "Ann,Acme,(415) 555-2671\n"
BOB = "Bob,,+14155552672\n"
MIB = 1 << 20


def read(content: bytes | str, *cuts: int, region: str = "US") -> list[Row]:
    """Read a file that arrives cut at these places."""
    data = content.encode() if isinstance(content, str) else content
    rows: list[Row] = []
    with ContactFile(ReadOptions(region)) as file:
        for begin, end in pairwise([0, *cuts, len(data)]):
            rows += file.feed(data[begin:end])
        return [*rows, *chain.from_iterable(file.finish())]


def told(rows: Iterable[Row]) -> list[tuple[int, str]]:
    """Say of each row its name, or why it was skipped."""
    return [
        (row.row, row.name if isinstance(row, AcceptedRow) else row.reason)
        for row in rows
    ]


def accepted(content: bytes | str) -> AcceptedRow:
    (row,) = read(content)
    assert isinstance(row, AcceptedRow)
    return row


def skipped(content: bytes | str) -> SkippedRow:
    (row,) = read(content)
    assert isinstance(row, SkippedRow)
    return row


def refusal(content: bytes | str, *cuts: int) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content, *cuts)
    return refused.value.message


def test_a_row_is_accepted_with_its_number_in_e164_and_its_variables() -> None:
    text = "plan,Name , BUSINESS_NAME,Phone,Notes\n gold, Ann , Acme ,(415) 555-2671,\n"
    variables = {"plan": " gold", "Notes": ""}
    given = (" Ann ", " Acme ", "(415) 555-2671")
    (row,) = read(text)
    assert row == AcceptedRow(2, "Ann", "Acme", "+14155552671", variables, given)


def test_columns_keep_their_order_and_spelling() -> None:
    file = ContactFile(ReadOptions("US"))
    file.feed(b"Plan , NAME,business_name,phone\na,b,c,d\n")
    list(file.finish())
    assert file.findings().columns == ("Plan", "NAME", "business_name", "phone")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_every_encoding_is_read(encoding: str) -> None:
    text = f"{HEADER}José Ñandú,Café €,4155552671\n"
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    row = accepted(mark + text.encode(encoding))
    assert (row.name, row.business_name) == ("José Ñandú", "Café €")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end_is_read(delimiter: str, end: str) -> None:
    text = (HEADER + ANN + BOB).replace(",", delimiter).replace("\n", end)
    assert told(read(text)) == [(2, "Ann"), (3, "Bob")]


def test_line_ends_may_be_mixed_and_the_last_may_be_missing() -> None:
    text = "name,business_name,phone\rAnn,,4155552671\r\nBob,,4155552672\nCy,,x"
    assert told(read(text)) == [(2, "Ann"), (3, "Bob"), (4, "INVALID_PHONE")]


def test_the_delimiter_is_the_one_that_finds_the_columns() -> None:
    text = "name;business_name;phone;a,b,c,d,e\nAnn;;4155552671;x\n"
    assert accepted(text).variables == {"a,b,c,d,e": "x"}


def test_a_quoted_field_may_hold_line_breaks_delimiters_and_quotes() -> None:
    text = f'{HEADER}"An""n","Acme,\r\nInc",4155552671\nBob,,4155552672\n'
    first, second = read(text)
    assert isinstance(first, AcceptedRow)
    assert (first.name, first.business_name) == ('An"n', "Acme,\r\nInc")
    assert second.row == 3


def test_a_quoted_header_may_hold_line_breaks() -> None:
    text = 'name,"business_name","phone","two\nlines"\nAnn,,4155552671,x\n'
    row = accepted(text)
    assert (row.row, row.variables) == (2, {"two\nlines": "x"})


def test_empty_lines_count_and_are_otherwise_ignored() -> None:
    assert told(read(f"{HEADER}\n{ANN}\r\n\n{BOB}\n")) == [(3, "Ann"), (6, "Bob")]


def test_separators_that_only_python_calls_line_ends_do_not_cut_a_row() -> None:
    text = f"{HEADER}A\x0bn\x1cn\u2028\x85,,4155552671\n"
    assert accepted(text).name == "A\x0bn\x1cn"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (" ,Acme,4155552671", SkipReason.MISSING_NAME),
        ("Ann,Acme, ", SkipReason.MISSING_PHONE),
        ("Ann,Acme,555-2671", SkipReason.INVALID_PHONE),
        ("Ann,4155552671", SkipReason.MISSING_PHONE),
        (",Acme,,x", SkipReason.MALFORMED_ROW),
        ("Ann;Acme;4155552671", SkipReason.MALFORMED_ROW),
        (",Acme,", SkipReason.MISSING_NAME),
        ('Ann,"Ac"me,4155552671', SkipReason.MALFORMED_ROW),
        ("Ann,Ac\0me,4155552671", SkipReason.MALFORMED_ROW),
    ],
)
def test_a_row_is_skipped_for_its_reason(row: str, reason: SkipReason) -> None:
    found = skipped(f"{HEADER}{row}\n")
    assert (found.row, found.reason) == (2, reason)
    assert found.message


def test_a_skipped_row_keeps_its_cells_as_they_were() -> None:
    assert skipped(f"{HEADER} Ann ,Acme,12\n").cells == (" Ann ", "Acme", "12")
    assert skipped(f"{HEADER}A\0nn,,12\n").cells == ("A\ufffdnn", "", "12")


def test_the_first_row_of_a_number_wins_whatever_the_spelling() -> None:
    text = f"{HEADER}{ANN}Bob,,+1 415.555.2671\nCy,,555\nDee,,1-415-555-2671\n"
    assert told(read(text)) == [
        (2, "Ann"),
        (3, "DUPLICATE_IN_FILE"),
        (4, "INVALID_PHONE"),
        (5, "DUPLICATE_IN_FILE"),
    ]


def test_a_skipped_row_does_not_take_the_number() -> None:
    assert told(read(f"{HEADER},,4155552671\n{ANN}")) == [
        (2, "MISSING_NAME"),
        (3, "Ann"),
    ]


def test_numbers_are_read_in_the_default_region() -> None:
    text = f"{HEADER}Ann,,020 7946 0018\n"
    (row,) = read(text, region="GB")
    assert isinstance(row, AcceptedRow)
    assert row.phone == "+442079460018"


def test_each_extension_of_a_number_is_a_contact_of_its_own() -> None:
    rows = read(
        f"{HEADER}Ann,,(202) 555-0140 ext. 101\nBob,,2025550140 x102\n"
        "Cy,,202-555-0140\nDee,,+1 202 555 0140;ext=101\nEve,,2025550140\n"
    )
    accepted_rows = [row for row in rows if isinstance(row, AcceptedRow)]
    assert [(row.name, row.phone, row.extension) for row in accepted_rows] == [
        ("Ann", "+12025550140", "101"),
        ("Bob", "+12025550140", "102"),
        ("Cy", "+12025550140", None),
    ]
    skipped_rows = [row for row in rows if isinstance(row, SkippedRow)]
    assert [(row.row, row.reason, row.message) for row in skipped_rows] == [
        (5, "DUPLICATE_IN_FILE", "Row 2 has +12025550140 ext. 101 already."),
        (6, "DUPLICATE_IN_FILE", "Row 4 has +12025550140 already."),
    ]


def test_a_premium_rate_number_needs_a_file_of_any_kind() -> None:
    content = f"{HEADER}Ann,,900-555-0100\n".encode()
    (row,) = read(content)
    assert isinstance(row, SkippedRow)
    assert (row.reason, "kinds=any" in row.message) == ("INVALID_PHONE", True)
    file = ContactFile(ReadOptions("US", any_kind=True))
    assert file.feed(content) == []
    (row,) = chain.from_iterable(file.finish())
    assert isinstance(row, AcceptedRow)
    assert row.phone == "+19005550100"


def test_a_duplicate_names_the_first_row_however_many_numbers_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(first_rows, "_QUICK_NUMBERS", 16)
    numbers = [f"{area}555{last:04d}" for area in (212, 415) for last in range(1500)]
    numbers += [f"2025550140 x{extension}" for extension in range(1500)]
    text = HEADER + "".join(f"Ann,,{number}\n" for number in numbers * 2)
    rows = read(text)
    half = len(numbers)
    assert all(isinstance(row, AcceptedRow) for row in rows[:half])
    first_row_of = [
        int(row.message.split()[1])
        for row in rows[half:]
        if isinstance(row, SkippedRow)
    ]
    assert first_row_of == list(range(2, half + 2))


# Quotes that go wrong


def test_an_unclosed_quote_spoils_its_own_row_only() -> None:
    text = f'{HEADER}{ANN}Bob,"Acme,4155552672\nCy,,4155552673\nDee,,4155552674\n'
    assert told(read(text)) == [
        (2, "Ann"),
        (3, "MALFORMED_ROW"),
        (4, "Cy"),
        (5, "Dee"),
    ]


def test_an_unclosed_quote_does_not_swallow_the_next_quoted_row() -> None:
    text = f'{HEADER}Ann,"Acme,4155552671\nBob,"Acme, Inc",4155552672\n{ANN}'
    assert told(read(text)) == [(2, "MALFORMED_ROW"), (3, "Bob"), (4, "Ann")]


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
    rows = told(read(f'{HEADER}Ann,"Acme,4155552671\n{many}{BOB}', 100, 5 * 10**4))
    assert rows[0] == (2, "MALFORMED_ROW")
    assert rows[1] == (3, "INVALID_PHONE")
    assert rows[-1] == (20_003, "Bob")


# Sizes


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
    assert told(read(text)) == expected
    assert told(read(text, *range(1000, len(text), 50_000))) == expected


def test_a_long_quoted_record_that_is_closed_counts_as_one() -> None:
    long = "x\n" * (LONGEST_RECORD * 2 // 3)
    text = f'{HEADER}Ann,"{long}",4155552671\n{BOB}'
    assert told(read(text)) == [(2, "MALFORMED_ROW"), (3, "Bob")]


# Encodings that are told late


def test_a_late_windows_1252_byte_is_read_where_all_before_was_ascii() -> None:
    row = f"Ann,{'x' * 1000},x\n"
    many = row * (2 * MIB // len(row))
    rows = read((HEADER + many + "José,,4155552671\n").encode("cp1252"), 1000)
    last = rows[-1]
    assert isinstance(last, AcceptedRow)
    assert last.name == "José"


@pytest.mark.parametrize("count", [1, 3000])
def test_rows_in_another_encoding_than_utf_8_are_malformed(count: int) -> None:
    """Whether the other bytes come within the first MiB or after it."""
    many = "".join(f"José,{'x' * 400},x\n" for _ in range(count))
    content = (HEADER + many).encode() + b"Jos\xe9,,4155552671\n" + BOB.encode()
    *_, jose, bob = read(content)
    assert isinstance(jose, SkippedRow)
    assert (jose.row, jose.reason) == (count + 2, SkipReason.MALFORMED_ROW)
    assert jose.cells == ("Jos\N{REPLACEMENT CHARACTER}", "", "4155552671")
    assert "UTF-8" in jose.message
    assert told([bob]) == [(count + 3, "Bob")]


def test_rows_of_utf_8_in_a_file_in_a_code_page_are_malformed() -> None:
    names = [b"Jos\xe9", b"Zo\xeb", "José".encode(), b"Ren\xe9e"]
    rows = b"".join(
        name + f",,41555526{n:02}\n".encode() for n, name in enumerate(names)
    )
    found = read(HEADER.encode() + rows)
    assert told(found) == [
        (2, "José"),
        (3, "Zoë"),
        (4, "MALFORMED_ROW"),
        (5, "Renée"),
    ]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"\xef\xbb\xbf" + HEADER.encode() + b"Jos\xe9,,1\n", 2),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\x00", 2),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\x00\xd8\x0a\x00", 2),
    ],
)
def test_a_row_that_cannot_be_decoded_is_malformed(content: bytes, row: int) -> None:
    assert told(read(content)) == [(row, "MALFORMED_ROW")]


# What refuses a whole file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("\ufeff", "empty"),
        ("name,business_name,phone", "no row"),
        (f"{HEADER}\n\r\n", "no row"),
        ("name,plan\nAnn,gold\n", "which column holds the phone numbers"),
        ("Ann,Acme,4155552671\nBob,,4155552672\n", "no header row"),
        ("name,business_name,phone,PHONE \nAnn,,1,1\n", '"phone" is repeated'),
        ('"name,business_name,phone\nAnn,,1\n', "quote"),
        ('"name"x,"business_name"x;"phone"x\t\nAnn,,1\n', "quote"),
        (f"{HEADER.strip()},{'x' * LONGEST_RECORD}\n{ANN}", "longer"),
    ],
)
def test_a_file_is_refused_with_what_is_wrong(content: str, words: str) -> None:
    assert words in refusal(content)
    assert words in refusal(content, *range(1, min(len(content), 200)))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_without_its_byte_order_mark(encoding: str) -> None:
    text = f"{HEADER}José,Ромашка,4155552671\n"
    row = accepted(text.encode(encoding))
    assert (row.name, row.business_name) == ("José", "Ромашка")


def test_other_columns_that_repeat_or_have_no_name_are_all_kept() -> None:
    text = "name,business_name,phone,tag,tag,,tag_2\nAnn,,4155552671,a,b,c,d\n"
    assert accepted(text).variables == {
        "tag": "a",
        "tag_3": "b",
        "column_6": "c",
        "tag_2": "d",
    }


# Any file, cut anywhere

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


def as_oracle(number: int, cells: list[str], seen: set[str]) -> tuple[int, str]:
    """Judge one row by the contract's words alone; "" for a row that only counts."""
    if any(cell.strip() for cell in cells[4:]):
        return number, "MALFORMED_ROW"
    cells = [*cells, "", "", "", ""][:4]
    return number, judged_by_cells(cells, seen)


def judged_by_cells(cells: list[str], seen: set[str]) -> str:
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


@settings(max_examples=300)
@given(
    rows=contact_rows,
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote_all=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_every_row_is_accounted_for_with_its_number(  # noqa: PLR0917 - drawn by name
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
    judged = [as_oracle(row, cells, seen) for row, cells in enumerate(rows, start=2)]
    expected = [outcome for outcome in judged if outcome[1]]
    assume(expected)
    places = sorted(cut for cut in cuts if cut < len(content))
    assert told(read(content, *places)) == expected


def outcome(content: bytes, cuts: Iterable[int]) -> list[Row] | str:
    try:
        return read(content, *cuts)
    except UnreadableFile as refused:
        return refused.message


@settings(max_examples=300)
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
        patch.setattr(csv_records, "LOOK_AHEAD", max(limits[1], len(HEADER)))
        patch.setattr(csv_records, "FEW_LINES", limits[0])
        whole = outcome(content, [])
        assert outcome(content, places) == whole
        assert outcome(content, range(1, len(content))) == whole


def test_the_columns_of_a_file_of_rejects_are_ignored() -> None:
    text = (
        " Row ,reason,MESSAGE,name,business_name,phone,plan\n"
        "3,INVALID_PHONE,No.,Ann,Acme,+14155552671,gold\n"
        ",,7 more rows were skipped.,,,,\n"
        "4,MALFORMED_ROW,No.,Bob\n"
        "5,MISSING_PHONE,No.,Cy,,,\n"
    )
    file = ContactFile(ReadOptions("US"))
    ann, bob, cy = chain(file.feed(text.encode()), *file.finish())
    assert file.findings().columns == ("name", "business_name", "phone", "plan")
    assert ann == AcceptedRow(2, "Ann", "Acme", "+14155552671", {"plan": "gold"})
    assert isinstance(bob, SkippedRow)
    assert (bob.row, bob.reason) == (4, "MISSING_PHONE")
    assert bob.cells == ("Bob", "", "", "")
    assert isinstance(cy, SkippedRow)
    assert (cy.row, cy.cells) == (5, ("Cy", "", "", ""))


def test_columns_of_these_names_elsewhere_are_variables() -> None:
    text = "name,business_name,phone,row,reason,message\nAnn,,+14155552671,1,2,3\n"
    (row,) = read(text)
    assert isinstance(row, AcceptedRow)
    assert row.variables == {"row": "1", "reason": "2", "message": "3"}


def test_cells_that_were_changed_are_kept_as_given() -> None:
    (row,) = read("name,business_name,phone\n Ann , Acme,(415) 555-2671\n")
    assert isinstance(row, AcceptedRow)
    assert row.given == (" Ann ", " Acme", "(415) 555-2671")
