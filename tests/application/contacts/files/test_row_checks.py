"""Columns beside the phone number that say how, or whether, a row is called."""

import pytest

from application.contacts.files.column_names import ColumnRole
from application.contacts.files.columns import Overrides
from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow
from application.contacts.files.unreadable import MappingNeeded

CASES: dict[str, tuple[str, list[str]]] = {
    "a label of Google Contacts": (
        (
            "Name,Phone 1 - Label,Phone 1 - Value\nA,Work Fax,2025550101\n"
            "B,Mobile,2025550102\n"
        ),
        ["INVALID_PHONE", "+12025550102"],
    ),
    "a type of older Google Contacts": (
        "Name,Phone 1 - Type,Phone 1 - Value\nA,* Home Fax,2025550101\n",
        ["INVALID_PHONE"],
    ),
    "a type of a phone": (
        "Name,Phone,Phone Type\nA,2025550101,FAX\nB,2025550102,Cell\nC,2025550103,\n",
        ["INVALID_PHONE", "+12025550102", "+12025550103"],
    ),
    "a mark of a CRM": (
        (
            "Name,Phone,Do Not Call\nA,2025550101,1\nB,2025550102,0\nC,2025550103,\n"
            "D,2025550104,Yes\nE,2025550105,false\nF,2025550106,2026-01-02\n"
        ),
        [
            *("INVALID_VALUE", "+12025550102", "+12025550103", "INVALID_VALUE"),
            *("+12025550105", "INVALID_VALUE"),
        ],
    ),
    "a mark in German": (
        "Name;Telefon;Nicht anrufen\nA;2025550101;ja\nB;2025550102;Nein\n",
        ["INVALID_VALUE", "+12025550102"],
    ),
    "a calling code in a column of its own": (
        (
            "Name,Phone Country Code,Phone\nA,+49,30 12345678\nB,49,030 12345679\n"
            "C,1,2025550101\nD,,2025550102\nE,0044,20 7946 0958\nF,+999,2025550103\n"
            "G,+49,+1 202 555 0104\n"
        ),
        [
            *("+493012345678", "+493012345679", "+12025550101", "+12025550102"),
            *("+442079460958", "INVALID_PHONE", "+12025550104"),
        ],
    ),
    "a calling code in the column of countries": (
        (
            "Name,Country Code,Phone\nA,49,30 12345678\nB,+1,2025550101\n"
            "C,DE,+49301234567\n"
        ),
        ["+493012345678", "+12025550101", "+49301234567"],
    ),
    "words for no value": (
        (
            "Name,Phone,State,Time Zone,Zip\nA,2025550101,N/A,-,unknown\n"
            "B,2025550102,none,#N/A,20001\nC,2025550103,Nowhere,,\n"
        ),
        ["+12025550101", "+12025550102", "INVALID_VALUE"],
    ),
    "remarks after names of columns": (
        "Name (required),Phone number (with country code)\nA,+12025550101\n",
        ["+12025550101"],
    ),
    "labels before numbers": (
        (
            "Name,Phone\nA,Mobil: 202-555-0101\nB,Phone number: 202-555-0102\n"
            "C,Fax: 202-555-0103\n"
        ),
        ["+12025550101", "+12025550102", "INVALID_PHONE"],
    ),
}


def read(content: str, overrides: Overrides | None = None) -> list[str]:
    """Return the number of each accepted row, and the reason of each other row."""
    with ContactFile(ReadOptions("US", overrides=overrides)) as file:
        rows = file.feed(content.encode())
        for more in file.finish():
            rows += more
    return [r.phone if isinstance(r, AcceptedRow) else str(r.reason) for r in rows]


@pytest.mark.parametrize("name", CASES)
def test_nobody_is_called_wrongly(name: str) -> None:
    content, expected = CASES[name]
    assert read(content) == expected


def test_a_column_that_the_user_excludes_leaves_no_row_out() -> None:
    content = "Name,Phone,DNC\nA,2025550101,x\n"
    assert read(content) == ["INVALID_VALUE"]
    assert read(content, {"DNC": ColumnRole.IGNORED}) == ["+12025550101"]


def test_a_column_of_fax_numbers_is_not_taken_for_the_phone_column() -> None:
    with pytest.raises(MappingNeeded):
        read("Name,Fax\nA,2025550101\nB,2025550102\n")
    content = "Name,Fax,x\nA,2025550101,2025550111\nB,2025550102,2025550112\n"
    assert read(content) == ["+12025550111", "+12025550112"]


def test_a_number_of_another_country_than_its_row_names_is_a_warning() -> None:
    content = (
        "Name,Country,Phone\nA,Germany,30 12345678\nB,Germany,+1 202 555 0101\n"
        "C,Canada,2025550102\nD,USA,2025550103\nE,France,2025550104\n"
    )
    with ContactFile(ReadOptions("US")) as file:
        file.feed(content.encode())
        list(file.finish())
        assert file.findings().warnings == (
            (
                "2 numbers without a country code were read as of another country than"
                " the row names, first in row 2: +13012345678, but the country is"
                " DE. Write + and the country code, or other people will be called."
            ),
        )
