"""Workbooks are read cell by cell, in a process that cannot harm this one."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from application.contacts.files.unreadable import UnreadableFile
from storage.workbooks.process import Limits, open_workbook
from tests.examples import examples

DATA = Path(__file__).parents[1] / "data" / "workbooks"
SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest'
    ':1.0"><manifest:file-entry manifest:full-path="/"'
    f' manifest:media-type="{SPREADSHEET}"/></manifest:manifest>'
)
_NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
}


def rows_of(
    content: bytes, sheet: str | None = None, limits: Limits | None = None
) -> list[list[str]]:
    """Read a sheet; rows without a cell are empty lists."""
    with open_workbook(BytesIO(content), sheet, limits) as pieces:
        text = b"".join(pieces).decode()
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def written(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    """Write a workbook with openpyxl."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets:
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = BytesIO()
    workbook.save(content)
    return content.getvalue()


def test_values_are_written_as_a_person_sees_them() -> None:
    rows = [
        ["name", 2025550101, 2.5, True, date(2026, 3, 4)],
        [datetime(2026, 3, 4, 15, 4, 5), "00123", None, 1e20, -3],  # noqa: DTZ001 - workbooks have local times
    ]
    assert rows_of(written(("People", rows))) == [
        ["name", "2025550101", "2.5", "TRUE", "2026-03-04"],
        ["2026-03-04 15:04:05", "00123", "", "1e+20", "-3"],
    ]


@pytest.mark.parametrize("name", ["people.xls", "people.ods"])
def test_other_kinds_of_workbooks_are_read_in_the_same_way(name: str) -> None:
    assert rows_of((DATA / name).read_bytes()) == [
        ["Name", "Phone Number", "Since", "Paid"],
        ["Łukasz Żak", "2025550101", "2026-03-04", "TRUE"],
        ["Bo", "202-555-0102", "", "12.5"],
    ]


def test_rows_keep_their_numbers_below_empty_ones() -> None:
    workbook = openpyxl.Workbook()
    workbook.worksheets[0]["C4"] = "x"
    content = BytesIO()
    workbook.save(content)
    assert rows_of(content.getvalue()) == [[""], [""], [""], ["x"]]


def test_the_first_sheet_with_rows_is_read_and_the_others_are_named() -> None:
    content = written(("Empty", []), ("People", [["Ada"]]), ("Old", [["Bo"]]))
    with open_workbook(BytesIO(content), None) as sheet:
        assert b"".join(sheet) == b"Ada\n"
    [warning] = sheet.warnings
    assert '"People" was read' in warning
    assert '"Empty", "Old"' in warning


def test_a_sheet_is_chosen_by_its_name() -> None:
    content = written(("People", [["Ada"]]), ("Old", [["Bo"]]))
    with open_workbook(BytesIO(content), "Old") as sheet:
        assert b"".join(sheet) == b"Bo\n"
    assert sheet.warnings == []
    with pytest.raises(UnreadableFile, match='no sheet "New"; its sheets are "People"'):
        rows_of(content, "New")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (written(("Empty", [])), "no sheet with rows"),
        (written(("People", [["Ada"]]))[:-200], "damaged"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "damaged"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_with_a_remedy(
    content: bytes, words: str
) -> None:
    with pytest.raises(UnreadableFile, match=words) as refused:
        rows_of(content)
    assert "Save the sheet as CSV" in refused.value.message


def ods_bomb(rows: int) -> bytes:
    """Write a workbook of a kilobyte with one cell repeated in each row and column."""
    names = " ".join(f'xmlns:{key}="{value}"' for key, value in _NAMES.items())
    cell = (
        '<table:table-cell table:number-columns-repeated="16384"'
        ' office:value-type="string"><text:p>bomb</text:p></table:table-cell>'
    )
    body = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        '<table:table table:name="x"><table:table-row'
        f' table:number-rows-repeated="{rows}">{cell}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", SPREADSHEET)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", body)
    return content.getvalue()


@pytest.mark.parametrize(
    ("rows", "words"), [(6_000, "too much memory"), (1_048_576, "too many cells")]
)
def test_a_workbook_that_grows_beyond_its_memory_is_refused(
    rows: int, words: str
) -> None:
    with pytest.raises(UnreadableFile, match=words):
        rows_of(ods_bomb(rows), limits=Limits(memory=512 << 20))


def test_a_workbook_that_states_a_huge_content_is_refused_unread() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(5 << 20))
    assert len(content.getvalue()) < 10_000
    with pytest.raises(UnreadableFile, match="contains 5,242,880 bytes"):
        rows_of(content.getvalue(), limits=Limits(unpacked=1 << 20))


def test_a_workbook_that_takes_too_long_is_refused() -> None:
    content = written(("People", [["Ada"]]))
    with pytest.raises(UnreadableFile, match="time to read"):
        rows_of(content, limits=Limits(seconds=0))


def test_the_process_ends_when_nobody_reads_on() -> None:
    content = written(("People", [["x" * 1000]] * 2000))
    with open_workbook(BytesIO(content), None) as sheet:
        pieces = iter(sheet)
        assert next(pieces)
        process = sheet.process
    assert process.returncode is not None


# Characters that XML cannot hold are not part of any workbook.
cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    | st.sampled_from(["\n", ",", '"', "'", "=", "+"]),
    max_size=12,
).filter(lambda text: not text or not text.isspace())
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=6
    )
)


@examples(8)
@given(rows=tables, library=st.sampled_from(["openpyxl", "xlsxwriter"]))
def test_a_table_is_read_back_cell_by_cell(rows: list[list[str]], library: str) -> None:
    rows = [["head", *rows[0]], *([f"row {n}", *row] for n, row in enumerate(rows))]
    if library == "openpyxl":
        content = written(("People", [[cell or None for cell in row] for row in rows]))
    else:
        content = b"".join(by_xlsxwriter(rows))
    assert rows_of(content) == trimmed(rows)


def by_xlsxwriter(rows: list[list[str]]) -> Iterator[bytes]:
    content = BytesIO()
    with xlsxwriter.Workbook(content) as workbook:
        sheet = workbook.add_worksheet("People")
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    yield content.getvalue()


def trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Leave out the columns at the end that are empty in every row, as sheets do."""
    used = max(at for row in rows for at, cell in enumerate(row) if cell) + 1
    return [row[:used] for row in rows]
