"""The allowlist: who may come in, and as what."""

from datetime import datetime
from typing import Protocol

from application.app import AutoLynx, decide
from application.recording import Means
from domain.errors import NotFound
from domain.member import Member
from domain.values import Role, member_id_of


class Keys(Protocol):
    """What members come in by: tokens, sessions, links."""

    def withdraw(self, email: str, at: datetime) -> None:
        """Make all that a member has useless at once; it may be repeated."""


class MemberService:
    def __init__(self, *, app: AutoLynx, means: Means, keys: Keys) -> None:
        self._app, self._means, self._keys = app, means, keys

    def add(self, email: str, role: Role, *, by: str) -> int | None:
        """Add a member, or give a known one that role."""
        if self.member(email) is None:
            # Who comes back starts anew: no key of an earlier time opens again.
            self._keys.withdraw(email, self._means.now())

        def command() -> int | None:
            member, at = self._app.find(Member, member_id_of(email)), self._means.now()
            if member is None:
                member = Member.add(email=email, role=role, at=at, by=by)
            else:
                member.readmit(role=role, at=at, by=by)
            return self._app.append(member)

        return decide(command)

    def remove(self, email: str, *, by: str) -> int | None:
        def command() -> int | None:
            member = self.member(email)
            if member is None:
                raise NotFound("member", email)
            member.remove(at=self._means.now(), by=by)
            return self._app.append(member)

        position = decide(command)
        self._keys.withdraw(email, self._means.now())
        return position

    def member(self, email: str) -> Member | None:
        """Return the member as the log has it now, None where there is none."""
        member = self._app.find(Member, member_id_of(email))
        return None if member is None or member.removed else member
