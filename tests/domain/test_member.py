"""Members are added, given roles, removed and added again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.errors import Invalid, NotFound
from domain.member import Member
from domain.values import Role, member_id_of
from tests.support import EPOCH, Fact, given, new_events

BY = "boss@example.com"
AT = EPOCH + timedelta(minutes=1)
EMAIL = "ann@example.com"


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {"actor": BY, **own}


ADDED = fact(Member.Created, email=EMAIL, role=Role.OPERATOR)
REMOVED = fact(Member.Removed)
NOW_ADMIN = fact(Member.RoleChanged, role=Role.ADMIN)
READMITTED = fact(Member.Readmitted, email=EMAIL, role=Role.AUDITOR)


def member_with(*facts: Fact) -> Member:
    return given(Member, *facts)


def test_case_and_blanks_of_an_address_do_not_matter() -> None:
    member = Member.add(email=" Ann@Example.com ", role=Role.OPERATOR, at=AT, by=BY)
    assert new_events(member) == [ADDED]
    assert member.id == member_id_of(EMAIL) == member_id_of(" ANN@example.com")


@pytest.mark.parametrize(
    "email", ["", "ann", "@example.com", "ann@", "a@b@c", "a b@c.de", "a\x00@b.de"]
)
def test_an_invalid_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Member.add(email=email, role=Role.ADMIN, at=AT, by=BY)
    assert refusal.value.fields == {"email": "is not an e-mail address"}


def test_a_role_is_changed() -> None:
    member = member_with(ADDED)
    member.change_role(role=Role.ADMIN, at=AT, by=BY)
    assert new_events(member) == [NOW_ADMIN]
    assert member.role is Role.ADMIN


def test_giving_the_same_role_changes_nothing() -> None:
    member = member_with(ADDED, NOW_ADMIN)
    member.change_role(role=Role.ADMIN, at=AT, by=BY)
    assert new_events(member) == []


def test_a_member_is_removed_once() -> None:
    member = member_with(ADDED)
    member.remove(at=AT, by=BY)
    member.remove(at=AT, by=BY)
    assert new_events(member) == [REMOVED]
    assert member.removed


def test_the_role_of_a_removed_member_cannot_change() -> None:
    member = member_with(ADDED, REMOVED)
    with pytest.raises(NotFound):
        member.change_role(role=Role.ADMIN, at=AT, by=BY)
    assert new_events(member) == []


def test_a_removed_member_is_added_again_with_the_new_role() -> None:
    member = member_with(ADDED, REMOVED)
    member.readmit(role=Role.AUDITOR, at=AT, by=BY)
    assert new_events(member) == [READMITTED]
    assert (member.removed, member.role) == (False, Role.AUDITOR)


@pytest.mark.parametrize(
    ("role", "facts"), [(Role.OPERATOR, []), (Role.ADMIN, [NOW_ADMIN])]
)
def test_adding_a_present_member_changes_the_role(
    role: Role, facts: list[Fact]
) -> None:
    member = member_with(ADDED)
    member.readmit(role=role, at=AT, by=BY)
    assert new_events(member) == facts
