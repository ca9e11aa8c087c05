"""What was understood of an upload, and what an assistant would say to a row of it."""

from typing import Any
from uuid import uuid4

import pytest

from domain.values import Role
from tests.interfaces.serving import ApiClient

CSV = (
    "First Name,Last Name,Handy,plan\nBo,,12,x\nAda,Lee,202-555-0101,gold\n"
    "Cy,Ray,202-555-0102,\n"
)
UPLOAD = """query($id: ID!) { upload(id: $id) {
    mapping { column role } region countries { country contacts } warnings
    kinds { kind contacts } sheet sheets
    sample { row name businessName phone places timeZones variables } } }"""
PREVIEW = """query($upload: ID!, $assistant: ID!, $row: Int) {
  callPreview(uploadId: $upload, assistantId: $assistant, row: $row) {
    row firstMessage systemPrompt variables unfilled unused lacking
    missing { variable rows firstRows message } } }"""
CREATE = """mutation($config: JSON!) {
  createAssistant(input: {name: "Ann", config: $config}) {
    ... on Assistant { id variables } } }"""
CONFIG = {
    "firstMessage": "Hi {{name}}, still on {{plan}}?",
    "model": {"messages": [{"role": "system", "content": "Of {{company}}."}]},
}


def preview(shared_api: ApiClient, upload: str, row: int | None = None) -> Any:
    made = shared_api.execute(CREATE, config=CONFIG)["createAssistant"]
    assert made["variables"] == ["name", "plan", "company"]
    given = {"upload": upload, "assistant": made["id"], "row": row}
    return shared_api.execute(PREVIEW, Role.OPERATOR, **given)["callPreview"]


def test_an_upload_shows_how_it_was_understood(shared_api: ApiClient) -> None:
    found = shared_api.execute(UPLOAD, Role.OPERATOR, id=shared_api.upload(CSV))[
        "upload"
    ]
    assert [(use["column"], use["role"]) for use in found["mapping"]] == [
        ("First Name", "FIRST_NAME"),
        ("Last Name", "LAST_NAME"),
        ("Handy", "PHONE"),
        ("plan", "VARIABLE"),
    ]
    assert (found["region"], found["warnings"]) == ("US", [])
    assert found["countries"] == [{"country": "US", "contacts": 2}]
    assert found["kinds"] == [{"kind": "FIXED_LINE_OR_MOBILE", "contacts": 2}]
    assert (found["sheet"], found["sheets"]) == (None, [])
    assert found["sample"][0] == {
        "row": 3,
        "name": "Ada Lee",
        "businessName": "",
        "phone": "+12025550101",
        "places": ["US-DC"],
        "timeZones": ["America/New_York"],
        "variables": {"First Name": "Ada", "Last Name": "Lee", "plan": "gold"},
    }


def test_a_preview_has_the_variables_of_the_first_accepted_row(
    shared_api: ApiClient,
) -> None:
    shown = preview(shared_api, shared_api.upload(CSV))
    assert shown["row"] == 3
    assert shown["firstMessage"] == "Hi Ada Lee, still on gold?"
    assert shown["systemPrompt"] == "Of {{company}}."
    assert shown["variables"]["plan"] == "gold"
    assert shown["unfilled"] == ["company"]
    assert shown["unused"] == ["First Name", "Last Name"]
    assert shown["lacking"] == ["company"]


def test_a_preview_counts_the_rows_without_a_value(shared_api: ApiClient) -> None:
    message = (
        "1 row has no value for plan, which the assistant uses in its first message:"
        " row 4."
    )
    assert preview(shared_api, shared_api.upload(CSV))["missing"] == [
        {"variable": "plan", "rows": 1, "firstRows": [4], "message": message}
    ]


def test_a_preview_has_the_business_name_of_the_row(shared_api: ApiClient) -> None:
    upload = shared_api.upload("name,company,phone\nAda,Acme,202-555-0101\n")
    config = {"firstMessage": "Is this {{name}} of {{business_name}}?"}
    made = shared_api.execute(CREATE, config=config)["createAssistant"]
    given = {"upload": upload, "assistant": made["id"]}
    shown = shared_api.execute(PREVIEW, Role.OPERATOR, **given)["callPreview"]
    assert shown["firstMessage"] == "Is this Ada of Acme?"
    assert (shown["unfilled"], shown["lacking"]) == ([], [])


def test_a_preview_is_of_the_row_that_is_asked_for(shared_api: ApiClient) -> None:
    shown = preview(shared_api, shared_api.upload(CSV), row=4)
    assert (shown["row"], shown["variables"]["name"]) == (4, "Cy Ray")
    assert shown["unfilled"] == ["plan", "company"]


@pytest.mark.parametrize(("row", "words"), [(2, "accepted row 2"), (99, "row 99")])
def test_a_preview_of_a_row_that_was_not_accepted_is_refused(
    shared_api: ApiClient, row: int, words: str
) -> None:
    given = {
        "upload": shared_api.upload(CSV),
        "assistant": shared_api.assistant(),
        "row": row,
    }
    answer = shared_api.ask(PREVIEW, Role.OPERATOR, **given)
    assert answer.code == "BAD_REQUEST"
    assert words in str(answer)


@pytest.mark.parametrize("unknown", ["upload", "assistant"])
def test_a_preview_of_something_unknown_is_refused(
    shared_api: ApiClient, unknown: str
) -> None:
    given = {"upload": shared_api.upload(CSV), "assistant": shared_api.assistant()}
    given[unknown] = str(uuid4())
    assert shared_api.ask(PREVIEW, Role.OPERATOR, **given).code == "BAD_REQUEST"
