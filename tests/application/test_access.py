"""Sign-in links and API tokens: events, owners, and crashes between both stores."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from application.access import AccessService
from domain.errors import Invalid, NotFound
from domain.member import Member
from domain.values import Role, member_id_of
from tests.wiring import BY, Clock, House

ADA, BO = "ada@example.com", "bo@example.com"


@pytest.fixture
def access(house: House) -> AccessService:
    for email in (ADA, BO):
        house.members.add(email, Role.OPERATOR, by=BY)
    return house.access


def facts(house: House, email: str) -> Sequence[object]:
    """Return the member's events after the first one."""
    stored = house.app.recorder.select_events(member_id_of(email))
    return [house.app.mapper.to_domain_event(one) for one in stored][1:]


def test_a_created_link_works_once_and_the_log_names_its_creator(
    house: House, access: AccessService
) -> None:
    link = access.create_link(ADA, by=BO)
    [fact] = facts(house, ADA)
    assert isinstance(fact, Member.SignInLinkCreated)
    assert (fact.actor, fact.expires_at) == (BO, link.expires_at)
    links, now = house.sign_in_links, house.now()
    assert links.use(link.secret, link.expires_at + timedelta(seconds=1)) is None
    assert links.use(link.secret, now) == ADA
    assert links.use(link.secret, now) is None


def test_the_log_holds_neither_the_secret_of_a_link_nor_of_a_token(
    house: House, access: AccessService
) -> None:
    secrets = [
        access.create_link(ADA, by=BO).secret,
        access.create_token(ADA, days=3, by=ADA).secret,
    ]
    states = [
        bytes(one.state) for one in house.app.recorder.select_events(member_id_of(ADA))
    ]
    assert not any(secret.encode() in state for secret in secrets for state in states)


def test_a_token_lasts_as_many_days_as_asked_or_a_year(
    house: House, access: AccessService
) -> None:
    for days, lasts in ((3, 3), (None, 365)):
        created = access.create_token(ADA, days=days, by=ADA)
        assert created.token.expires_at == house.now() + timedelta(days=lasts)
        tokens = house.tokens
        assert tokens.authenticate(created.secret, house.now()) == ADA
        after = house.now() + timedelta(days=lasts)
        assert tokens.authenticate(created.secret, after) is None


@pytest.mark.parametrize("days", [0, -1, 3651, 2**31 - 1])
def test_a_number_of_days_out_of_bounds_is_refused(
    house: House, access: AccessService, days: int
) -> None:
    with pytest.raises(Invalid, match="1 to 3650 days"):
        access.create_token(ADA, days=days, by=ADA)
    assert access.tokens() == []
    assert facts(house, ADA) == []


def test_nobody_gets_access_without_being_a_member(
    house: House, access: AccessService
) -> None:
    house.members.remove(BO, by=BY)
    for email in ("nobody@example.com", BO):
        with pytest.raises(NotFound):
            access.create_link(email, by=ADA)
        with pytest.raises(NotFound):
            access.create_token(email, days=1, by=ADA)
    assert access.tokens() == []


def test_members_see_and_revoke_their_own_tokens_only(
    house: House, access: AccessService
) -> None:
    hers = access.create_token(ADA, days=1, by=ADA).token
    assert isinstance(house.now, Clock)
    house.now.pass_(seconds=1)
    his = access.create_token(BO, days=1, by=BO).token
    assert access.tokens(ADA) == [hers]
    assert access.tokens() == [hers, his]
    with pytest.raises(NotFound):
        access.revoke_token(his.id, by=ADA, owner=ADA)
    assert access.tokens(BO) == [his]


def test_a_token_is_revoked_once_and_the_log_names_the_member_who_did_it(
    house: House, access: AccessService
) -> None:
    created = access.create_token(ADA, days=1, by=ADA)
    for _ in range(2):
        access.revoke_token(created.token.id, by=BO)
    tokens = house.tokens
    assert tokens.authenticate(created.secret, house.now()) is None
    assert access.tokens() == []
    made, revoked = facts(house, ADA)
    assert isinstance(made, Member.TokenCreated)
    assert isinstance(revoked, Member.TokenRevoked)
    assert made.token_id == revoked.token_id == created.token.id
    assert revoked.actor == BO


def test_a_crash_after_the_event_leaves_no_token_that_the_log_does_not_name(
    house: House, access: AccessService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**_: object) -> str:
        raise ConnectionError

    monkeypatch.setattr(house.tokens, "create", crash)
    with pytest.raises(ConnectionError):
        access.create_token(ADA, days=1, by=ADA)
    assert access.tokens() == []
    assert len(facts(house, ADA)) == 1
