"""Refusals as data, errors without details, access, and what else is read."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import Lexer, Token

from domain.values import Role
from storage.process.decisions import Decision, ProcessRecords, Reason
from tests import http_requests as asking
from tests.interfaces.serving import (
    ASSISTANT,
    CREATE,
    LINE,
    Desk,
    opened_desk,
    utc_now,
)

START = """mutation($id: ID!) { startCampaign(id: $id) { __typename
  ... on Campaign { state progress { contacts pending } }
  ... on UserError { code message fields { path message } } } }"""
UPDATE = """mutation($id: ID!, $input: UpdateCampaignInput!) {
  updateCampaign(id: $id, input: $input) { __typename
    ... on Campaign { name cap budget }
    ... on UserError { code fields { path message } } } }"""
IMPORT = """mutation($id: String!) { importAssistant(providerAssistantId: $id) {
  __typename ... on Assistant { name config activeCampaigns }
  ... on UserError { code message } } }"""
SETTINGS = """mutation($input: SettingsInput!) { updateSettings(input: $input) {
  __typename ... on Settings { globalCap dailyBudget spendAlertThreshold }
  ... on UserError { code fields { path } } } }"""


# --- Refusals as data -------------------------------------------------------------


def test_an_unknown_campaign_is_not_found(office: Desk) -> None:
    for id_ in ("nonsense", str(uuid4())):
        told = office.told(START, id=id_)["startCampaign"]
        assert (told["__typename"], told["code"]) == ("UserError", "NOT_FOUND")


def test_a_wrong_input_is_named_as_the_contract_spells_it(office: Desk) -> None:
    asked = {
        "name": " ",
        "cap": 0,
        "uploadId": office.upload("name,business_name,phone\nAda,,+12025550101\n"),
        "assistantId": office.assistant(),
        "phoneNumberId": LINE,
    }
    told = office.told(CREATE, input=asked)["createCampaign"]
    assert told["code"] == "INVALID"
    assert {tuple(one["path"]) for one in told["fields"]} == {("name",), ("cap",)}


def test_settings_out_of_bounds_are_named_in_camel_case(office: Desk) -> None:
    told = office.told(SETTINGS, input={"globalCap": 0})["updateSettings"]
    assert told["fields"] == [{"path": ["globalCap"]}]


def test_a_paused_campaign_is_not_started(office: Desk) -> None:
    id_ = office.campaign()
    office.told(START, id=id_)
    office.told("mutation($id: ID!) { pauseCampaign(id: $id) { __typename } }", id=id_)
    assert office.told(START, id=id_)["startCampaign"]["code"] == "WRONG_STATE"


def test_an_assistant_unknown_to_the_provider_is_not_found(office: Desk) -> None:
    assert office.told(IMPORT, id="other")["importAssistant"]["code"] == "NOT_FOUND"


def test_an_unreachable_provider_is_reported_as_unavailable(desk: Desk) -> None:
    desk.provider.down = True
    told = desk.told(IMPORT, id=ASSISTANT)["importAssistant"]
    assert told["code"] == "PROVIDER_UNAVAILABLE"


def test_budget_null_removes_the_limit_and_omitting_it_changes_nothing(
    office: Desk,
) -> None:
    id_ = office.campaign(budget="12.50")
    told = office.told(UPDATE, id=id_, input={"cap": 3})["updateCampaign"]
    assert (told["cap"], told["budget"]) == (3, "12.50")
    told = office.told(UPDATE, id=id_, input={"budget": None})["updateCampaign"]
    assert (told["cap"], told["budget"]) == (3, None)


def test_settings_that_are_not_given_stay_unchanged(office: Desk) -> None:
    told = office.told(SETTINGS, input={"dailyBudget": "40", "globalCap": 20})
    assert told["updateSettings"]["dailyBudget"] == "40"
    told = office.told(SETTINGS, input={"globalCap": None})
    shown = {"globalCap": 20, "dailyBudget": "40", "spendAlertThreshold": "0.8"}
    assert told["updateSettings"] == {"__typename": "Settings", **shown}
    told = office.told(SETTINGS, input={"dailyBudget": None})
    assert told["updateSettings"]["dailyBudget"] is None


# --- Never an error after the commit ----------------------------------------------


def test_a_mutation_returns_its_result_while_no_projector_runs(desk: Desk) -> None:
    id_ = desk.campaign()
    desk.caught_up()
    desk.projector.stop()
    told = desk.told(START, id=id_)["startCampaign"]
    progress = {"contacts": 2, "pending": 2}
    queued = {"__typename": "Campaign", "state": "QUEUED", "progress": progress}
    assert told == queued
    desk.projector.start()


def test_the_counters_of_a_canceled_campaign_add_up_while_no_projector_runs(
    desk: Desk,
) -> None:
    query = """mutation($id: ID!) { cancelCampaign(id: $id) { ... on Campaign {
      state progress { contacts pending canceled } } } }"""
    id_ = desk.campaign()
    desk.caught_up()
    desk.projector.stop()
    told = desk.told(query, id=id_)["cancelCampaign"]
    progress = {"contacts": 2, "pending": 0, "canceled": 2}
    assert told == {"state": "CANCELED", "progress": progress}
    desk.projector.start()
    desk.caught_up()
    assert desk.told(query, id=id_)["cancelCampaign"] == told


def test_a_new_assistant_is_returned_while_no_projector_runs(desk: Desk) -> None:
    desk.projector.stop()
    told = desk.told(IMPORT, id=ASSISTANT)["importAssistant"]
    assert (told["name"], told["activeCampaigns"]) == ("Ann", 0)
    desk.projector.start()


# --- Errors without details --------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "BAD_REQUEST"),
        ("{ campaigns(first: 101) { totalCount } }", "BAD_REQUEST"),
        ("{ campaigns(first: 0) { totalCount } }", "BAD_REQUEST"),
        ('{ campaigns(after: "nonsense") { totalCount } }', "BAD_REQUEST"),
        ("{ campaigns", "BAD_REQUEST"),
        ("query($id: ID!) { campaign(id: $id) { id } }", "BAD_REQUEST"),
    ],
)
def test_a_malformed_request_is_a_bad_request(
    office: Desk, query: str, code: str
) -> None:
    assert office.ask(query).code == code


def test_an_unexpected_error_is_masked_and_logged_under_its_id(desk: Desk) -> None:
    with desk.pool.connection() as connection:
        connection.execute("drop table read.campaign_board cascade")
    answer = desk.ask("{ campaigns { totalCount } }")
    (error,) = answer.errors
    assert error["extensions"]["code"] == "INTERNAL"
    assert str(UUID(error["extensions"]["errorId"])) in error["message"]
    assert "campaign_board" not in str(error)


def test_an_error_during_authentication_is_masked_as_well(desk: Desk) -> None:
    desk.header()
    with desk.pool.connection() as connection:
        connection.execute("drop table api_token")
    answer = desk.ask("{ me { email } }")
    assert answer.code == "INTERNAL"
    assert "api_token" not in str(answer.errors)


# --- Who may what --------------------------------------------------------------------


def test_an_operation_without_a_token_is_refused(office: Desk) -> None:
    answer = office.ask("{ me { email } }", role=None)
    assert (answer.data, answer.code) == (None, "UNAUTHENTICATED")


UNREADABLE = ("{ campaigns", "{" * 50_000, "\x00", '{ a(x: "', "{ nothing }")


@pytest.mark.parametrize("authorization", [None, "Bearer alx_wrong", "Basic x"])
def test_an_anonymous_client_s_document_is_not_parsed(
    office: Desk, monkeypatch: pytest.MonkeyPatch, authorization: str | None
) -> None:
    parsed: list[str] = []
    tokenize = Lexer.advance

    def advance(lexer: Lexer) -> Token:
        parsed.append(lexer.source.body)
        return tokenize(lexer)

    monkeypatch.setattr(Lexer, "advance", advance)
    headers = {"Authorization": authorization} if authorization else {}
    for query in UNREADABLE:
        for name in (None, "Named", "no name"):
            body = {"query": query, "operationName": name}
            answer = asking.post(f"{office.url}/graphql", json=body, headers=headers)
            assert answer.status_code == 200
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert parsed == []
    assert office.ask("{ campaigns").code == "BAD_REQUEST"
    assert parsed


def test_introspection_is_refused(office: Desk) -> None:
    assert office.ask(SCHEMA, role=None).code == "UNAUTHENTICATED"
    assert office.ask(SCHEMA).code == "BAD_REQUEST"
    assert office.get("/graphql").status_code == 404


def test_introspection_is_allowed_to_members_in_development(database: str) -> None:
    with opened_desk(database, development=True) as desk:
        assert desk.told(SCHEMA)["__schema"]["queryType"]["name"] == "Query"
        assert desk.ask(SCHEMA, role=None).code == "UNAUTHENTICATED"
        headers = {"Accept": "text/html"}
        editor = asking.get(f"{desk.url}/graphql", headers=headers)
        assert editor.status_code == 200
        assert "content-security-policy" not in editor.headers


SCHEMA = "{ __schema { queryType { name } } }"


# --- What else is read --------------------------------------------------------------


def test_contacts_are_listed_in_the_order_of_the_file(office: Desk) -> None:
    query = """query($id: ID!, $statuses: [ContactStatus!]) { campaign(id: $id) {
      contacts(first: 1, statuses: $statuses) {
        nodes { name businessName phone variables status call { id } calls { id } }
        pageInfo { hasNextPage } totalCount } } }"""
    id_ = office.campaign()
    contacts = office.told(query, id=id_)["campaign"]["contacts"]
    (ada,) = contacts["nodes"]
    assert (ada["name"], ada["variables"]) == ("Ada", {"plan": "gold"})
    assert (ada["call"], ada["calls"], ada["status"]) == (None, [], "PENDING")
    assert (contacts["totalCount"], contacts["pageInfo"]["hasNextPage"]) == (2, True)
    ended: dict[str, Any] = office.told(query, id=id_, statuses=["ENDED"])
    assert ended["campaign"]["contacts"]["totalCount"] == 0


def test_the_scheduler_s_last_decision_is_shown(office: Desk) -> None:
    id_ = office.campaign()
    query = """query($id: ID!) { campaign(id: $id) { lastDecision {
      room placed reasons { code message contacts until } } } }"""
    assert office.told(query, id=id_) == {"campaign": {"lastDecision": None}}
    reason = Reason("CAP_FULL", "The cap is full.", 2)
    decision = Decision(UUID(id_), utc_now(), 0, 0, (reason,))
    ProcessRecords(office.pool).write_decisions([decision])
    shown = office.told(query, id=id_)["campaign"]["lastDecision"]
    assert (shown["room"], shown["placed"]) == (0, 0)
    (said,) = shown["reasons"]
    assert (said["code"], said["contacts"], said["until"]) == ("CAP_FULL", 2, None)


def test_an_upload_can_be_read_until_it_is_imported(office: Desk) -> None:
    query = """query($id: ID!) { upload(id: $id) { filename columns
      report { accepted skippedCount skipped { row reason } rejectsUrl } } }"""
    upload = office.upload("name,business_name,phone\nAda,,+12025550101\n,,1\n")
    shown = office.told(query, Role.OPERATOR, id=upload)["upload"]
    assert shown["columns"] == ["name", "business_name", "phone"]
    assert shown["report"]["skipped"] == [{"row": 3, "reason": "MISSING_NAME"}]
    assert shown["report"]["rejectsUrl"] == f"/uploads/{upload}/rejects.csv"
    asked = {
        "name": "Spring",
        "uploadId": upload,
        "assistantId": office.assistant(),
        "phoneNumberId": LINE,
    }
    office.told(CREATE, input=asked)
    assert office.told(query, id=upload) == {"upload": None}


def test_phone_numbers_show_their_live_calls(office: Desk) -> None:
    query = "{ phoneNumbers { id number activeCalls } }"
    line = {"id": LINE, "number": "+12025550100", "activeCalls": 0}
    assert office.told(query)["phoneNumbers"] == [line]
