"""The allowlist."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Self

import strawberry

from application.members import MemberRecord
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, mutation, query
from interfaces.graphql.types.enums import Role
from projections import directory
from projections.directory import MemberRow


@strawberry.type
class Viewer:
    email: str
    role: Role


@strawberry.type
class Member:
    email: str
    role: Role
    added_at: datetime
    added_by: str

    @classmethod
    def of(cls, row: MemberRow | MemberRecord) -> Self:
        return cls(
            email=row.email,
            role=row.role,
            added_at=row.added_at,
            added_by=row.added_by,
        )


MemberResult = Annotated[Member | UserError, strawberry.union("MemberResult")]


@strawberry.type
class MemberCommands:
    @mutation(ADMINS, "Adds somebody, or gives a member that role.")
    async def add_member(self, info: Info, email: str, role: Role) -> MemberResult:
        add = info.context.services.members.add
        return await _told(info, email, lambda by: add(email, role, by=by))

    @mutation(ADMINS, "The last admin keeps that role.")
    async def change_member_role(
        self, info: Info, email: str, role: Role
    ) -> MemberResult:
        change = info.context.services.members.change_role
        return await _told(info, email, lambda by: change(email, role, by=by))

    @mutation(
        ADMINS, "The last admin cannot be removed; everybody else is out at once."
    )
    async def remove_member(self, info: Info, email: str) -> MemberResult:
        remove = info.context.services.members.remove
        return await _told(info, email, lambda by: remove(email, by=by))


async def _told(info: Info, email: str, command: Callable[[str], int | None]) -> Member:
    """Show the member as the log has it: a removed one as it was."""
    backend = info.context.backend
    position = await backend.run_command(command, info.context.viewer.email)
    await backend.is_visible(position)
    return Member.of(
        await backend.run_reader(backend.services.members.record_of, email)
    )


@strawberry.type
class MemberQueries:
    @query(EVERYBODY)
    def me(self, info: Info) -> Viewer:
        viewer = info.context.viewer
        return Viewer(email=viewer.email, role=viewer.role)

    @query(ADMINS)
    async def members(self, info: Info) -> list[Member]:
        rows = await info.context.backend.read(directory.members)
        return [Member.of(row) for row in rows]
