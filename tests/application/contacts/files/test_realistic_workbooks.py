"""Workbooks as people have them, and archives that are no workbooks."""

import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from application.contacts.files.unreadable import UnreadableFile
from tests.application.contacts.files.test_realistic_lists import (
    ADA,
    BO,
    Case,
    read_list,
)


def workbook(*rows: list[object]) -> bytes:
    return built(lambda book: fill(sheet_of(book), *rows))


def sheet_of(book: openpyxl.Workbook) -> Worksheet:
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return sheet


def fill(sheet: Worksheet, *rows: list[object]) -> None:
    for row in rows:
        sheet.append(row)


def built(build: Callable[[openpyxl.Workbook], None]) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    build(book)
    book.save(content)
    return content.getvalue()


def with_hidden_sheet(book: openpyxl.Workbook) -> None:
    old = sheet_of(book)
    fill(old, ["Name", "Phone"], ["Old", "202-555-0199"])
    old.sheet_state = "hidden"
    fill(book.create_sheet("Leads"), ["Name", "Phone"], ["Ada", "202-555-0101"])


def with_merged_cells(book: openpyxl.Workbook) -> None:
    sheet = sheet_of(book)
    fill(sheet, ["Contact list"], ["Name", "Phone"], ["Ada", "202-555-0101"])
    sheet.append([None, "202-555-0102"])
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A3:A4")


def with_a_corner(book: openpyxl.Workbook) -> None:
    sheet = sheet_of(book)
    for at, value in {
        "C5": "Name",
        "D5": "Phone",
        "C6": "Ada",
        "D6": 2025550101,
    }.items():
        sheet[at] = value


def with_hidden_rows(book: openpyxl.Workbook) -> None:
    sheet = sheet_of(book)
    fill(sheet, ["Name", "Phone"], ["Ada", 2025550101])
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[2].hidden = True


def archive(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("__", "/"), text)
    return content.getvalue()


WORKBOOKS = {
    "numbers held as numbers": Case(
        workbook(["Name", "Phone"], ["Ada", 2025550101], ["Bo", 2025550102.0]),
        (ADA, BO),
    ),
    "numbers as text": Case(
        workbook(["Name", "Phone"], ["Cy", "2.02E+09"], ["Ada", "'+12025550101"]),
        skipped=((2, "INVALID_PHONE"),),
    ),
    "a hidden first sheet": Case(
        built(with_hidden_sheet), warnings=('The sheet "Leads" was read',)
    ),
    "merged cells": Case(built(with_merged_cells), skipped=((4, "MISSING_NAME"),)),
    "a table away from the corner": Case(built(with_a_corner)),
    "hidden rows and columns": Case(built(with_hidden_rows)),
}
OTHER_ARCHIVES = {
    "zip": (archive(people="Name,Phone\n"), "zip archive"),
    "Word": (archive(word__document="x"), "Word document"),
    "Numbers": (archive(Index__Document="x"), "Numbers document"),
    "no sheet with rows": (workbook(), "no sheet with rows"),
    "only a header": (workbook(["Name", "Phone"]), "no row below"),
    "cut off": (workbook(["Name", "Phone"], ["Ada", 1])[:2000], "damaged"),
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_is_read_as_its_owner_means_it(name: str) -> None:
    case = WORKBOOKS[name]
    accepted, skipped, warnings = read_list(case.content)
    assert (tuple(accepted), tuple(skipped)) == (case.accepted, case.skipped)
    assert len(warnings) == len(case.warnings), warnings
    for warning, part in zip(warnings, case.warnings, strict=True):
        assert part in warning


@pytest.mark.parametrize(
    ("content", "message"), OTHER_ARCHIVES.values(), ids=list(OTHER_ARCHIVES)
)
def test_an_archive_that_is_no_list_is_named_in_the_refusal(
    content: bytes, message: str
) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_list(content)
