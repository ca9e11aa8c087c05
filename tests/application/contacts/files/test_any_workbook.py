"""Tables written by `csv`, `openpyxl` and `xlsxwriter` are read back cell by cell."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any

import openpyxl
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow
from storage.workbooks.process import open_workbook
from tests.examples import examples

HEADERS = {
    "name": ("Name", "FULL NAME", "contact-name", "Ansprechpartner"),
    "business": ("business_name", "Company Name", "FIRMA", "Ragione sociale"),
    "phone": ("phone", "Phone-Number", "TELEFON", "Numer telefonu"),
}
type Cells = Sequence[Sequence[Any]]

# An apostrophe may protect a formula, and is then left out: see test_any_table.py.
text = st.text(
    st.sampled_from("aZ éüłя一😀\"',;|0=&<>")
    | st.characters(codec="utf-8", exclude_categories=["C", "Z"]),
    max_size=10,
).map(lambda cell: cell.strip().lstrip("'"))
names = text.map(lambda cell: f"x{cell}")
dates = st.dates(date(1905, 1, 1), date(2100, 1, 1))
times = st.datetimes(datetime(1905, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - cells have no zone
    lambda at: at.replace(microsecond=0)
)
integers = st.integers(-(10**14), 10**14)
values = st.one_of(text, integers, st.booleans(), dates, times)
spellings = st.tuples(*(st.sampled_from(each) for each in HEADERS.values()))


def shown(value: Any) -> str:
    """Return a value as a person sees it without a number format."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        is_day = (value.hour, value.minute, value.second) == (0, 0, 0)
        return f"{value:%Y-%m-%d}" if is_day else f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def by_openpyxl(rows: Cells) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for at, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(at, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # Not a formula, whatever its first character.
    book.save(content)
    return content.getvalue()


def by_xlsxwriter(rows: Cells, **options: bool) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, **options}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(at, column, value)
                elif isinstance(value, date):
                    sheet.write_datetime(at, column, value, day)
                else:
                    sheet.write(at, column, value)
    return content.getvalue()


def in_rows(rows: Cells) -> bytes:
    return by_xlsxwriter(rows, constant_memory=True)


def read(content: bytes, roles: Sequence[str]) -> list[list[str]]:
    """Return name, business name, number and the other cells of each row."""
    with ContactFile(ReadOptions("US"), open_workbook) as file:
        rows = [*file.feed(content), *chain.from_iterable(file.finish())]
    found = []
    for row in rows:
        assert isinstance(row, AcceptedRow), row
        own = [row.name, row.business_name, row.phone]
        found.append([*own, *(row.variables[role] for role in roles)])
    return found


@examples(10)
@given(
    people=st.lists(st.tuples(names, text, values, values), min_size=1, max_size=6),
    spelling=spellings,
    write=st.sampled_from([by_openpyxl, by_xlsxwriter, in_rows]),
    numeric=st.booleans(),
)
def test_a_workbook_is_read_back_cell_by_cell(
    people: list[tuple[str, str, Any, Any]],
    spelling: Sequence[str],
    write: Callable[[Cells], bytes],
    numeric: bool,
) -> None:
    phones = [f"202555{at:04}" for at in range(100, 100 + len(people))]
    rows = [
        [name, business, int(phone) if numeric else phone, first, second]
        for (name, business, first, second), phone in zip(people, phones, strict=True)
    ]
    found = read(write([[*spelling, "Note", "City"], *rows]), ("Note", "City"))
    assert found == [
        [name, business, f"+1{phone}", shown(first), shown(second)]
        for (name, business, first, second), phone in zip(people, phones, strict=True)
    ]


@examples(50)
@given(
    people=st.lists(st.tuples(names, text, text), min_size=1, max_size=6),
    spelling=spellings,
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    start=st.sampled_from(["", "sep", "title"]),
)
def test_a_table_of_any_dialect_is_read_back_cell_by_cell(  # noqa: PLR0917 - drawn by name
    people: list[tuple[str, str, str]],
    spelling: Sequence[str],
    delimiter: str,
    quoting: Any,
    end: str,
    encoding: str,
    start: str,
) -> None:
    content = io.StringIO(newline="")
    if start == "sep":
        content.write(f"sep={delimiter}{end}")
    if start == "title":
        content.write(f"People{end}{end}")
    phones = [f"+1202555{at:04}" for at in range(100, 100 + len(people))]
    writer = csv.writer(
        content, delimiter=delimiter, lineterminator=end, quoting=quoting
    )
    writer.writerow([*spelling, "Note"])
    for (name, business, note), phone in zip(people, phones, strict=True):
        writer.writerow([name, business, phone, note])
    found = read(content.getvalue().encode(encoding), ("Note",))
    assert found == [
        [name, business, phone, note]
        for (name, business, note), phone in zip(people, phones, strict=True)
    ]
