"""The allowlist: it is never left without an admin, also when two act at once."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import pytest

from application.members import MemberService
from domain.errors import LastAdmin, NotFound
from domain.values import Role
from tests.wiring import BY, House

ADA, BO = "ada@example.com", "bo@example.com"


class NoKeys:
    def __init__(self) -> None:
        self.withdrawn: list[str] = []

    def changed(self, email: str) -> None:
        """Sockets are tested with the API."""

    def withdraw(self, email: str, at: datetime) -> None:
        self.withdrawn.append(email)


def service(
    house: House, admins: Callable[[], Collection[str]] = lambda: [ADA, BO]
) -> MemberService:
    return MemberService(
        app=house.app, context=house.context, keys=NoKeys(), admins=admins
    )


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
    def test_stays(
        self, house: House, leave: Callable[[MemberService, str], None]
    ) -> None:
        members = service(house)
        members.add(ADA, Role.ADMIN, by=BY)
        members.add(BO, Role.ADMIN, by=BY)
        leave(members, ADA)
        with pytest.raises(LastAdmin):
            leave(members, BO)
        assert admins_of(members) == {BO}

    def test_stays_when_the_other_one_leaves_at_the_same_moment(
        self,
        house: House,
        leave: Callable[[MemberService, str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        members = service(house)
        members.add(ADA, Role.ADMIN, by=BY)
        members.add(BO, Role.ADMIN, by=BY)
        append = house.app.append

        def after_the_other_one(*changed: Any, **given: Any) -> int | None:
            monkeypatch.setattr(house.app, "append", append)
            leave(members, BO)
            return append(*changed, **given)

        monkeypatch.setattr(house.app, "append", after_the_other_one)
        with pytest.raises(LastAdmin):
            leave(members, ADA)
        assert admins_of(members) == {ADA}


def test_who_is_unknown_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        service(house).remove(ADA, by=BY)
    with pytest.raises(NotFound):
        service(house).change_role(ADA, Role.ADMIN, by=BY)
