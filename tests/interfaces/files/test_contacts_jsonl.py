"""All contacts of a campaign as JSON lines."""

import json
from datetime import datetime
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema

from application.contacts.erasure import ErasureService
from interfaces.graphql.schema import make_schema
from storage.vault.erasure import ErasureStore
from tests.interfaces.files.exporting import call_to, report, start
from tests.interfaces.serving import ApiClient

FILE = (
    'name,phone,plan\nAda,(212) 555-0101 x7,"two\nlines \\ \u0001"\nBob,+12025550102,\n'
)
CALL = """id campaignId contactId attempt status providerCallId queuedAt placedAt
    startedAt endedAt lastEventAt durationSeconds endedReason cost recordingUrl
    transcript outcome disposition structuredOutputs summary endedMessage ringSeconds
    permit { grantedAt places timeZones placeSource ruleBook rules words waivedBy
      lists { name asOf } attemptsBefore { hours attempts } }"""
CONTACTS = f"""query($id: ID!) {{ campaign(id: $id) {{ contacts(first: 9) {{ nodes {{
    id name businessName phone extension erasedAt variables status outcome disposition
    note calls {{ {CALL} }} }} }} }} }}"""
LEFT_OUT = {"call", "events", "waitingFor"}
"""The call is the last of the calls, events are in the audit, and waitingFor is about
the moment of the query."""


def objects(api: ApiClient, campaign_id: str) -> list[dict[str, Any]]:
    answer = api.get(f"/campaigns/{campaign_id}/contacts.jsonl")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in answer.text.splitlines()]


def in_one_form(value: Any) -> Any:
    """Return the value with its times in one form."""
    match value:
        case dict():
            return {key: in_one_form(item) for key, item in value.items()}
        case list():
            return [in_one_form(item) for item in value]
        case str() if len(value) > 18 and value[4] == "-" and value[10] == "T":
            return datetime.fromisoformat(value)
        case _:
            return value


@pytest.fixture
def called(api: ApiClient) -> str:
    """Call the first contact twice, the second time with a report."""
    id_ = api.campaign(FILE)
    start(api, id_)
    provider_call_id = call_to(api, id_, contact=0)
    report(
        api,
        provider_call_id,
        outputs={"score": -5, "why": "line\nbreak"},
        analysis={"summary": 'She said "yes".'},
    )
    return id_


def test_each_line_equals_what_graphql_returns(api: ApiClient, called: str) -> None:
    found = objects(api, called)
    nodes = api.execute(CONTACTS, id=called)["campaign"]["contacts"]["nodes"]
    assert len(nodes) == 2
    assert len(nodes[0]["calls"]) == 1
    for one, node in zip(found, nodes, strict=True):
        assert in_one_form({key: one[key] for key in node}) == in_one_form(node)
    ada, bob = found
    assert ada["calls"][0]["permit"]["words"]
    assert (ada["attempts"], bob["attempts"]) == (1, 0)
    assert (ada["places"], ada["timeZones"]) == (["US-NY"], ["America/New_York"])
    assert (bob["withheld"], bob["nextAttemptAt"]) == (None, None)


@pytest.mark.parametrize(("type_", "path"), [("Contact", ()), ("Call", ("calls", 0))])
def test_each_line_has_every_field_of_the_graphql_types(
    api: ApiClient, called: str, type_: str, path: tuple[Any, ...]
) -> None:
    found: Any = objects(api, called)[0]
    for step in path:
        found = found[step]
    described = build_schema(make_schema().as_str()).type_map[type_]
    assert isinstance(described, GraphQLObjectType)
    assert set(described.fields) - LEFT_OUT <= set(found)


def test_an_erased_contact_has_no_personal_data(api: ApiClient, called: str) -> None:
    store = ErasureStore(api.pool)
    ErasureService(api.app, api.context, store).erase("+12125550101", by="test")
    api.caught_up()
    ada = objects(api, called)[0]
    assert (ada["name"], ada["phone"], ada["extension"]) == ("", "", None)
    assert (ada["variables"], ada["places"]) == ({}, [])
    assert ada["erasedAt"] is not None
    (call,) = ada["calls"]
    personal = ("recordingUrl", "transcript", "structuredOutputs", "summary")
    assert [call[key] for key in personal] == [None] * 4


def test_an_unknown_campaign_is_not_found(api: ApiClient) -> None:
    answer = api.get("/campaigns/nonsense/contacts.jsonl")
    assert answer.status_code == 404


def test_members_only_may_read_contacts(api: ApiClient) -> None:
    answer = api.get("/campaigns/nonsense/contacts.jsonl", role=None)
    assert answer.status_code == 401
