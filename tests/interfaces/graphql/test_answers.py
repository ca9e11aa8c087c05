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
    ApiClient,
    serve_api,
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


def test_an_unknown_campaign_is_not_found(shared_api: ApiClient) -> None:
    for id_ in ("nonsense", str(uuid4())):
        answer = shared_api.execute(START, id=id_)["startCampaign"]
        assert (answer["__typename"], answer["code"]) == ("UserError", "NOT_FOUND")


def test_a_wrong_input_is_named_as_the_contract_spells_it(
    shared_api: ApiClient,
) -> None:
    asked = {
        "name": " ",
        "cap": 0,
        "uploadId": shared_api.upload("name,business_name,phone\nAda,,+12025550101\n"),
        "assistantId": shared_api.assistant(),
        "phoneNumberId": LINE,
    }
    answer = shared_api.execute(CREATE, input=asked)["createCampaign"]
    assert answer["code"] == "INVALID"
    assert {tuple(one["path"]) for one in answer["fields"]} == {("name",), ("cap",)}


def test_settings_out_of_bounds_are_named_in_camel_case(shared_api: ApiClient) -> None:
    answer = shared_api.execute(SETTINGS, input={"globalCap": 0})["updateSettings"]
    assert answer["fields"] == [{"path": ["globalCap"]}]


def test_a_paused_campaign_is_not_started(shared_api: ApiClient) -> None:
    id_ = shared_api.campaign()
    shared_api.execute(START, id=id_)
    shared_api.execute(
        "mutation($id: ID!) { pauseCampaign(id: $id) { __typename } }", id=id_
    )
    assert shared_api.execute(START, id=id_)["startCampaign"]["code"] == "WRONG_STATE"


def test_an_assistant_unknown_to_the_provider_is_not_found(
    shared_api: ApiClient,
) -> None:
    assert (
        shared_api.execute(IMPORT, id="other")["importAssistant"]["code"] == "NOT_FOUND"
    )


def test_an_unreachable_provider_is_reported_as_unavailable(api: ApiClient) -> None:
    api.provider.down = True
    answer = api.execute(IMPORT, id=ASSISTANT)["importAssistant"]
    assert answer["code"] == "PROVIDER_UNAVAILABLE"


def test_budget_null_removes_the_limit_and_omitting_it_changes_nothing(
    shared_api: ApiClient,
) -> None:
    id_ = shared_api.campaign(budget="12.50")
    answer = shared_api.execute(UPDATE, id=id_, input={"cap": 3})["updateCampaign"]
    assert (answer["cap"], answer["budget"]) == (3, "12.50")
    answer = shared_api.execute(UPDATE, id=id_, input={"budget": None})[
        "updateCampaign"
    ]
    assert (answer["cap"], answer["budget"]) == (3, None)


def test_settings_that_are_not_given_stay_unchanged(shared_api: ApiClient) -> None:
    answer = shared_api.execute(SETTINGS, input={"dailyBudget": "40", "globalCap": 20})
    assert answer["updateSettings"]["dailyBudget"] == "40"
    answer = shared_api.execute(SETTINGS, input={"globalCap": None})
    shown = {"globalCap": 20, "dailyBudget": "40", "spendAlertThreshold": "0.8"}
    assert answer["updateSettings"] == {"__typename": "Settings", **shown}
    answer = shared_api.execute(SETTINGS, input={"dailyBudget": None})
    assert answer["updateSettings"]["dailyBudget"] is None


# --- Never an error after the commit ----------------------------------------------


def test_a_mutation_returns_its_result_while_no_projector_runs(api: ApiClient) -> None:
    id_ = api.campaign()
    api.caught_up()
    api.projector.stop()
    answer = api.execute(START, id=id_)["startCampaign"]
    progress = {"contacts": 2, "pending": 2}
    queued = {"__typename": "Campaign", "state": "QUEUED", "progress": progress}
    assert answer == queued
    api.projector.start()


def test_the_counters_of_a_canceled_campaign_add_up_while_no_projector_runs(
    api: ApiClient,
) -> None:
    query = """mutation($id: ID!) { cancelCampaign(id: $id) { ... on Campaign {
      state progress { contacts pending canceled } } } }"""
    id_ = api.campaign()
    api.caught_up()
    api.projector.stop()
    answer = api.execute(query, id=id_)["cancelCampaign"]
    progress = {"contacts": 2, "pending": 0, "canceled": 2}
    assert answer == {"state": "CANCELED", "progress": progress}
    api.projector.start()
    api.caught_up()
    assert api.execute(query, id=id_)["cancelCampaign"] == answer


def test_a_new_assistant_is_returned_while_no_projector_runs(api: ApiClient) -> None:
    api.projector.stop()
    answer = api.execute(IMPORT, id=ASSISTANT)["importAssistant"]
    assert (answer["name"], answer["activeCampaigns"]) == ("Ann", 0)
    api.projector.start()


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
    shared_api: ApiClient, query: str, code: str
) -> None:
    assert shared_api.ask(query).code == code


def test_an_unexpected_error_is_masked_and_logged_under_its_id(api: ApiClient) -> None:
    with api.pool.connection() as connection:
        connection.execute("drop table read.campaign_board cascade")
    answer = api.ask("{ campaigns { totalCount } }")
    (error,) = answer.errors
    assert error["extensions"]["code"] == "INTERNAL"
    assert str(UUID(error["extensions"]["errorId"])) in error["message"]
    assert "campaign_board" not in str(error)


def test_an_error_during_authentication_is_masked_as_well(api: ApiClient) -> None:
    api.header()
    with api.pool.connection() as connection:
        connection.execute("drop table api_token")
    answer = api.ask("{ me { email } }")
    assert answer.code == "INTERNAL"
    assert "api_token" not in str(answer.errors)


# --- Who may what --------------------------------------------------------------------


def test_an_operation_without_a_token_is_refused(shared_api: ApiClient) -> None:
    answer = shared_api.ask("{ me { email } }", role=None)
    assert (answer.data, answer.code) == (None, "UNAUTHENTICATED")


UNREADABLE = ("{ campaigns", "{" * 50_000, "\x00", '{ a(x: "', "{ nothing }")


@pytest.mark.parametrize("authorization", [None, "Bearer alx_wrong", "Basic x"])
def test_an_anonymous_client_s_document_is_not_parsed(
    shared_api: ApiClient, monkeypatch: pytest.MonkeyPatch, authorization: str | None
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
            answer = asking.post(
                f"{shared_api.url}/graphql", json=body, headers=headers
            )
            assert answer.status_code == 200
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert parsed == []
    assert shared_api.ask("{ campaigns").code == "BAD_REQUEST"
    assert parsed


def test_introspection_is_refused(shared_api: ApiClient) -> None:
    assert shared_api.ask(SCHEMA, role=None).code == "UNAUTHENTICATED"
    assert shared_api.ask(SCHEMA).code == "BAD_REQUEST"
    assert shared_api.get("/graphql").status_code == 404


def test_introspection_is_allowed_to_members_in_development(database: str) -> None:
    with serve_api(database, development=True) as api:
        assert api.execute(SCHEMA)["__schema"]["queryType"]["name"] == "Query"
        assert api.ask(SCHEMA, role=None).code == "UNAUTHENTICATED"
        headers = {"Accept": "text/html"}
        editor = asking.get(f"{api.url}/graphql", headers=headers)
        assert editor.status_code == 200
        assert "content-security-policy" not in editor.headers


SCHEMA = "{ __schema { queryType { name } } }"


# --- What else is read --------------------------------------------------------------


def test_contacts_are_listed_in_the_order_of_the_file(shared_api: ApiClient) -> None:
    query = """query($id: ID!, $statuses: [ContactStatus!]) { campaign(id: $id) {
      contacts(first: 1, statuses: $statuses) {
        nodes { name businessName phone variables status call { id } calls { id } }
        pageInfo { hasNextPage } totalCount } } }"""
    id_ = shared_api.campaign()
    contacts = shared_api.execute(query, id=id_)["campaign"]["contacts"]
    (ada,) = contacts["nodes"]
    assert (ada["name"], ada["variables"]) == ("Ada", {"plan": "gold"})
    assert (ada["call"], ada["calls"], ada["status"]) == (None, [], "PENDING")
    assert (contacts["totalCount"], contacts["pageInfo"]["hasNextPage"]) == (2, True)
    ended: dict[str, Any] = shared_api.execute(query, id=id_, statuses=["ENDED"])
    assert ended["campaign"]["contacts"]["totalCount"] == 0


def test_the_scheduler_s_last_decision_is_shown(shared_api: ApiClient) -> None:
    id_ = shared_api.campaign()
    query = """query($id: ID!) { campaign(id: $id) { lastDecision {
      room placed reasons { code message contacts until } } } }"""
    assert shared_api.execute(query, id=id_) == {"campaign": {"lastDecision": None}}
    reason = Reason("CAP_FULL", "The cap is full.", 2)
    decision = Decision(UUID(id_), utc_now(), 0, 0, (reason,))
    ProcessRecords(shared_api.pool).write_decisions([decision])
    shown = shared_api.execute(query, id=id_)["campaign"]["lastDecision"]
    assert (shown["room"], shown["placed"]) == (0, 0)
    (shown_reason,) = shown["reasons"]
    assert (shown_reason["code"], shown_reason["contacts"], shown_reason["until"]) == (
        "CAP_FULL",
        2,
        None,
    )


def test_an_upload_can_be_read_until_it_is_imported(shared_api: ApiClient) -> None:
    query = """query($id: ID!) { upload(id: $id) { filename columns
      report { accepted skippedCount skipped { row reason } rejectsUrl } } }"""
    upload = shared_api.upload("name,business_name,phone\nAda,,+12025550101\n,,1\n")
    shown = shared_api.execute(query, Role.OPERATOR, id=upload)["upload"]
    assert shown["columns"] == ["name", "business_name", "phone"]
    assert shown["report"]["skipped"] == [{"row": 3, "reason": "MISSING_NAME"}]
    assert shown["report"]["rejectsUrl"] == f"/uploads/{upload}/rejects.csv"
    asked = {
        "name": "Spring",
        "uploadId": upload,
        "assistantId": shared_api.assistant(),
        "phoneNumberId": LINE,
    }
    shared_api.execute(CREATE, input=asked)
    assert shared_api.execute(query, id=upload) == {"upload": None}


def test_phone_numbers_show_their_live_calls(shared_api: ApiClient) -> None:
    query = "{ phoneNumbers { id number activeCalls } }"
    line = {"id": LINE, "number": "+12025550100", "activeCalls": 0}
    assert shared_api.execute(query)["phoneNumbers"] == [line]
