"""Sign-in links and API tokens: events, owners, and crashes between both stores."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from application.members.access import AccessService
from domain.errors import Invalid, NotFound
from domain.member import Member
from domain.values import Role, member_id_of
from tests.wiring import BY, Clock, Services

ADA, BO = "ada@example.com", "bo@example.com"


@pytest.fixture
def access(services: Services) -> AccessService:
    for email in (ADA, BO):
        services.members.add(email, Role.OPERATOR, by=BY)
    return services.access


def facts(services: Services, email: str) -> Sequence[object]:
    """Return the member's events after the first one."""
    stored = services.app.recorder.select_events(member_id_of(email))
    return [services.app.mapper.to_domain_event(one) for one in stored][1:]


def test_a_created_link_works_once_and_the_log_names_its_creator(
    services: Services, access: AccessService
) -> None:
    link = access.create_link(ADA, by=BO)
    [fact] = facts(services, ADA)
    assert isinstance(fact, Member.SignInLinkCreated)
    assert (fact.actor, fact.expires_at) == (BO, link.expires_at)
    links, now = services.sign_in_links, services.now()
    assert links.use(link.secret, link.expires_at + timedelta(seconds=1)) is None
    assert links.use(link.secret, now) == ADA
    assert links.use(link.secret, now) is None


def test_the_log_holds_neither_the_secret_of_a_link_nor_of_a_token(
    services: Services, access: AccessService
) -> None:
    secrets = [
        access.create_link(ADA, by=BO).secret,
        access.create_token(ADA, days=3, by=ADA).secret,
    ]
    states = [
        bytes(one.state)
        for one in services.app.recorder.select_events(member_id_of(ADA))
    ]
    assert not any(secret.encode() in state for secret in secrets for state in states)


def test_a_token_lasts_as_many_days_as_asked_or_a_year(
    services: Services, access: AccessService
) -> None:
    for days, lasts in ((3, 3), (None, 365)):
        created = access.create_token(ADA, days=days, by=ADA)
        assert created.token.expires_at == services.now() + timedelta(days=lasts)
        tokens = services.tokens
        assert tokens.authenticate(created.secret, services.now()) == ADA
        after = services.now() + timedelta(days=lasts)
        assert tokens.authenticate(created.secret, after) is None


@pytest.mark.parametrize("days", [0, -1, 3651, 2**31 - 1])
def test_a_number_of_days_out_of_bounds_is_refused(
    services: Services, access: AccessService, days: int
) -> None:
    with pytest.raises(Invalid, match="1 to 3650 days"):
        access.create_token(ADA, days=days, by=ADA)
    assert access.tokens() == []
    assert facts(services, ADA) == []


def test_nobody_gets_access_without_being_a_member(
    services: Services, access: AccessService
) -> None:
    services.members.remove(BO, by=BY)
    for email in ("nobody@example.com", BO):
        with pytest.raises(NotFound):
            access.create_link(email, by=ADA)
        with pytest.raises(NotFound):
            access.create_token(email, days=1, by=ADA)
    assert access.tokens() == []


def test_members_see_and_revoke_their_own_tokens_only(
    services: Services, access: AccessService
) -> None:
    hers = access.create_token(ADA, days=1, by=ADA).token
    assert isinstance(services.now, Clock)
    services.now.pass_(seconds=1)
    his = access.create_token(BO, days=1, by=BO).token
    assert access.tokens(ADA) == [hers]
    assert access.tokens() == [hers, his]
    with pytest.raises(NotFound):
        access.revoke_token(his.id, by=ADA, owner=ADA)
    assert access.tokens(BO) == [his]


def test_a_token_is_revoked_once_and_the_log_names_the_member_who_did_it(
    services: Services, access: AccessService
) -> None:
    created = access.create_token(ADA, days=1, by=ADA)
    for _ in range(2):
        access.revoke_token(created.token.id, by=BO)
    tokens = services.tokens
    assert tokens.authenticate(created.secret, services.now()) is None
    assert access.tokens() == []
    made, revoked = facts(services, ADA)
    assert isinstance(made, Member.TokenCreated)
    assert isinstance(revoked, Member.TokenRevoked)
    assert made.token_id == revoked.token_id == created.token.id
    assert revoked.actor == BO


def test_a_crash_after_the_event_leaves_no_token_that_the_log_does_not_name(
    services: Services, access: AccessService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**_: object) -> str:
        raise ConnectionError

    monkeypatch.setattr(services.tokens, "create", crash)
    with pytest.raises(ConnectionError):
        access.create_token(ADA, days=1, by=ADA)
    assert access.tokens() == []
    assert len(facts(services, ADA)) == 1
