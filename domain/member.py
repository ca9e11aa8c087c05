"""A person on the allowlist, and what that person may do."""

import re
from datetime import datetime
from typing import Any, Self

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid, LastAdmin, NotFound
from domain.values import Role, member_id_of

ADDRESS = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")


LONGEST_SHOWN = 100


def as_address(email: str) -> str:
    """Write an e-mail address in the one way that is stored."""
    address = email.strip().lower()
    if not ADDRESS.fullmatch(address):
        said = f"{email[:LONGEST_SHOWN]!r} is no e-mail address."
        raise Invalid(said, email="is no address")
    return address


class MemberEvent(Aggregate.Event):
    actor: str


class Member(Aggregate):
    TOPIC = "member"

    class Created(MemberEvent, Aggregate.Created):
        TOPIC = "member.added"
        email: str
        role: Role

    class Readmitted(MemberEvent):
        TOPIC = "member.readmitted"
        email: str
        role: Role

    class RoleChanged(MemberEvent):
        TOPIC = "member.role_changed"
        role: Role

    class Removed(MemberEvent):
        TOPIC = "member.removed"

    @classmethod
    def add(cls, *, email: str, role: Role, at: datetime, by: str) -> Self:
        address = as_address(email)
        return cls._create(
            cls.Created,
            id=member_id_of(address),
            timestamp=at,
            actor=by,
            email=address,
            role=role,
        )

    @event(Created)
    def __init__(self, email: str, role: Role) -> None:
        self.email, self.role, self.removed = email, role, False

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN and not self.removed

    def readmit(
        self, *, role: Role, at: datetime, by: str, only_admin: bool = False
    ) -> None:
        if self.removed:
            self._record(self.Readmitted, at, by, email=self.email, role=role)
        else:
            self.change_role(role=role, at=at, by=by, only_admin=only_admin)

    def change_role(
        self, *, role: Role, at: datetime, by: str, only_admin: bool = False
    ) -> None:
        """Give another role; `only_admin` says that there is no admin beside."""
        if self.removed:
            raise NotFound("member", self.email)
        if role is not self.role:
            self._must_not_be(only_admin=only_admin)
            self._record(self.RoleChanged, at, by, role=role)

    def remove(self, *, at: datetime, by: str, only_admin: bool = False) -> None:
        if not self.removed:
            self._must_not_be(only_admin=only_admin)
            self._record(self.Removed, at, by)

    def _must_not_be(self, *, only_admin: bool) -> None:
        if self.is_admin and only_admin:
            raise LastAdmin(self.email)

    def _record(
        self, fact: type[MemberEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    @event(Readmitted)
    def _readmitted(self, role: Role) -> None:
        self.role, self.removed = role, False

    @event(RoleChanged)
    def _role_changed(self, role: Role) -> None:
        self.role = role

    @event(Removed)
    def _removed(self) -> None:
        self.removed = True
