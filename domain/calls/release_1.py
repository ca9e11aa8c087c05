"""What a call knows after events of release 1, which stored values without ranks.

Later events carry the merged values and their ranks. The numbers and the merge here are
part of the meaning of stored events: they never change, whatever `reports` does.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.calls.reports import Known, Ranks
from domain.outcomes import ReportedOutcome

STATUS_RANK = 1
SPECIFIC_REASON = GENERIC_OUTCOME = 512
FINAL_ZERO_COST, CHARGED_COST = 768, 1024
RICHEST_CONTENT = 1792

FIRST_REPORT_RANK, RANK_OF_A_VALUE = 2, 4
COMPLETE = 8
"""The number of values as which a complete report counts."""

LOOKED_UP_LAST = 2
"""The lowest grade of a final report."""


def known_after_end(
    known: Known,
    reason: str | None,
    ended_at: datetime | None,
    outcome: ReportedOutcome | None,
) -> Known:
    """Return what is known after an end, which only added what was missing.

    `outcome` is the one that the upcast of the event names.
    """
    added: dict[str, tuple[Any, int]] = {
        "reason": (reason or None, SPECIFIC_REASON + STATUS_RANK),
        "ended_at": (ended_at, STATUS_RANK),
        "outcome": (outcome, GENERIC_OUTCOME + STATUS_RANK),
    }
    better = {
        name: (value, rank)
        for name, (value, rank) in added.items()
        if value is not None and _is_better(known, name, value, rank)
    }
    values: dict[str, Any] = {name: value for name, (value, _) in better.items()}
    ranks = replace(known.ranks, **{name: rank for name, (_, rank) in better.items()})
    return replace(known, **values, ranks=ranks)


def _is_better(known: Known, name: str, value: Any, rank: int) -> bool:
    current: int = getattr(known.ranks, name)
    is_larger: bool = rank == current and value > getattr(known, name)
    return rank > current or is_larger


def known_after_report(
    *,
    grade: int,
    reason: str | None,
    started_at: datetime | None,
    ended_at: datetime | None,
    duration_seconds: int | None,
    cost: Decimal | None,
    message_id: UUID | None,
    outcome: ReportedOutcome | None,
) -> Known:
    """Return what is known after a report, which contained the merged values.

    A final report that knows what was charged is taken to be complete, any other one
    to be as complete as its values. Every reason counts as specific. `message_id` is
    that of the stored report, or of the one before if this one was not stored.
    """
    charged = bool(cost)
    complete = charged and grade >= LOOKED_UP_LAST
    values = (reason, started_at, ended_at, duration_seconds, cost)
    count = COMPLETE if complete else sum(map(bool, values))
    rank = FIRST_REPORT_RANK + RANK_OF_A_VALUE * count + grade

    def rank_of(value: object, above: int = 0) -> int:
        return 0 if value is None else above + rank

    return Known(
        reason=reason,
        started_at=started_at,
        ended_at=ended_at,
        duration_seconds=duration_seconds,
        cost=cost,
        message_id=message_id,
        outcome=outcome,
        ranks=Ranks(
            reason=rank_of(reason, SPECIFIC_REASON),
            started_at=rank_of(started_at),
            ended_at=rank_of(ended_at),
            duration_seconds=rank_of(duration_seconds),
            cost=rank_of(cost, CHARGED_COST if charged else FINAL_ZERO_COST),
            message_id=rank_of(message_id, RICHEST_CONTENT if complete else 0),
            outcome=rank_of(outcome, GENERIC_OUTCOME),
        ),
    )
