"""A member's input is accepted or refused; it never stops the system for others.

The read tables hold no NUL and no endless number: an event that has one would stop the
projector for good.
"""

from typing import Any

import pytest

from tests import http_requests as asking
from tests.interfaces.serving import LINE, PEOPLE, ApiClient

NUL, HUGE, TINY = "a\0b", "1e999999", "1e-999999"

COMMAND = "mutation(%s) { %s { __typename ... on UserError { code } } }"
CHANGE = COMMAND % (
    "$id: ID!, $x: UpdateCampaignInput!",
    "updateCampaign(id: $id, input: $x)",
)
SET = COMMAND % ("$x: SettingsInput!", "updateSettings(input: $x)")
ADD = COMMAND % ("$x: String!", "addMember(email: $x, role: OPERATOR)")
CREATE = COMMAND % ("$x: CreateCampaignInput!", "createCampaign(input: $x)")
ENTER = COMMAND % ("$x: CreateAssistantInput!", "createAssistant(input: $x)")
IMPORT = COMMAND % (
    "$x: String",
    'importAssistant(providerAssistantId: "vapi-assistant", name: $x)',
)


def refused(api: ApiClient, command: str, x: Any, **more: Any) -> None:
    (data,) = api.execute(command, x=x, **more).values()
    assert data == {"__typename": "UserError", "code": "INVALID"}, x


@pytest.mark.parametrize(
    ("command", "x"),
    [
        (CHANGE, {"name": NUL}),
        (CHANGE, {"name": "x" * 201}),
        (CHANGE, {"budget": HUGE}),
        (CHANGE, {"budget": TINY}),
        (SET, {"dailyBudget": HUGE}),
        (SET, {"spendAlertThreshold": TINY}),
        (SET, {"alertWebhookUrl": f"https://x.example/{NUL}"}),
        (SET, {"retentionDays": 2_147_483_647}),
        (SET, {"defaultRegion": "ZZ"}),
        (ADD, f"{NUL}@example.com"),
        (ADD, "x" * 100_000),
        (ENTER, {"name": NUL, "config": {}}),
        (ENTER, {"name": "Ann", "config": {"deep": [NUL]}}),
        (IMPORT, NUL),
    ],
)
def test_values_that_the_read_tables_cannot_store_are_refused(
    shared_api: ApiClient, command: str, x: Any
) -> None:
    more = {"id": shared_api.campaign()} if command == CHANGE else {}
    refused(shared_api, command, x, **more)
    shared_api.caught_up()


def test_no_campaign_is_created_from_such_values(shared_api: ApiClient) -> None:
    made = {
        "name": "Spring",
        "assistantId": shared_api.assistant(),
        "phoneNumberId": LINE,
    }
    for wrong in ({"name": NUL}, {"phoneNumberId": NUL}, {"budget": HUGE}):
        x = {**made, "uploadId": shared_api.upload(PEOPLE), **wrong}
        refused(shared_api, CREATE, x)
    shared_api.caught_up()


@pytest.mark.parametrize(
    "query",
    [
        "query($x: String) { campaigns(search: $x) { totalCount } }",
        "query($x: String) { campaigns(after: $x) { totalCount } }",
        "query($x: String) { events(filter: {actor: $x}) { nodes { position } } }",
        "query($x: String!) { events(filter: {types: [$x]}) { nodes { position } } }",
        "query($x: String) { events(after: $x) { nodes { position } } }",
        "query($x: ID!) { campaign(id: $x) { id } }",
        "query($x: ID!) { upload(id: $x) { id } }",
        "query($x: ID!) { contact(id: $x) { id } }",
        "query($x: ID!) { events(filter: {campaignId: $x}) { nodes { position } } }",
    ],
)
def test_a_query_with_nul_is_answered_without_an_internal_error(
    shared_api: ApiClient, query: str
) -> None:
    answer = shared_api.ask(query, x=NUL)
    assert answer.code in {None, "BAD_REQUEST"}


def test_a_lone_surrogate_is_refused(shared_api: ApiClient) -> None:
    answer = asking.post(
        f"{shared_api.url}/graphql",
        content=b'{"query": "{ me { email } }", "variables": {"x": "\\ud800"}}',
        headers={**shared_api.header(), "Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
