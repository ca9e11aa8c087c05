"""Workbooks over HTTP, and files that are no lists at all."""

from typing import Any

import pytest

from interfaces.files.uploads import MEDIA_TYPES
from storage.database import Pool
from tests.interfaces.files.uploading import Client, error_of, uploads
from tests.storage.test_workbooks import DATA, ods_bomb, written

PEOPLE: list[list[Any]] = [
    ["Leads for spring"],
    ["First Name", "Last Name", "Phone Number", "Since"],
    ["Ada", "Lee", 2025550101, "2026-03-04"],
    ["Bo", "Ray", 2.02, None],
]


@pytest.mark.parametrize("kind", sorted(MEDIA_TYPES))
def test_a_workbook_is_recognised_by_its_first_bytes(client: Client, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = client.post("/uploads", written(("People", PEOPLE)), headers).json()
    assert (answer["report"]["accepted"], answer["report"]["skippedCount"]) == (1, 1)
    [row] = answer["sample"]
    assert (row["row"], row["name"], row["phone"]) == (3, "Ada Lee", "+12025550101")
    assert row["variables"]["Since"] == "2026-03-04"
    [skipped] = answer["report"]["skipped"]
    assert (skipped["row"], skipped["reason"]) == (4, "INVALID_PHONE")


@pytest.mark.parametrize("name", ["people.xls", "people.ods"])
def test_other_kinds_of_workbooks_are_read_too(client: Client, name: str) -> None:
    answer = client.post("/uploads", (DATA / name).read_bytes()).json()
    assert [row["name"] for row in answer["sample"]] == ["Łukasz Żak", "Bo"]


def test_a_sheet_is_chosen_by_its_name(client: Client) -> None:
    content = written(("Notes", [["phone"], ["x"]]), ("People", PEOPLE))
    answer = client.post("/uploads?sheet=People", content).json()
    assert answer["report"]["accepted"] == 1
    answer = client.post("/uploads", content).json()
    assert answer["report"]["accepted"] == 0
    assert 'The sheet "Notes" was read' in answer["warnings"][0]
    assert (answer["sheet"], answer["sheets"]) == ("Notes", ["Notes", "People"])
    response = client.post("/uploads?sheet=Staff", content)
    assert (response.status_code, error_of(response)) == (422, "UNREADABLE_FILE")
    assert '"Notes", "People"' in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("rows", "code"),
    [([["a", "b"], ["x", "y"]], "MAPPING_NEEDED"), ([["phone"]], "UNREADABLE_FILE")],
)
def test_a_refused_sheet_names_the_sheets_that_can_be_chosen(
    client: Client, rows: list[list[Any]], code: str
) -> None:
    response = client.post("/uploads", written(("Notes", rows), ("People", PEOPLE)))
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, code)
    assert (error["sheet"], error["sheets"]) == ("Notes", ["Notes", "People"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ods_bomb(1_048_576), "too many cells"),
        (b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD\n", "vCard"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (b"\xef\xbb\xbf  <!DOCTYPE html><html></html>", "HTML"),
        (b"<table><tr><td>name</td></tr></table>", "HTML"),
        (b'<?xml version="1.0"?><Workbook/>', "XML"),
        (b'[{"name": "Ada", "phone": "202-555-0101"}]', "JSON"),
        (b"{\\rtf1 Ada}", "RTF"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "gzip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "picture"),
        (bytes(range(1, 256)) * 4, "not a text file"),
    ],
)
def test_a_file_that_is_no_list_is_named_with_a_remedy(
    client: Client, pool: Pool, content: bytes, words: str
) -> None:
    response = client.post("/uploads", content)
    assert (response.status_code, error_of(response)) == (422, "UNREADABLE_FILE")
    assert words in response.json()["error"]["message"]
    assert uploads(pool) == 0
