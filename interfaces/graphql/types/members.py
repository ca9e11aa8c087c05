"""Members: the people on the allowlist."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from application.members import MemberRecord
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, query
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
class MemberQueries:
    @query(EVERYBODY)
    def me(self, info: Info) -> Viewer:
        viewer = info.context.viewer
        return Viewer(email=viewer.email, role=viewer.role)

    @query(ADMINS)
    async def members(self, info: Info) -> list[Member]:
        rows = await info.context.backend.read(directory.members)
        return [Member.of(row) for row in rows]
