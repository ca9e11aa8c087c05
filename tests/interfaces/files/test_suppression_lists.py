"""Suppression lists are uploaded as a whole, listed, replaced and removed."""

import io
import zipfile
from typing import Any

import httpx2
import pytest

from domain.values import Role
from tests.interfaces.serving import ApiClient

LISTS = """{ suppressionLists {
  id name asOf maxAgeDays freshness numbers covers purposes uploadedBy sha256 } }"""


def upload(
    api: ApiClient, content: bytes, role: Role = Role.ADMIN, **query: Any
) -> httpx2.Response:
    terms = {"name": "DNC", "asOf": "2026-11-20", **query}
    return httpx2.post(
        f"{api.url}/suppression-lists",
        content=content,
        params=terms,
        headers={"Content-Type": "text/csv", **api.header(role)},
        timeout=30,
    )


def zipped(*contents: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, content in enumerate(contents):
            archive.writestr(f"{index}.txt", content)
    return target.getvalue()


def test_a_list_is_uploaded_replaced_and_removed(shared_api: ApiClient) -> None:
    first = upload(shared_api, b"202,5550100\n202,5550101\n", covers="+1202")
    assert first.status_code == 201, first.text
    assert first.json()["numbers"] == 2
    again = upload(shared_api, b"2025550100\n", maxAgeDays=31, purpose="TELEMARKETING")
    assert again.json()["id"] == first.json()["id"]
    shared_api.caught_up()
    (shown,) = shared_api.execute(LISTS)["suppressionLists"]
    assert shown["numbers"] == 1
    assert shown["covers"] == []
    assert shown["purposes"] == ["TELEMARKETING"]
    assert shown["asOf"] == "2026-11-20"
    removal = """mutation($id: ID!) { removeSuppressionList(id: $id) {
      ... on SuppressionList { name } ... on UserError { code } } }"""
    removed = shared_api.execute(removal, id=shown["id"])["removeSuppressionList"]
    assert removed == {"name": "DNC"}
    assert shared_api.execute(LISTS)["suppressionLists"] == []
    gone = shared_api.execute(removal, id=shown["id"])["removeSuppressionList"]
    assert gone == {"code": "NOT_FOUND"}


def test_the_files_of_a_zip_file_are_one_list(shared_api: ApiClient) -> None:
    answer = upload(shared_api, zipped(b"2025550100", b"3055550100\n"), name="zipped")
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
    shared_api: ApiClient,
    content: bytes,
    query: dict[str, Any],
    status: int,
    words: str,
) -> None:
    upload(shared_api, b"2025550100\n", name="kept")
    answer = upload(shared_api, content, **{"name": "kept", **query})
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    shared_api.caught_up()
    rows = shared_api.execute(LISTS)["suppressionLists"]
    assert [row["numbers"] for row in rows if row["name"] == "kept"] == [1]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_only_admins_upload_lists(shared_api: ApiClient, role: Role) -> None:
    assert upload(shared_api, b"2025550100\n", role).status_code == 403


def test_the_calling_rules_are_shown_with_their_sources(shared_api: ApiClient) -> None:
    query = """{ callingRules { version rules {
      id place hours holidays frequency { attempts hours } source confidence } } }"""
    book = shared_api.execute(query, Role.OPERATOR)["callingRules"]
    florida = next(rule for rule in book["rules"] if rule["id"] == "US-FL-hours")
    assert florida["hours"] == "Mon-Sun 08:00-20:00"
    assert florida["frequency"] == [{"attempts": 3, "hours": 24}]
    assert len(book["version"]) == 64
