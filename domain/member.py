"""A member: a person who may sign in, with a role that says what they may do."""

import re
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid, LastAdmin, NotFound
from domain.values import Role, member_id_of

ADDRESS = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")

LONGEST_SHOWN = 100
"""Characters of a rejected address that an error message repeats."""


def normalized_email(email: str) -> str:
    """Return an e-mail address in the form that is stored: trimmed and lower case.

    Raises Invalid if it is not an e-mail address.
    """
    address = email.strip().lower()
    if not ADDRESS.fullmatch(address):
        message = f"{email[:LONGEST_SHOWN]!r} is not an e-mail address."
        raise Invalid(message, email="is not an e-mail address")
    return address


class MemberEvent(Aggregate.Event):
    """`actor` is the member, or the user of the command line, who caused the event."""

    actor: str


class Member(Aggregate):
    """A member, identified by e-mail address; removed members keep their stream.

    The rule that one admin must remain needs to know about other members. Therefore
    the caller passes `only_admin`: whether there is no other admin.
    """

    TOPIC = "member"

    class Created(MemberEvent, Aggregate.Created):
        """A new member was added; `email` is normalized."""

        TOPIC = "member.added"
        email: str
        role: Role

    class Readmitted(MemberEvent):
        """A removed member was added again, with this role."""

        TOPIC = "member.readmitted"
        email: str
        role: Role

    class RoleChanged(MemberEvent):
        """The member was given another role."""

        TOPIC = "member.role_changed"
        role: Role

    class Removed(MemberEvent):
        """The member may no longer sign in."""

        TOPIC = "member.removed"

    class SignInLinkCreated(MemberEvent):
        """`actor` created a link with which the member can sign in once until then."""

        TOPIC = "member.sign_in_link_created"
        expires_at: datetime

    class TokenCreated(MemberEvent):
        """`actor` created an API token of the member; None: it does not expire."""

        TOPIC = "member.token_created"
        token_id: UUID
        expires_at: datetime | None

    class TokenRevoked(MemberEvent):
        """`actor` revoked an API token of the member."""

        TOPIC = "member.token_revoked"
        token_id: UUID

    @classmethod
    def add(cls, *, email: str, role: Role, at: datetime, by: str) -> Self:
        """Add a new member. Raises Invalid if `email` is not an e-mail address."""
        address = normalized_email(email)
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
        """Whether the member is an admin and has not been removed."""
        return self.role is Role.ADMIN and not self.removed

    def readmit(
        self, *, role: Role, at: datetime, by: str, only_admin: bool = False
    ) -> None:
        """Add a removed member again; change the role of a member who was not removed.

        Raises LastAdmin as `change_role` does.
        """
        if self.removed:
            self._record(self.Readmitted, at, by, email=self.email, role=role)
        else:
            self.change_role(role=role, at=at, by=by, only_admin=only_admin)

    def change_role(
        self, *, role: Role, at: datetime, by: str, only_admin: bool = False
    ) -> None:
        """Give the member another role.

        Raises NotFound if the member was removed, and LastAdmin if the only admin would
        lose that role.
        """
        self._refuse_if_removed()
        if role is not self.role:
            self._refuse_last_admin(only_admin=only_admin)
            self._record(self.RoleChanged, at, by, role=role)

    def remove(self, *, at: datetime, by: str, only_admin: bool = False) -> None:
        """Remove the member. Raises LastAdmin if this is the only admin."""
        if not self.removed:
            self._refuse_last_admin(only_admin=only_admin)
            self._record(self.Removed, at, by)

    def create_sign_in_link(
        self, *, expires_at: datetime, at: datetime, by: str
    ) -> None:
        """Record that a link was created. Raises NotFound for removed members."""
        self._refuse_if_removed()
        self._record(self.SignInLinkCreated, at, by, expires_at=expires_at)

    def create_token(
        self, *, token_id: UUID, expires_at: datetime | None, at: datetime, by: str
    ) -> None:
        """Record that a token was created. Raises NotFound for removed members."""
        self._refuse_if_removed()
        self._record(
            self.TokenCreated, at, by, token_id=token_id, expires_at=expires_at
        )

    def revoke_token(self, *, token_id: UUID, at: datetime, by: str) -> None:
        """Record that an API token was revoked; the removal of a member revokes all."""
        self._record(self.TokenRevoked, at, by, token_id=token_id)

    def _refuse_if_removed(self) -> None:
        if self.removed:
            raise NotFound("member", self.email)

    def _refuse_last_admin(self, *, only_admin: bool) -> None:
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

    @event(SignInLinkCreated)
    def _sign_in_link_created(self) -> None:
        """Links and tokens are stored apart from the log, with their hashes."""

    @event(TokenCreated)
    def _token_created(self) -> None:
        """Change nothing, as for sign-in links."""

    @event(TokenRevoked)
    def _token_revoked(self) -> None:
        """Change nothing, as for sign-in links."""
