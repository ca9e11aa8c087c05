"""Open sockets close when their member's access changes, whichever API serves them."""

from collections.abc import Iterator

import pytest

from domain.values import Role
from interfaces.graphql.router import NO_ACCESS, OTHER_ACCESS
from tests.fakes import FakeProvider
from tests.interfaces.serving import ApiClient, configured, running_api, serve_api

NEVER = 3_600.0
"""Seconds between rechecks: only a notification can close a socket in time."""


@pytest.fixture(params=["the same API process", "another API process"])
def api(request: pytest.FixtureRequest, database: str) -> Iterator[ApiClient]:
    """A api whose sockets are served by the API that the parameter names."""
    with serve_api(database, recheck_seconds=NEVER) as api:
        if request.param == "the same API process":
            yield api
            return
        configuration = configured(database)
        with running_api(configuration, FakeProvider(), NEVER) as other:
            api.url = other
            yield api


def test_revoking_a_token_closes_its_sockets_and_no_others(api: ApiClient) -> None:
    kept, revoked = api.token(Role.AUDITOR), api.token(Role.AUDITOR)
    newest = max(api.token_store.list(), key=lambda token: token.created_at)
    with api.socket(revoked) as closed, api.socket(kept) as open_:
        closed.acknowledged()
        open_.acknowledged()
        assert api.token_store.revoke(newest.id, newest.created_at)
        assert closed.closing_code() == NO_ACCESS
        open_.subscribe("{ me { role } }")
        assert open_.next()["me"]["role"] == "AUDITOR"


def test_removing_a_member_closes_the_members_sockets(api: ApiClient) -> None:
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged()
        api.members.remove("Auditor@example.com", by="test")
        assert socket.closing_code() == NO_ACCESS


def test_changing_a_role_closes_the_members_sockets(api: ApiClient) -> None:
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged()
        api.members.change_role("auditor@example.com", Role.OPERATOR, by="test")
        assert socket.closing_code() == OTHER_ACCESS


def test_adding_a_member_again_with_another_role_closes_the_members_sockets(
    api: ApiClient,
) -> None:
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged()
        api.members.add("auditor@example.com", Role.OPERATOR, by="test")
        assert socket.closing_code() == OTHER_ACCESS
