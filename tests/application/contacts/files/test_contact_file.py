"""Each row of a contact file is accepted, or skipped for a reason, with its number."""

from itertools import chain

import pytest

from application.contacts.files import first_rows
from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow, SkippedRow
from application.contacts.files.formats.csv_records import LONGEST_RECORD
from domain.values import SkipReason
from tests.application.contacts.files.reading import (
    ANN,
    BOB,
    HEADER,
    accepted,
    read,
    refusal,
    results,
    skipped,
)


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


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end_is_read(delimiter: str, end: str) -> None:
    text = (HEADER + ANN + BOB).replace(",", delimiter).replace("\n", end)
    assert results(read(text)) == [(2, "Ann"), (3, "Bob")]


def test_line_ends_may_be_mixed_and_the_last_may_be_missing() -> None:
    text = "name,business_name,phone\rAnn,,4155552671\r\nBob,,4155552672\nCy,,x"
    assert results(read(text)) == [(2, "Ann"), (3, "Bob"), (4, "INVALID_PHONE")]


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
    assert results(read(f"{HEADER}\n{ANN}\r\n\n{BOB}\n")) == [(3, "Ann"), (6, "Bob")]


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
    assert results(read(text)) == [
        (2, "Ann"),
        (3, "DUPLICATE_IN_FILE"),
        (4, "INVALID_PHONE"),
        (5, "DUPLICATE_IN_FILE"),
    ]


def test_a_skipped_row_does_not_take_the_number() -> None:
    assert results(read(f"{HEADER},,4155552671\n{ANN}")) == [
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


# --- Files that are refused as a whole ------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
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
def test_a_refused_file_has_a_message_that_names_the_fault(
    content: str, message: str
) -> None:
    assert message in refusal(content)
    assert message in refusal(content, *range(1, min(len(content), 200)))


def test_other_columns_that_repeat_or_have_no_name_are_all_kept() -> None:
    text = "name,business_name,phone,tag,tag,,tag_2\nAnn,,4155552671,a,b,c,d\n"
    assert accepted(text).variables == {
        "tag": "a",
        "tag_3": "b",
        "column_6": "c",
        "tag_2": "d",
    }


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
