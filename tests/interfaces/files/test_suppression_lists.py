"""Suppression lists are uploaded as a whole, listed, replaced and removed."""

import io
import zipfile
from typing import Any

import httpx2
import pytest

from domain.values import Role
from tests.interfaces.serving import Desk

LISTS = """{ suppressionLists {
  id name asOf maxAgeDays freshness numbers covers purposes uploadedBy sha256 } }"""


def upload(
    desk: Desk, content: bytes, role: Role = Role.ADMIN, **query: Any
) -> httpx2.Response:
    terms = {"name": "DNC", "asOf": "2026-11-20", **query}
    return httpx2.post(
        f"{desk.url}/suppression-lists",
        content=content,
        params=terms,
        headers={"Content-Type": "text/csv", **desk.header(role)},
        timeout=30,
    )


def zipped(*contents: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, content in enumerate(contents):
            archive.writestr(f"{index}.txt", content)
    return target.getvalue()


def test_a_list_is_uploaded_replaced_and_removed(office: Desk) -> None:
    first = upload(office, b"202,5550100\n202,5550101\n", covers="+1202")
    assert first.status_code == 201, first.text
    assert first.json()["numbers"] == 2
    again = upload(office, b"2025550100\n", maxAgeDays=31, purpose="TELEMARKETING")
    assert again.json()["id"] == first.json()["id"]
    office.caught_up()
    (shown,) = office.told(LISTS)["suppressionLists"]
    assert shown["numbers"] == 1
    assert shown["covers"] == []
    assert shown["purposes"] == ["TELEMARKETING"]
    assert shown["asOf"] == "2026-11-20"
    removal = """mutation($id: ID!) { removeSuppressionList(id: $id) {
      ... on SuppressionList { name } ... on UserError { code } } }"""
    removed = office.told(removal, id=shown["id"])["removeSuppressionList"]
    assert removed == {"name": "DNC"}
    assert office.told(LISTS)["suppressionLists"] == []
    gone = office.told(removal, id=shown["id"])["removeSuppressionList"]
    assert gone == {"code": "NOT_FOUND"}


def test_the_files_of_a_zip_file_are_one_list(office: Desk) -> None:
    answer = upload(office, zipped(b"2025550100", b"3055550100\n"), name="zipped")
    assert answer.json()["numbers"] == 2


@pytest.mark.parametrize(
    ("content", "query", "status", "words"),
    [
        (b"2025550100\n", {"asOf": "soon"}, 400, "asOf"),
        (b"2025550100\n", {"asOf": "2999-01-01"}, 400, "future"),
        (b"2025550100\n", {"name": ""}, 400, "name"),
        (b"2025550100\n", {"maxAgeDays": "old"}, 400, "maxAgeDays"),
        (b"2025550100\n", {"maxAgeDays": 0}, 400, "maxAgeDays"),
        (b"2025550100\n", {"covers": "+12x"}, 400, "prefix"),
        (b"2025550100\n", {"purpose": "fun"}, 400, "purpose"),
        (b"2025550100\nabc\n", {}, 422, "Line 2"),
        (b"\n\n", {}, 422, "no phone number"),
        (b"PK\x03\x04 broken", {}, 422, "cannot be unpacked"),
    ],
)
def test_a_bad_file_is_refused_and_the_list_before_it_stays(
    office: Desk, content: bytes, query: dict[str, Any], status: int, words: str
) -> None:
    upload(office, b"2025550100\n", name="kept")
    answer = upload(office, content, **{"name": "kept", **query})
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    office.caught_up()
    rows = office.told(LISTS)["suppressionLists"]
    assert [row["numbers"] for row in rows if row["name"] == "kept"] == [1]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_only_admins_upload_lists(office: Desk, role: Role) -> None:
    assert upload(office, b"2025550100\n", role).status_code == 403


def test_the_calling_rules_are_shown_with_their_sources(office: Desk) -> None:
    query = """{ callingRules { version rules {
      id place hours holidays frequency { attempts hours } source confidence } } }"""
    book = office.told(query, Role.OPERATOR)["callingRules"]
    florida = next(rule for rule in book["rules"] if rule["id"] == "US-FL-hours")
    assert florida["hours"] == "Mon-Sun 08:00-20:00"
    assert florida["frequency"] == [{"attempts": 3, "hours": 24}]
    assert len(book["version"]) == 64
