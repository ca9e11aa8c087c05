"""One admin always remains, also if two admins remove each other at once."""

from collections.abc import Callable
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import pytest

from application.members.members import MemberService
from domain.errors import LastAdmin, NotFound
from domain.values import Role
from storage.access.sessions import Credentials
from tests.wiring import BY, Services

ADA, BO = "ada@example.com", "bo@example.com"


def service(services: Services) -> MemberService:
    """Return the service with both admins as candidates, whatever the log says."""
    return MemberService(
        app=services.app,
        context=services.context,
        credentials=Credentials(services.writing),
        admins=lambda: [ADA, BO],
    )


def new_token(services: Services) -> str:
    """Store a token of Ada's, whether she is a member or not."""
    return services.tokens.create(
        token_id=uuid4(), email=ADA, secret=token_bytes(32), now=services.now()
    )


def owner_of(services: Services, token: str) -> str | None:
    return services.tokens.authenticate(token, services.now())


def admins_of(members: MemberService) -> set[str]:
    known = (members.member(email) for email in (ADA, BO))
    return {one.email for one in known if one is not None and one.is_admin}


@pytest.mark.parametrize(
    "leave",
    [
        lambda members, email: members.remove(email, by=BY),
        lambda members, email: members.change_role(email, Role.AUDITOR, by=BY),
        lambda members, email: members.add(email, Role.OPERATOR, by=BY),
    ],
    ids=["removed", "given another role", "added with another role"],
)
class TestTheLastAdmin:
    def test_cannot_leave(
        self, services: Services, leave: Callable[[MemberService, str], None]
    ) -> None:
        members = service(services)
        members.add(ADA, Role.ADMIN, by=BY)
        members.add(BO, Role.ADMIN, by=BY)
        leave(members, ADA)
        with pytest.raises(LastAdmin):
            leave(members, BO)
        assert admins_of(members) == {BO}

    def test_cannot_leave_at_the_same_time_as_the_other_one(
        self,
        services: Services,
        leave: Callable[[MemberService, str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        members = service(services)
        members.add(ADA, Role.ADMIN, by=BY)
        members.add(BO, Role.ADMIN, by=BY)
        append = services.app.append

        def after_the_other_one(*changed: Any, **given: Any) -> int | None:
            monkeypatch.setattr(services.app, "append", append)
            leave(members, BO)
            return append(*changed, **given)

        monkeypatch.setattr(services.app, "append", after_the_other_one)
        with pytest.raises(LastAdmin):
            leave(members, ADA)
        assert admins_of(members) == {ADA}


def test_credentials_are_revoked_at_the_removal_and_at_a_new_admission(
    services: Services,
) -> None:
    members = service(services)
    members.add(ADA, Role.OPERATOR, by=BY)
    token = new_token(services)
    assert owner_of(services, token) == ADA
    members.remove(ADA, by=BY)
    assert owner_of(services, token) is None
    late = new_token(services)
    members.add(ADA, Role.OPERATOR, by=BY)
    assert owner_of(services, late) is None
    token = new_token(services)
    members.add(ADA, Role.AUDITOR, by=BY)
    assert owner_of(services, token) == ADA


def test_an_unknown_member_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound):
        service(services).remove(ADA, by=BY)
    with pytest.raises(NotFound):
        service(services).change_role(ADA, Role.ADMIN, by=BY)
