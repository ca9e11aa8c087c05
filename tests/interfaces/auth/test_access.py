"""API tokens: how long they authenticate whom."""

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.values import Role
from interfaces.auth.viewer import (
    COOKIE,
    Authenticator,
    Credentials,
    Viewer,
    bearer_token,
)
from storage.access.api_tokens import is_token, make_token
from tests.interfaces.serving import ApiClient, utc_now


def authenticator(api: ApiClient) -> Authenticator:
    return Authenticator(
        tokens=api.token_store,
        sessions=api.sessions,
        member=api.members.member,
        now=utc_now,
    )


def by_token(token: str) -> Credentials:
    return Credentials(f"Bearer {token}")


def test_a_token_has_a_form_that_shows_typing_errors() -> None:
    token = make_token(bytes(32))
    assert token.startswith("alx_")
    assert is_token(token)
    assert not is_token(token.replace("A", "B", 1))
    assert not is_token(token[:-1])


def test_a_token_cannot_be_made_from_fewer_than_32_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        make_token(b"short")


def test_the_bearer_scheme_is_case_insensitive() -> None:
    assert bearer_token("bEARER  alx_1 ") == "alx_1"
    assert bearer_token("Basic alx_1") is None
    assert bearer_token(None) is None


def test_a_token_authenticates_its_member_with_the_present_role(
    shared_api: ApiClient,
) -> None:
    access, given = authenticator(shared_api), by_token(shared_api.token(Role.OPERATOR))
    email = "operator@example.com"
    assert access.viewer(given) == Viewer(email, Role.OPERATOR)
    shared_api.members.add(email, Role.AUDITOR, by="test")
    assert access.viewer(given) == Viewer(email, Role.AUDITOR)


def test_a_removed_member_loses_access_at_once(shared_api: ApiClient) -> None:
    access, token = authenticator(shared_api), shared_api.token(Role.OPERATOR)
    shared_api.members.remove("operator@example.com", by="test")
    assert access.viewer(by_token(token)) is None


def test_a_member_added_again_cannot_use_old_tokens(shared_api: ApiClient) -> None:
    access, email = authenticator(shared_api), "operator@example.com"
    token = shared_api.token(Role.OPERATOR)
    session = shared_api.session(Role.OPERATOR)
    shared_api.members.remove(email, by="test")
    shared_api.members.add(email, Role.OPERATOR, by="test")
    assert access.viewer(by_token(token)) is None
    assert access.viewer(Credentials(cookies={COOKIE: session})) is None
    assert access.viewer(by_token(shared_api.token(Role.OPERATOR))) is not None


def test_a_token_ends_when_it_expires(shared_api: ApiClient) -> None:
    store, token = (
        shared_api.token_store,
        shared_api.token(expires_at=utc_now() + timedelta(1)),
    )
    assert store.authenticate(token, utc_now()) == "admin@example.com"
    assert store.authenticate(token, utc_now() + timedelta(2)) is None


def test_a_revoked_token_is_refused(api: ApiClient) -> None:
    store, token = api.token_store, api.token()
    (known,) = store.list()
    assert store.revoke(known.id, utc_now())
    assert store.authenticate(token, utc_now()) is None
    assert not store.revoke(uuid4(), utc_now())


def test_only_the_hash_of_a_token_is_stored(api: ApiClient) -> None:
    token = api.token()
    with api.pool.connection() as connection:
        rows = connection.execute("select * from api_token").fetchall()
    assert token not in repr(rows)
    assert token[4:47] not in repr(rows)


def test_the_last_use_of_a_token_is_stored_once_a_minute(api: ApiClient) -> None:
    store, token, at = api.token_store, api.token(), utc_now()
    seen = []
    for later in (0, 30, 90):
        store.authenticate(token, at + timedelta(seconds=later))
        seen.append(store.list()[0].last_used_at)
    assert seen == [at, at, at + timedelta(seconds=90)]


def test_an_unknown_well_formed_token_is_refused(shared_api: ApiClient) -> None:
    token = make_token(secrets.token_bytes(32))
    assert authenticator(shared_api).viewer(by_token(token)) is None
