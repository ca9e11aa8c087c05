"""Members: the people on the allowlist."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from application.members.members import MemberRecord
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, query
from interfaces.graphql.types.enums import Role
from projections.registers import directory
from projections.registers.directory import MemberRow


@strawberry.type
class Viewer:
    """The member who sent the operation."""

    email: str
    role: Role


@strawberry.type
class Member:
    """A person on the allowlist."""

    email: str
    role: Role
    added_at: datetime
    added_by: str

    @classmethod
    def of(cls, row: MemberRow | MemberRecord) -> Self:
        """Build it from a row of the read model, or from the member's events."""
        return cls(
            email=row.email,
            role=row.role,
            added_at=row.added_at,
            added_by=row.added_by,
        )


MemberResult = Annotated[Member | UserError, strawberry.union("MemberResult")]


@strawberry.type
class MemberQueries:
    """Queries of members."""

    @query(EVERYBODY)
    def me(self, info: Info) -> Viewer:
        """Return the member who sent the operation."""
        viewer = info.context.viewer
        return Viewer(email=viewer.email, role=viewer.role)

    @query(ADMINS)
    async def members(self, info: Info) -> list[Member]:
        """Return all members."""
        rows = await info.context.backend.read(directory.members)
        return [Member.of(row) for row in rows]
