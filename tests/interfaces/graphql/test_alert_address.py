"""The address that alerts are posted to is shown to admins only."""

import json

import pytest

from domain.values import Role
from tests.interfaces.serving import ApiClient

ADDRESS = "https://hooks.example.com/services/T0/B0/secret-part"
SET = """mutation($x: String) { updateSettings(input: {alertWebhookUrl: $x}) {
  ... on Settings { alertWebhookUrl } ... on UserError { message } } }"""
READ = "{ settings { globalCap alertWebhookUrl } }"
EVENTS = 'events(filter: {types: ["settings.created", "settings.changed"]})'
LISTED = f"{{ {EVENTS} {{ nodes {{ payload }} edges {{ node {{ payload }} }} }} }}"
FEED = """subscription { eventAppended(after: 0, filter: {types: ["settings.changed"]})
  { type payload } }"""


@pytest.fixture
def api_with_address(shared_api: ApiClient) -> ApiClient:
    """A api whose alert address is set."""
    answer = shared_api.execute(SET, x=ADDRESS)
    assert answer == {"updateSettings": {"alertWebhookUrl": ADDRESS}}
    shared_api.caught_up()
    return shared_api


@pytest.mark.parametrize(
    ("role", "shown"),
    [(Role.ADMIN, ADDRESS), (Role.OPERATOR, None), (Role.AUDITOR, None)],
)
def test_settings_show_the_alert_address_to_admins_only(
    api_with_address: ApiClient, role: Role, shown: str | None
) -> None:
    settings = api_with_address.execute(READ, role)["settings"]
    assert settings["alertWebhookUrl"] == shown
    assert settings["globalCap"]


@pytest.mark.parametrize(("role", "shown"), [(Role.ADMIN, True), (Role.AUDITOR, False)])
def test_the_event_list_shows_the_alert_address_to_admins_only(
    api_with_address: ApiClient, role: Role, *, shown: bool
) -> None:
    answer = api_with_address.execute(LISTED, role)
    assert (ADDRESS in json.dumps(answer)) is shown
    values = [node["payload"]["values"] for node in answer["events"]["nodes"]]
    hidden = ADDRESS if shown else "visible to admins only"
    assert values[-1]["alert_webhook_url"] == hidden
    assert values[-1]["global_cap"] == 10


@pytest.mark.parametrize(("role", "shown"), [(Role.ADMIN, True), (Role.AUDITOR, False)])
def test_the_event_feed_shows_the_alert_address_to_admins_only(
    api_with_address: ApiClient, role: Role, *, shown: bool
) -> None:
    with api_with_address.socket(api_with_address.token(role)) as socket:
        socket.acknowledged().subscribe(FEED)
        event = socket.next()["eventAppended"]
    assert event["type"] == "settings.changed"
    assert (ADDRESS in json.dumps(event)) is shown


def test_auditors_see_that_no_alert_address_was_set(shared_api: ApiClient) -> None:
    shared_api.execute(SET, x=ADDRESS)
    shared_api.execute(SET, x=None)
    shared_api.caught_up()
    answer = shared_api.execute(LISTED, Role.AUDITOR)
    last = answer["events"]["nodes"][-1]["payload"]["values"]
    assert last["alert_webhook_url"] is None


def test_an_event_that_was_tampered_with_does_not_show_the_alert_address(
    api_with_address: ApiClient,
) -> None:
    with api_with_address.pool.connection() as connection:
        connection.execute(
            "update autolynx_events set state = state || 'x'::bytea"
            " where topic = 'settings.changed'"
        )
    assert ADDRESS in json.dumps(api_with_address.execute(LISTED, Role.ADMIN))
    assert ADDRESS not in json.dumps(api_with_address.execute(LISTED, Role.AUDITOR))
