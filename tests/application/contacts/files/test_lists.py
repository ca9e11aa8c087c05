"""Files as people have them, each with its right result (tests/data/lists)."""

from itertools import chain
from pathlib import Path

import pytest

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow, Row
from application.contacts.files.findings import Findings
from application.contacts.files.unreadable import UnreadableFile
from storage.workbooks.process import open_workbook

LISTS = Path(__file__).parents[3] / "data" / "lists"

ADA = (2, "Ada", "", "+12025550101")
NAMES: dict[str, list[tuple[int, str, str, str]]] = {
    "blank_tail_big.csv": [ADA],
    "enc_cp1250.csv": [(2, "Łukasz Żak", "Zażółć", "+12025550101")],
    "enc_cp1251.csv": [(2, "Иван Петров", "Ромашка", "+12025550101")],
    "enc_macroman.csv": [
        (2, "José Álvarez", "Café Zoë", "+12025550101"),
        (3, "Müller", "Größe", "+12025550102"),
    ],
    "enc_sjis.csv": [(2, "山田太郎", "株式会社", "+12025550101")],
    "enc_utf16le_nobom.csv": [
        (2, "José Álvarez", "Café Zoë", "+12025550101"),
        (3, "Müller", "Größe", "+12025550102"),
    ],
    "hdr_dograh.csv": [ADA],
    "hdr_double_bom.csv": [ADA],
    "hdr_ghl.csv": [(2, "Ada Abbott", "Abbott Bakery", "+12025550101")],
    "hdr_hubspot.csv": [(2, "Ada Abbott", "Abbott Bakery", "+12025550101")],
    "hdr_nobiz.csv": [(2, "Ada Abbott", "", "+12025550101")],
    "hdr_pipe.csv": [ADA],
    "hdr_plain4.csv": [(2, "Ada Abbott", "Abbott Bakery", "+12025550101")],
    "hdr_sep.csv": [ADA],
    "hdr_title.csv": [(4, "Ada", "", "+12025550101")],
    "hdr_two_phones.csv": [ADA],
    "hdr_zwsp.csv": [ADA],
    "exp_people.csv": [
        (
            *(3, '=HYPERLINK("http://x.example")', "-Minus Ltd"),
            "+12025550182",
        ),
        (4, "-Ann", "@Home Ltd", "+12025550183"),
        (5, 'Łukasz 😀 "Lu" Żak', "Acme, Inc", "+4915123456789"),
    ],
    "str_blank_tail.csv": [ADA],
    "str_sf_footer.csv": [ADA],
    "str_short_rows.csv": [
        ADA,
        (3, "Bea", "", "+12025550102"),
        (4, "Cid", "", "+12025550103"),
    ],
    "str_trail_cols.csv": [
        ADA,
        (3, "Bea", "", "+12025550102"),
        (4, "Cid", "", "+12025550103"),
    ],
    "xl_contacts.xlsx": [ADA],
    "xl_renamed.csv": [ADA],
    "ph_ext.csv": [
        (2, "Ann Frontdesk", "Acme", "+12025550140;ext=101"),
        (3, "Bob Sales", "Acme", "+12025550140;ext=102"),
        (4, "Cy Legal", "Acme", "+12025550140;ext=103"),
        (5, "Dee", "Acme", "+12025550141;ext=104"),
        (6, "Eve", "Acme", "+12025550142;ext=105"),
        (7, "Flo", "Acme", "+12025550143;ext=106"),
    ],
    "ph_world.csv": [
        (6, "Plus zero", "", "+442079460958"),
        (8, "011", "", "+442079460959"),
        (10, "caribbean", "", "+18765550123"),
    ],
}
"""Accepted rows: row, name, business name, number."""

SKIPPED: dict[str, list[tuple[int, str]]] = {
    "all_bad.csv": [(2, "INVALID_PHONE"), (3, "INVALID_PHONE")],
    "blank_tail_big.csv": [(1503, "INVALID_PHONE")],
    "exp_people.csv": [(2, "INVALID_PHONE")],
    "hdr_two_phones.csv": [(3, "MISSING_PHONE")],
    "ph_ext.csv": [(8, "INVALID_PHONE")],
    "ph_text.csv": [(row, "INVALID_PHONE") for row in range(2, 24)],
    "ph_world.csv": [
        (row, "INVALID_PHONE") for row in (2, 3, 4, 5, 7, 9, 11, 12, 13, 14)
    ],
    "sci_java_in.csv": [(2, "INVALID_PHONE"), (3, "INVALID_PHONE")],
    "two_delims.csv": [(2, "MALFORMED_ROW")],
}

REFUSED = {
    "old.xls": "damaged",
    "hdr_nohead.csv": "no header row",
    "xl_html.xls": "web page",
}

WARNINGS = {
    "enc_cp1250.csv": "Windows-1250",
    "enc_cp1251.csv": "Windows-1251",
    "enc_macroman.csv": "Mac OS Roman",
    "enc_sjis.csv": "Shift JIS",
    "hdr_hubspot.csv": '"Phone Number". Not used: "Mobile Phone Number"',
    "hdr_two_phones.csv": '"phone". Not used: "Mobile", "Phone 2"',
    "in_as_us.csv": "most of these would be valid in IN",
    "str_sf_footer.csv": "Rows 5 to 8",
}

MANY = {"in_as_us.csv": (117, 83), "num_many.csv": (18, 19)}
"""Numbers of accepted and of skipped rows."""


def read(name: str) -> tuple[list[Row], Findings]:
    with ContactFile(ReadOptions("US"), open_workbook) as file:
        rows = file.feed((LISTS / name).read_bytes())
        rows += chain.from_iterable(file.finish())
        return rows, file.findings()


def test_each_file_has_an_expected_result() -> None:
    expected = {*NAMES, *SKIPPED, *REFUSED, *MANY}
    assert {path.name for path in LISTS.iterdir()} == expected


@pytest.mark.parametrize("name", sorted({*NAMES, *SKIPPED}))
def test_each_row_is_accepted_or_skipped(name: str) -> None:
    rows, findings = read(name)
    accepted, skipped = [], []
    for row in rows:
        if isinstance(row, AcceptedRow):
            extension = f";ext={row.extension}" if row.extension else ""
            number = row.phone + extension
            accepted.append((row.row, row.name, row.business_name, number))
        else:
            skipped.append((row.row, str(row.reason)))
    assert (accepted, skipped) == (NAMES.get(name, []), SKIPPED.get(name, []))
    assert sum(contacts for _, contacts in findings.countries) == len(accepted)


@pytest.mark.parametrize(("name", "message"), REFUSED.items())
def test_a_file_that_is_no_list_is_refused(name: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read(name)


@pytest.mark.parametrize("name", sorted({*NAMES, *SKIPPED, *MANY}))
def test_a_guess_or_a_choice_is_a_warning_and_nothing_else_is(name: str) -> None:
    [*warnings] = read(name)[1].warnings
    expected = WARNINGS.get(name)
    assert len(warnings) == (1 if expected else 0)
    assert not expected or expected in warnings[0]


@pytest.mark.parametrize(("name", "counts"), MANY.items())
def test_rows_of_many_kinds_of_numbers(name: str, counts: tuple[int, int]) -> None:
    rows, _ = read(name)
    accepted = sum(isinstance(row, AcceptedRow) for row in rows)
    assert (accepted, len(rows) - accepted) == counts
