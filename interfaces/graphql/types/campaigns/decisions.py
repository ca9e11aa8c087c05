"""The scheduler's latest decision about a campaign, with its reasons."""

from datetime import datetime
from typing import Self

import strawberry

from interfaces.graphql.types.enums import WaitingCode
from storage.process.decisions import Decision, Reason


@strawberry.type
class WaitingReason:
    """Why a number of contacts is not called yet, and until when if known."""

    code: WaitingCode
    message: str
    contacts: int
    until: datetime | None

    @classmethod
    def of(cls, reason: Reason) -> Self:
        """Build it from a stored reason."""
        return cls(
            code=WaitingCode(reason.code),
            message=reason.message,
            contacts=reason.contacts,
            until=reason.until,
        )


@strawberry.type(description="Why calls were placed, or why none were.")
class DispatchDecision:
    """The result of a plan for one campaign; `room` is its number of free slots."""

    decided_at: datetime
    room: int
    placed: int
    reasons: list[WaitingReason]

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """Build it from a stored decision."""
        return cls(
            decided_at=decision.decided_at,
            room=decision.room,
            placed=decision.placed,
            reasons=[WaitingReason.of(reason) for reason in decision.reasons],
        )
