"""A table in any dialect, encoding and header spelling is read back cell by cell."""

import csv
import io
from itertools import chain
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow, Row
from domain.values import SkipReason
from tests.application.contacts.files.test_code_pages import NAMES
from tests.examples import examples

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
SPELLINGS = {
    "name": ["name", "Full Name", "CONTACT_NAME", "Nombre completo", "Imię i nazwisko"],
    "business": ["business_name", "Company-Name", "FIRMA", "Société", "Azienda"],
    "phone": ["phone", "Phone Number", "TELEFON", "mobile_phone", "Téléphone"],
    "note": ["note", "E-mail", "Größe", "Calls so far"],
    "city": ["city", "Ort", "Straße 2"],
}
texts = st.text(
    st.sampled_from("aZ éüł一Я€\"',;|\t\n-(")
    | st.characters(codec="utf-8", exclude_categories=["C", "Z"]),
    max_size=8,
)
names = texts.map(lambda text: f"x{text}").filter(lambda text: "=" not in text)
people = st.lists(
    st.fixed_dictionaries(
        {"name": names, "business": texts, "note": texts, "city": texts}
    ),
    min_size=1,
    max_size=8,
)


@examples(30)
@given(
    people=people,
    order=st.permutations(sorted(SPELLINGS)),
    spelling=st.lists(st.integers(0, 4), min_size=5, max_size=5),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cut=st.integers(0, 300),
)
def test_a_table_is_read_back_cell_by_cell(  # noqa: PLR0917 - drawn by name
    people: list[dict[str, str]],
    order: list[str],
    spelling: list[int],
    encoding: str,
    delimiter: str,
    end: str,
    cut: int,
) -> None:
    columns = {
        key: SPELLINGS[key][at % len(SPELLINGS[key])]
        for key, at in zip(order, spelling, strict=True)
    }
    rows = [
        {**person, "phone": f"+1202555{at:04}"} for at, person in enumerate(people, 100)
    ]
    text = io.StringIO(newline="")
    quoting: Literal[1] = csv.QUOTE_ALL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(columns[key] for key in order)
    writer.writerows([row[key] for key in order] for row in rows)
    content = text.getvalue().encode(encoding)
    found = read(content, cut)
    assert all(isinstance(row, AcceptedRow) for row in found), found
    assert [
        {
            "name": row.name,
            "business": row.business_name,
            "phone": row.phone,
            "note": row.variables[columns["note"]],
            "city": row.variables[columns["city"]],
        }
        for row in found
        if isinstance(row, AcceptedRow)
    ] == [
        {
            **row,
            "name": row["name"].strip(),
            "business": as_read(row["business"]).strip(),
            "note": as_read(row["note"]),
            "city": as_read(row["city"]),
        }
        for row in rows
    ]


AMBIGUOUS = {"O\u2019Brien \u2013 \u201cPub\u201d", "João", "José"}
"""Alone in a file, these names may be read in another code page."""
CLEAR = [
    (codec, name)
    for codec, names in NAMES.items()
    for name in names
    if name not in AMBIGUOUS
]


@examples(40)
@given(
    written=st.sampled_from(CLEAR),
    column=st.integers(0, 2),
    others=st.lists(st.sampled_from(["Bo", "Ada Lee", "Acme"]), max_size=5),
    spelling=st.lists(st.integers(0, 1), min_size=3, max_size=3),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cut=st.integers(0, 60),
)
def test_a_table_in_a_code_page_is_read_back_with_a_warning(  # noqa: PLR0917 - drawn by name
    written: tuple[str, str],
    column: int,
    others: list[str],
    spelling: list[int],
    delimiter: str,
    end: str,
    cut: int,
) -> None:
    codec, name = written
    people = [["Ada Lee", "Acme", "x"], *([other, "Acme", "x"] for other in others)]
    people[0][column] = name
    names = [
        spellings[at]
        for spellings, at in zip(
            (("name", "Full Name"), ("COMPANY", "business_name"), ("note", "About")),
            spelling,
            strict=True,
        )
    ]
    rows = [
        [*person, f"+1202555{at:04}"] for at, person in enumerate(people, start=100)
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow([*names, "Phone-Number"])
    writer.writerows(rows)
    content = text.getvalue().encode(codec)
    with ContactFile(ReadOptions("US")) as file:
        found = file.feed(content[:cut]) + file.feed(content[cut:])
        found += chain.from_iterable(file.finish())
        warnings = file.findings().warnings
    assert [
        [row.name, row.business_name, row.variables[names[2]], row.phone]
        for row in found
        if isinstance(row, AcceptedRow)
    ] == rows
    assert len(warnings) == 1


def as_read(cell: str) -> str:
    """Leave out the apostrophe with which exports protect a formula."""
    is_protected = cell.startswith("'") and cell.lstrip("'")[:1] in {"-", "\t", "\r"}
    plain = cell.lstrip("'")
    return cell[1:] if is_protected and plain else cell


def read(content: bytes, cut: int) -> list[Row]:
    with ContactFile(ReadOptions("US")) as file:
        rows = file.feed(content[:cut]) + file.feed(content[cut:])
        return [*rows, *chain.from_iterable(file.finish())]


@examples(25)
@given(
    phones=st.lists(st.sampled_from(["", "12", "202-555-0101", "x"]), max_size=6),
    surplus=st.lists(st.sampled_from(["", " ", "y"]), max_size=3),
)
def test_every_row_is_accepted_skipped_or_empty(
    phones: list[str], surplus: list[str]
) -> None:
    lines = [",".join(["Ada", phone, *surplus]) for phone in phones]
    rows = read(("name,phone\n" + "\n".join([*lines, "Bo,+12025550199"])).encode(), 0)
    is_malformed = any(cell.strip() for cell in surplus)
    assert len(rows) == len(phones) + 1
    reasons = {row.reason for row in rows if not isinstance(row, AcceptedRow)}
    assert (SkipReason.MALFORMED_ROW in reasons) == (is_malformed and bool(phones))
