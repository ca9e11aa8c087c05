"""Who is on the allowlist, and as what."""

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


def member(*facts: Fact) -> Member:
    return given(Member, *facts)


def test_a_member_is_added_by_address_whatever_its_case() -> None:
    told = Member.add(email=" Ann@Example.com ", role=Role.OPERATOR, at=AT, by=BY)
    assert new_events(told) == [ADDED]
    assert told.id == member_id_of(EMAIL) == member_id_of(" ANN@example.com")


@pytest.mark.parametrize(
    "email", ["", "ann", "@example.com", "ann@", "a@b@c", "a b@c.de", "a\x00@b.de"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Member.add(email=email, role=Role.ADMIN, at=AT, by=BY)
    assert refusal.value.fields == {"email": "is no address"}


def test_a_role_is_changed() -> None:
    told = member(ADDED)
    told.change_role(role=Role.ADMIN, at=AT, by=BY)
    assert new_events(told) == [NOW_ADMIN]
    assert told.role is Role.ADMIN


def test_the_role_that_one_has_is_silence() -> None:
    told = member(ADDED, NOW_ADMIN)
    told.change_role(role=Role.ADMIN, at=AT, by=BY)
    assert new_events(told) == []


def test_a_member_is_removed_once() -> None:
    told = member(ADDED)
    told.remove(at=AT, by=BY)
    told.remove(at=AT, by=BY)
    assert new_events(told) == [REMOVED]
    assert told.removed


def test_who_was_removed_has_no_role_to_change() -> None:
    told = member(ADDED, REMOVED)
    with pytest.raises(NotFound):
        told.change_role(role=Role.ADMIN, at=AT, by=BY)
    assert new_events(told) == []


def test_who_was_removed_is_readmitted() -> None:
    told = member(ADDED, REMOVED)
    told.readmit(role=Role.AUDITOR, at=AT, by=BY)
    assert new_events(told) == [READMITTED]
    assert (told.removed, told.role) == (False, Role.AUDITOR)


@pytest.mark.parametrize(
    ("role", "facts"), [(Role.OPERATOR, []), (Role.ADMIN, [NOW_ADMIN])]
)
def test_to_readmit_who_is_in_is_to_change_the_role(
    role: Role, facts: list[Fact]
) -> None:
    told = member(ADDED)
    told.readmit(role=role, at=AT, by=BY)
    assert new_events(told) == facts
