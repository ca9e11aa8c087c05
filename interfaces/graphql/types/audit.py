"""Up to where the event history was verified, and the first problem found."""

from datetime import datetime
from typing import Self

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import AUDITORS, query
from interfaces.graphql.types.scalars import BigInt
from projections.engine.verify import AuditState, audit_state


@strawberry.type
class AuditProblem:
    """A problem found by `autolynx audit verify`, with the event's position if any."""

    position: BigInt | None
    message: str


@strawberry.type
class AuditStatus:
    """Progress and result of the last verification."""

    verified_up_to: BigInt
    verified_at: datetime | None
    head: BigInt
    first_problem: AuditProblem | None = strawberry.field(
        description="Null if the verification found no problem."
    )

    @classmethod
    def of(cls, state: AuditState) -> Self:
        """Build it from the stored state of the verification."""
        problem = state.first_problem
        return cls(
            verified_up_to=BigInt(state.verified_up_to),
            verified_at=state.verified_at,
            head=BigInt(state.head),
            first_problem=_shown(problem.position, problem.message)
            if problem
            else None,
        )


def _shown(position: int | None, message: str) -> AuditProblem:
    at = None if position is None else BigInt(position)
    return AuditProblem(position=at, message=message)


@strawberry.type
class AuditQueries:
    """Queries of the audit."""

    @query(
        AUDITORS,
        "Up to where the event history was verified, and the first problem found.",
    )
    async def audit(self, info: Info) -> AuditStatus:
        """Return the state of the verification."""
        return AuditStatus.of(await info.context.backend.read(audit_state))
