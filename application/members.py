"""The allowlist: who may come in, and as what."""

from application.app import AutoLynx, decide
from application.recording import Means
from domain.errors import NotFound
from domain.member import Member
from domain.values import Role, member_id_of


class MemberService:
    def __init__(self, *, app: AutoLynx, means: Means) -> None:
        self._app, self._means = app, means

    def add(self, email: str, role: Role, *, by: str) -> int | None:
        """Add a member, or give a known one that role."""

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

        return decide(command)

    def member(self, email: str) -> Member | None:
        """Return the member as the log has it now, None where there is none."""
        member = self._app.find(Member, member_id_of(email))
        return None if member is None or member.removed else member
