"""The file of the rows that an upload skipped."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.interfaces.files.uploading import ANN, HEADER, NOW, Client, Clock, error_of


def rejects_of(client: Client, content: str) -> tuple[httpx2.Response, list[Any]]:
    url = client.post("/uploads", content).json()["report"]["rejectsUrl"]
    response = client.get(url)
    return response, list(csv.reader(io.StringIO(response.text, newline="")))


def test_rejects_are_the_rows_as_they_were_with_their_reason(client: Client) -> None:
    content = f'{HEADER}{ANN} Bob ,"A,\n""B""",12,é\nCy\n'
    response, rows = rejects_of(client, content)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["content-disposition"]
    (head, bob, cy) = rows
    assert head == [
        "row",
        "reason",
        "message",
        "name",
        "business_name",
        "phone",
        "plan",
    ]
    assert bob[:2] == ["3", "INVALID_PHONE"]
    assert bob[3:] == [" Bob ", 'A,\n"B"', "12", "é"]
    assert (cy[:2], cy[3:]) == (["4", "MISSING_PHONE"], ["Cy", "", "", ""])


def test_rejects_run_no_formula_and_keep_phone_numbers(client: Client) -> None:
    header = "name,business_name,phone,=a,b,c,d,e\n"
    row = '=1+1,@x,4155552671,-2,+14155552671,+1+1,"\tx",+123\n'
    content = f"{header}Ann,,4155552671,,,,,\n{row}"
    _, rows = rejects_of(client, content)
    assert rows[0][6] == "'=a"
    assert rows[1][3:] == [
        "'=1+1",
        "'@x",
        "4155552671",
        "'-2",
        "+14155552671",
        "'+1+1",
        "'\tx",
        "'+123",
    ]


def test_rejects_of_many_rows_come_in_order_and_whole(client: Client) -> None:
    _, rows = rejects_of(client, HEADER + "Bob,,12,\n" * 12_000)
    assert [int(row[0]) for row in rows[1:]] == [*range(2, 12_002)]


@pytest.mark.parametrize("upload_id", [str(UUID(int=1)), "x", "1%00"])
def test_the_rejects_of_an_unknown_upload_are_not_found(
    client: Client, upload_id: str
) -> None:
    response = client.get(f"/uploads/{upload_id}/rejects.csv")
    assert (response.status_code, error_of(response)) == (404, "NOT_FOUND")


def test_rejects_go_with_their_upload(client: Client, clock: Clock) -> None:
    report = client.post("/uploads", f"{HEADER}Bob,,12,\n").json()["report"]
    clock.time = NOW + timedelta(days=1)
    assert client.get(report["rejectsUrl"]).status_code == 404
