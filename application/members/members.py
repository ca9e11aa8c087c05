"""Adds and removes members, and changes their roles."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.event_context import EventContext
from domain.errors import NotFound
from domain.member import LONGEST_SHOWN, Member, normalized_email
from domain.values import Role, member_id_of


class Credentials(Protocol):
    """The API tokens, browser sessions and sign-in links of members."""

    def revoke(self, email: str, at: datetime) -> None:
        """Revoke all of a member's credentials; it may be repeated."""

    def role_changed(self, email: str) -> None:
        """Make sockets that the member opened with another role be checked again."""


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member with the time and the actor of their (latest) admission."""

    email: str
    role: Role
    added_at: datetime
    added_by: str


class MemberService:
    """Commands on members; each returns the position to read, None if nothing changed.

    `admins` returns the addresses of admins as the read model shows them. They are
    candidates only: the log decides whether another admin exists.
    """

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        credentials: Credentials,
        admins: Callable[[], Collection[str]],
    ) -> None:
        self._app, self._context, self._credentials = app, context, credentials
        self._admins = admins

    def add(self, email: str, role: Role, *, by: str) -> int | None:
        """Add a member, or change the role of a present one.

        Raises Invalid if `email` is not an e-mail address, LastAdmin if the only admin
        would lose that role.
        """
        email = normalized_email(email)
        if self.member(email) is None:
            # Credentials from an earlier membership must not work again.
            self._credentials.revoke(email, self._context.now())

        def command() -> int | None:
            member = self._app.find(Member, member_id_of(email))
            if member is None:
                at = self._context.now()
                return self._app.append(
                    Member.add(email=email, role=role, at=at, by=by)
                )
            return self._change(member, partial(Member.readmit, role=role, by=by))

        return self._decide_and_notify(email, command)

    def change_role(self, email: str, role: Role, *, by: str) -> int | None:
        """Give a member another role. Raises NotFound and LastAdmin."""
        act = partial(Member.change_role, role=role, by=by)
        return self._decide_and_notify(
            email, lambda: self._change(self._load(email), act)
        )

    def remove(self, email: str, *, by: str) -> int | None:
        """Remove a member and revoke the credentials. Raises NotFound and LastAdmin."""
        act = partial(Member.remove, by=by)
        position = decide(lambda: self._change(self._load(email), act))
        self._credentials.revoke(email, self._context.now())
        return position

    def _decide_and_notify(
        self, email: str, command: Callable[[], int | None]
    ) -> int | None:
        position = decide(command)
        if position is not None:
            self._credentials.role_changed(email)
        return position

    def _change(self, member: Member, act: Callable[..., None]) -> int | None:
        others = self._another_admin(member)
        act(member, at=self._context.now(), only_admin=not others)
        return self._app.append(member, expect=others)

    def _load(self, email: str) -> Member:
        member = self.member(email)
        if member is None:
            raise NotFound("member", email[:LONGEST_SHOWN])
        return member

    def _another_admin(self, member: Member) -> dict[UUID, int]:
        """Return the id and version of an admin besides this one; {} if there is none.

        The append expects that version. If two admins remove each other at the same
        time, one of the appends fails, and its command decides again.
        """
        if not member.is_admin:
            return {}
        for email in self._admins():
            other = self.member(email)
            if other is not None and other.is_admin and other.id != member.id:
                return {other.id: other.version}
        return {}

    def member(self, email: str) -> Member | None:
        """Return the member as the log shows it, None if there is none."""
        member = self._app.find(Member, member_id_of(email))
        return None if member is None or member.removed else member

    def record_of(self, email: str) -> MemberRecord:
        """Return when and by whom a member was added; also for a removed member.

        Raises NotFound if the address was never a member.
        """
        id_, added = member_id_of(email), None
        for stored in self._app.recorder.select_events(id_):
            event = self._app.mapper.to_domain_event(stored)
            if isinstance(event, Member.Created | Member.Readmitted):
                added = event
        member = self._app.find(Member, id_)
        if member is None or added is None:
            raise NotFound("member", email[:LONGEST_SHOWN])
        return MemberRecord(member.email, member.role, added.timestamp, added.actor)
