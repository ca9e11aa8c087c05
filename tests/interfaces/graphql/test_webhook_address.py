"""The URL of an endpoint may contain a secret: only admins see it in the history."""

import json

import pytest

from domain.values import Role
from tests.interfaces.serving import ApiClient

URL = "https://hooks.example.com/secret-part"
ADD = """mutation($url: String!) { addWebhookEndpoint(url: $url) {
  ... on NewWebhookEndpoint { secret endpoint { id } } } }"""
UPDATE = """mutation($id: ID!, $url: String!) {
  updateWebhookEndpoint(id: $id, url: $url) { ... on WebhookEndpoint { url } } }"""
LISTED = """query($id: ID!) { events(filter: {aggregateId: $id}) {
  nodes { payload } } }"""


@pytest.mark.parametrize(("role", "shown"), [(Role.ADMIN, True), (Role.AUDITOR, False)])
def test_the_event_list_shows_the_url_to_admins_only_and_the_secret_to_nobody(
    shared_api: ApiClient, role: Role, *, shown: bool
) -> None:
    added = shared_api.execute(ADD, url=URL)["addWebhookEndpoint"]
    shared_api.execute(UPDATE, id=added["endpoint"]["id"], url=f"{URL}/2")
    shared_api.caught_up()
    listed = shared_api.execute(LISTED, role, id=added["endpoint"]["id"])
    assert len(listed["events"]["nodes"]) == 2
    assert ("secret-part" in json.dumps(listed)) is shown
    assert added["secret"] not in json.dumps(listed)
