"""The allowlist: who may come in, and as what."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.event_context import EventContext
from domain.errors import NotFound
from domain.member import LONGEST_SHOWN, Member, normalized_email
from domain.values import Role, member_id_of


class Keys(Protocol):
    """What members come in by: tokens, sessions, links."""

    def withdraw(self, email: str, at: datetime) -> None:
        """Make all that a member has useless at once; it may be repeated."""

    def changed(self, email: str) -> None:
        """Close the sockets that a member opened with another role."""


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member as the log has it now."""

    email: str
    role: Role
    added_at: datetime
    added_by: str


class MemberService:
    """`admins` names members that are likely admins; the log decides."""

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        keys: Keys,
        admins: Callable[[], Collection[str]],
    ) -> None:
        self._app, self._context, self._keys = app, context, keys
        self._admins = admins

    def add(self, email: str, role: Role, *, by: str) -> int | None:
        """Add a member, or give a known one that role."""
        email = normalized_email(email)
        if self.member(email) is None:
            # Who comes back starts anew: no key of an earlier time opens again.
            self._keys.withdraw(email, self._context.now())

        def command() -> int | None:
            member, at = (
                self._app.find(Member, member_id_of(email)),
                self._context.now(),
            )
            if member is None:
                member = Member.add(email=email, role=role, at=at, by=by)
                return self._app.append(member)
            others = self._others(member)
            member.readmit(role=role, at=at, by=by, only_admin=not others)
            return self._app.append(member, expect=others)

        return self._decided(email, command)

    def change_role(self, email: str, role: Role, *, by: str) -> int | None:
        def command() -> int | None:
            member, at = self._load(email), self._context.now()
            others = self._others(member)
            member.change_role(role=role, at=at, by=by, only_admin=not others)
            return self._app.append(member, expect=others)

        return self._decided(email, command)

    def remove(self, email: str, *, by: str) -> int | None:
        def command() -> int | None:
            member, at = self._load(email), self._context.now()
            others = self._others(member)
            member.remove(at=at, by=by, only_admin=not others)
            return self._app.append(member, expect=others)

        position = decide(command)
        self._keys.withdraw(email, self._context.now())
        return position

    def _decided(self, email: str, command: Callable[[], int | None]) -> int | None:
        position = decide(command)
        if position is not None:
            self._keys.changed(email)
        return position

    def _load(self, email: str) -> Member:
        member = self.member(email)
        if member is None:
            raise NotFound("member", email[:LONGEST_SHOWN])
        return member

    def _others(self, member: Member) -> dict[UUID, int]:
        """Find an admin beside an admin, and the version at which that is so.

        Whoever appends at that version knows that the other is still there: of two
        who remove each other at the same moment, one decides anew.
        """
        if not member.is_admin:
            return {}
        for email in self._admins():
            other = self.member(email)
            if other is not None and other.is_admin and other.id != member.id:
                return {other.id: other.version}
        return {}

    def member(self, email: str) -> Member | None:
        """Return the member as the log has it now, None where there is none."""
        member = self._app.find(Member, member_id_of(email))
        return None if member is None or member.removed else member

    def record_of(self, email: str) -> MemberRecord:
        """Tell of a member since when and by whom; of a removed one as it was."""
        id_, added = member_id_of(email), None
        for stored in self._app.recorder.select_events(id_):
            event = self._app.mapper.to_domain_event(stored)
            if isinstance(event, Member.Created | Member.Readmitted):
                added = event
        member = self._app.find(Member, id_)
        if member is None or added is None:
            raise NotFound("member", email[:LONGEST_SHOWN])
        return MemberRecord(member.email, member.role, added.timestamp, added.actor)
