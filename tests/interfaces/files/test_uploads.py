"""Contact files over HTTP, against a real database."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from starlette.types import Message

from interfaces.auth.rates import RateLimit
from interfaces.files.uploads import LARGEST_FILE, UPLOADS_A_MINUTE
from storage.database import Pool
from storage.vault.uploads import UploadStore
from tests.interfaces.files.uploading import (
    ANN,
    CSV,
    HEADER,
    LIMIT,
    NOW,
    Client,
    error_of,
    uploads,
)

PROMISED_A_MINUTE = 120


def test_an_upload_answers_what_was_accepted_and_why_the_rest_was_not(
    client: Client, store: UploadStore
) -> None:
    content = f"{HEADER}{ANN}Bob,,12,\nCy,,4155552671,\n"
    response = client.post("/uploads?filename=my%20list.csv", content)
    assert response.status_code == 201
    answer = response.json()
    (staged,) = store.rows(UUID(answer["id"]), 0, 10)
    assert (staged.phone, staged.variables) == ("+14155552671", {"plan": "gold"})
    first, second = answer["report"].pop("skipped")
    assert set(first) == {"row", "reason", "message"}
    assert (first["row"], first["reason"]) == (3, "INVALID_PHONE")
    assert (second["row"], second["reason"]) == (4, "DUPLICATE_IN_FILE")
    assert answer == {
        "id": answer["id"],
        "filename": "my list.csv",
        "columns": ["name", "business_name", "phone", "plan"],
        "report": {
            "accepted": 1,
            "skippedCount": 2,
            "rejectsUrl": f"/uploads/{answer['id']}/rejects.csv",
            "rejectsNotKept": 0,
        },
        "mapping": [
            {"column": "name", "role": "NAME"},
            {"column": "business_name", "role": "BUSINESS_NAME"},
            {"column": "phone", "role": "PHONE"},
            {"column": "plan", "role": "VARIABLE"},
        ],
        "region": "US",
        "sample": [
            {
                "row": 2,
                "name": "Ann",
                "businessName": "Acme",
                "phone": "+14155552671",
                "places": ["US-CA"],
                "timeZones": ["America/Los_Angeles"],
                "variables": {"plan": "gold"},
            }
        ],
        "countries": [{"country": "US", "contacts": 1}],
        "kinds": [{"kind": "FIXED_LINE_OR_MOBILE", "contacts": 1}],
        "warnings": [],
        "missing": [],
        "sheet": None,
        "sheets": [],
        "expiresAt": "2026-01-02T00:00:00+00:00",
    }


def test_without_skipped_rows_there_is_no_file_of_them(client: Client) -> None:
    report = client.post("/uploads", HEADER + ANN).json()["report"]
    assert (report["skippedCount"], report["rejectsUrl"]) == (0, None)


def test_the_report_names_the_first_thousand_skipped_rows(client: Client) -> None:
    content = HEADER + "Bob,,12,\n" * 1200
    answer = client.post("/uploads", content).json()
    assert answer["report"]["skippedCount"] == 1200
    assert [row["row"] for row in answer["report"]["skipped"]] == [*range(2, 1002)]
    rejects = client.get(answer["report"]["rejectsUrl"]).text
    assert len(rejects.splitlines()) == 1201


def test_the_body_may_arrive_in_any_pieces(client: Client) -> None:
    content = (HEADER + ANN + "Bob,,4155552672,\n" * 3).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for byte in content:
            yield bytes([byte])

    answer = client.post("/uploads", pieces()).json()
    assert answer["report"]["accepted"] == 2
    assert answer["report"]["skippedCount"] == 2


def test_the_region_of_the_request_goes_before_the_settings(
    client: Client, store: UploadStore
) -> None:
    content = f"{HEADER}Ann,,020 7946 0018,\n"
    at_home = client.post("/uploads?defaultRegion=gb", content).json()
    assert at_home["report"]["accepted"] == 1
    upload = store.get(UUID(at_home["id"]), NOW)
    assert upload is not None
    assert (upload.default_region, upload.created_by) == ("GB", "ann@example.com")
    assert client.post("/uploads", content).json()["report"]["accepted"] == 0


def test_premium_rate_numbers_need_an_upload_of_any_kind(client: Client) -> None:
    content = f"{HEADER}Ann,,900-555-0100,\n"
    report = client.post("/uploads", content).json()["report"]
    assert report["accepted"] == 0
    assert report["skipped"][0]["reason"] == "INVALID_PHONE"
    assert "kinds=any" in report["skipped"][0]["message"]
    for kinds in ("any", "ANY"):
        answer = client.post(f"/uploads?kinds={kinds}", content)
        assert answer.json()["report"]["accepted"] == 1
    answer = client.post("/uploads?kinds=premium", content)
    assert (answer.status_code, error_of(answer)) == (400, "INVALID")


@pytest.mark.parametrize("region", ["ZZ", "USA", "%00", "U%C3%9F"])
def test_an_unknown_region_is_refused(client: Client, pool: Pool, region: str) -> None:
    response = client.post(f"/uploads?defaultRegion={region}", HEADER + ANN)
    assert (response.status_code, error_of(response)) == (400, "INVALID")
    assert "such as US" in response.json()["error"]["message"]
    assert uploads(pool) == 0


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "text/csvx"])
def test_another_kind_of_body_is_refused(client: Client, kind: str) -> None:
    response = client.post("/uploads", HEADER + ANN, {"Content-Type": kind})
    assert response.status_code == 415
    assert error_of(response) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("kind", ["text/csv; charset=utf-8", "Text/CSV;header=present"])
def test_the_kind_may_have_parameters(client: Client, kind: str) -> None:
    response = client.post("/uploads", HEADER + ANN, {"Content-Type": kind})
    assert response.status_code == 201


@pytest.mark.parametrize("content", [b"", b"Ann,202-555-0101\n", HEADER.encode()])
def test_an_unreadable_file_is_refused_and_leaves_nothing(
    client: Client, pool: Pool, content: bytes
) -> None:
    response = client.post("/uploads", content)
    assert (response.status_code, error_of(response)) == (422, "UNREADABLE_FILE")
    assert uploads(pool) == 0


def test_a_file_that_turns_out_to_be_no_list_late_leaves_nothing(
    client: Client, pool: Pool
) -> None:
    body = HEADER + ANN * 90 + "a,b,c,d,e\n" * 1_000
    response = client.post("/uploads", body)
    assert (response.status_code, error_of(response)) == (422, "UNREADABLE_FILE")
    assert uploads(pool) == 0


def mapping_of(answer: Any) -> dict[str, str]:
    return {use["column"]: use["role"] for use in answer["mapping"]}


def test_columns_are_recognised_by_their_names(client: Client) -> None:
    content = "First Name,Last Name,Phone Number,Company,Plan\nAda,Lee,4155552671,A,x\n"
    answer = client.post("/uploads", content).json()
    assert mapping_of(answer) == {
        "First Name": "FIRST_NAME",
        "Last Name": "LAST_NAME",
        "Phone Number": "PHONE",
        "Company": "BUSINESS_NAME",
        "Plan": "VARIABLE",
    }
    (row,) = answer["sample"]
    assert (row["name"], row["businessName"]) == ("Ada Lee", "A")


UNNAMED = "who,where,reach\n" + "".join(f"Person {n},x,{n}\n" for n in range(7))


def test_without_a_known_phone_column_the_client_is_asked_for_a_mapping(
    client: Client, pool: Pool
) -> None:
    response = client.post("/uploads", UNNAMED)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "MAPPING_NEEDED")
    assert error["columns"] == ["who", "where", "reach"]
    assert error["rows"] == [[f"Person {n}", "x", str(n)] for n in range(5)]
    assert uploads(pool) == 0


def test_a_mapping_of_the_client_goes_before_the_names(client: Client) -> None:
    content = "who,phone,reach,notes\nAda,12,4155552671,x\n"
    query = "map=reach=PHONE&map=WHO=name&map=notes=IGNORED"
    answer = client.post(f"/uploads?{query}", content).json()
    assert mapping_of(answer) == {
        "who": "NAME",
        "phone": "VARIABLE",
        "reach": "PHONE",
        "notes": "IGNORED",
    }
    (row,) = answer["sample"]
    assert (row["name"], row["phone"]) == ("Ada", "+14155552671")
    assert row["variables"] == {"phone": "12"}


@pytest.mark.parametrize("mapped", ["x", "x=LANDLINE", "=PHONE", "a=PHONE&map=b=phone"])
def test_a_mapping_that_makes_no_sense_is_refused(client: Client, mapped: str) -> None:
    response = client.post(f"/uploads?map={mapped}", HEADER + ANN)
    assert (response.status_code, error_of(response)) == (400, "INVALID")


def test_a_mapping_of_a_column_that_is_not_there_is_asked_for_again(
    client: Client,
) -> None:
    response = client.post("/uploads?map=handy=PHONE", HEADER + ANN)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "MAPPING_NEEDED")
    assert '"handy"' in error["message"]
    assert error["columns"] == ["name", "business_name", "phone", "plan"]


def test_places_of_a_row_come_from_its_columns_and_its_number(client: Client) -> None:
    content = (
        "name,phone,state,country,time zone\nAda,4155552671,Florida,USA,us/eastern\n"
    )
    (row,) = client.post("/uploads", content).json()["sample"]
    assert row["places"] == ["US-CA", "US-FL"]
    assert {"America/New_York", "America/Los_Angeles"} <= {*row["timeZones"]}


def test_cells_of_our_own_file_are_read_back_as_they_were(
    client: Client,
) -> None:
    rejected = client.post("/uploads", f"{HEADER}=Ann,'@x,12,'+1\n").json()
    again = client.get(rejected["report"]["rejectsUrl"]).text
    answer = client.post("/uploads", again.replace(",12,", ",4155552671,")).json()
    (row,) = answer["sample"]
    assert (row["name"], row["businessName"]) == ("=Ann", "'@x")
    assert row["variables"] == {"plan": "'+1"}


def test_a_declared_body_above_the_limit_is_refused(client: Client, pool: Pool) -> None:
    response = client.post("/uploads", "x" * (LIMIT + 1))
    assert (response.status_code, error_of(response)) == (413, "TOO_LARGE")
    assert uploads(pool) == 0


def test_a_chunked_body_above_the_limit_is_refused_and_leaves_nothing(
    client: Client, pool: Pool
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield (HEADER + ANN).encode()
        while True:
            yield b"Bob,,12,\n" * 1000

    response = client.post("/uploads", endless())
    assert (response.status_code, error_of(response)) == (413, "TOO_LARGE")
    assert uploads(pool) == 0


def test_only_a_member_who_uploads_too_often_must_wait(client: Client) -> None:
    def knock(member: str) -> httpx2.Response:
        # Refused for its Content-Type, which is checked after the rate.
        headers = {"Content-Type": "text/plain", "Authorization": member}
        return client.post("/uploads", headers=headers)

    answers = [knock("bob")]
    while answers[-1].status_code != 429 and len(answers) < 1_000:
        answers.append(knock("bob"))
    assert len(answers) > PROMISED_A_MINUTE
    assert answers[-1].status_code == 429
    assert {answer.status_code for answer in answers[:-1]} == {415}
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert knock("cleo").status_code == 415


@pytest.mark.parametrize("pause", [0.0, 0.5, 60 / PROMISED_A_MINUTE])
def test_the_promised_number_of_uploads_a_minute_is_never_limited(pause: float) -> None:
    """The requests of each minute come in a burst, evenly, or in between."""
    at = [0.0]
    rate = RateLimit(UPLOADS_A_MINUTE, clock=lambda: at[0])
    for minute in range(5):
        at[0] = 60.0 * minute
        for _ in range(PROMISED_A_MINUTE):
            assert rate.take("ann") == 0.0
            at[0] += pause


def test_a_file_may_have_half_a_gibibyte() -> None:
    assert LARGEST_FILE == 512 * 1024 * 1024


def test_uploading_and_reading_rejects_need_permission(
    client: Client, pool: Pool
) -> None:
    headers = {**CSV, "Authorization": "none"}
    assert client.post("/uploads", HEADER + ANN, headers).status_code == 401
    assert uploads(pool) == 0
    report = client.post("/uploads", f"{HEADER}Bob,,12,\n").json()["report"]
    assert client.get(report["rejectsUrl"], Authorization="none").status_code == 401


def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    app: FastAPI, pool: Pool
) -> None:
    begun = (HEADER + ANN + "Bob,,12,\n" * 40_000).encode()
    seen: list[int] = []

    async def receive() -> Message:
        if not seen:
            seen.append(0)
            return {"type": "http.request", "body": begun, "more_body": True}
        seen.append(await asyncio.to_thread(uploads, pool))
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        del message

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/uploads",
        "query_string": b"",
        "headers": [(b"content-type", b"text/csv")],
    }
    asyncio.run(app(scope, receive, send))
    assert seen[0] == 0
    assert seen[1] >= 1  # Rows were stored while the file arrived.
    assert uploads(pool) == 0


def test_without_a_database_the_client_is_told_to_try_again(
    client: Client, pool: Pool
) -> None:
    pool.close()
    response = client.post("/uploads", HEADER + ANN)
    assert (response.status_code, error_of(response)) == (503, "UNAVAILABLE")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "contacts.csv"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C:%5CUsers%5Cann%5Clist.csv", "list.csv"),
        ("li%0d%0ast%00%1b.csv", "list.csv"),
        ("..", "contacts.csv"),
        ("K%C3%B6ln%20%E2%80%AEvsc.csv", "Köln vsc.csv"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_file_name_keeps_no_path_and_no_control_characters(
    client: Client, given: str, kept: str
) -> None:
    answer = client.post(f"/uploads?filename={given}", HEADER + ANN).json()
    assert answer["filename"] == kept
