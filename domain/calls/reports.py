"""What the provider reports about a call, and how several reports are merged.

Reports arrive in any order, more than once, and some are nearly empty. Each value that
a report contains gets a rank, which depends on that report alone: how much it knows and
where it came from. The merge keeps, for each kind of value, the one with the highest
rank; equal ranks are decided by the value itself. The merge is therefore commutative,
associative and idempotent: neither order nor repetition changes the result.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

from domain.outcomes import CallOutcome, ReportedOutcome
from domain.values import Evidence


class ReportGrade(IntEnum):
    """Where a report came from; of two equally complete ones the higher is used."""

    NONE = 0
    LOOKED_UP = 1
    LOOKED_UP_LAST = 2
    DELIVERED = 3


class ReasonDetail(IntEnum):
    """How much an ended reason explains; the provider's adapter decides it.

    A generic reason only says that the connection was closed.
    """

    GENERIC = 1
    SPECIFIC = 2


class OutcomeBasis(IntEnum):
    """What an outcome rests on; a better basis replaces a worse one, whatever its rank.

    The provider's adapter decides it.
    """

    UNKNOWN_REASON = 1
    GENERIC_REASON = 2
    """The reason only says that the connection was closed."""
    SPECIFIC_REASON = 3
    """The reason says how the call ended, but who spoke is not known."""
    TRANSCRIPT = 4
    """The transcript shows who spoke, but no specific reason is known."""
    DECISIVE = 5
    """The reason, or the reason and the transcript, leave no doubt."""


@dataclass(frozen=True, slots=True)
class OutcomeFinding:
    """The outcome that one message proves, and what it rests on."""

    outcome: ReportedOutcome
    basis: OutcomeBasis


NO_REASON = ReportedOutcome(CallOutcome.UNKNOWN, "no-reason")
"""The outcome of a call that is over and of which nothing else is known."""


class CostBasis(IntEnum):
    """What a cost rests on; a better basis replaces a worse one, whatever its rank.

    A zero is provisional until the provider has finished the report that contains it.
    """

    NONE = 0
    PROVISIONAL_ZERO = 1
    EXPECTED = 2
    FINAL_ZERO = 3
    CHARGED = 4


STATUS_RANK = 1
"""The rank of what a status message says, or was decided here: below every report.

The ranks in stored events are compared with those of new ones, so this number, the ones
below and the values of the three bases and grades never change.
"""

FIRST_REPORT_RANK = 2
PERSON_SPOKE = 64
"""Added to the rank of content in which a person speaks: above every report's rank."""

STEP = 256
"""Separates a detail, a basis or a richness from the rank below it."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The rank of each known value, 0 where nothing is known; stored with events."""

    reason: int = 0
    started_at: int = 0
    ended_at: int = 0
    duration_seconds: int = 0
    cost: int = 0
    message_id: int = 0
    outcome: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """The best known value of each kind: seconds, US dollars, aware UTC times.

    `message_id` names the stored message with the richest content, such as transcript
    and recording.
    """

    reason: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    cost: Decimal | None = None
    message_id: UUID | None = None
    outcome: ReportedOutcome | None = None
    ranks: Ranks = Ranks()

    @property
    def cost_is_expected(self) -> bool:
        """Whether the cost was computed here because the provider named none."""
        return self.ranks.cost // STEP == CostBasis.EXPECTED

    def merged_with(self, other: "Known") -> "Known":
        """Return the better value of each kind."""
        best = {name: _best(name, self, other) for name in KINDS}
        return Known(
            **{name: getattr(known, name) for name, known in best.items()},
            ranks=Ranks(
                **{name: getattr(known.ranks, name) for name, known in best.items()}
            ),
        )


KINDS = tuple(field.name for field in fields(Ranks))


def _best(kind: str, one: Known, other: Known) -> Known:
    rank, other_rank = getattr(one.ranks, kind), getattr(other.ranks, kind)
    if rank != other_rank or not rank:
        return one if rank >= other_rank else other
    value, other_value = getattr(one, kind), getattr(other, kind)
    if kind == "started_at":  # The earlier start, but the larger of anything else.
        return one if value <= other_value else other
    return one if value >= other_value else other


def status_known(
    *,
    reason: str | None = None,
    detail: ReasonDetail = ReasonDetail.SPECIFIC,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    outcome: OutcomeFinding | None = None,
) -> Known:
    """Return what a status message says of a call."""
    values: dict[str, Any] = {
        "reason": reason or None,
        "started_at": started_at,
        "ended_at": ended_at,
        "outcome": outcome.outcome if outcome else None,
    }
    above = {"reason": detail, "outcome": outcome.basis if outcome else 0}
    return Known(**values, ranks=_ranks(values, above, STATUS_RANK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report about a call; None for what it does not contain.

    A `cost` that is expected was computed here because the provider named none.
    `is_unanswered` means that the provider's reason proves that nobody picked up.
    """

    grade: ReportGrade
    reason: str | None = None
    reason_detail: ReasonDetail = ReasonDetail.SPECIFIC
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    cost: Decimal | None = None
    cost_is_expected: bool = False
    is_unanswered: bool = False
    has_transcript: bool = False
    has_recording: bool = False
    has_analysis: bool = False
    person_spoke: bool = False
    outcome: OutcomeFinding | None = None

    @property
    def completeness(self) -> int:
        """Count the kinds of information that it contains; a zero is none."""
        return sum(
            (
                self._is_specific,
                self.started_at is not None,
                self.ended_at is not None,
                bool(self.duration_seconds),
                bool(self.cost) and not self.cost_is_expected,
                self.has_transcript,
                self.has_recording,
                self.has_analysis,
            )
        )

    @property
    def rank(self) -> int:
        """How complete and reliable it is; of two values the higher rank is kept."""
        return _rank(self.completeness, self.grade)

    @property
    def is_final(self) -> bool:
        """Whether the provider need not be asked for more.

        It depends on this report alone, so that the order of several does not matter.
        The answer to the last look-up is final, whatever it lacks. A delivered report
        is final once it knows the cost; a cost of zero only with some content, or
        where nobody answered.
        """
        if self.grade is ReportGrade.LOOKED_UP_LAST:
            return True
        if self.grade is not ReportGrade.DELIVERED or self.cost is None:
            return False
        return self.cost > 0 or self._richness > 0 or self.is_unanswered

    def known(self, evidence: Evidence | None) -> Known:
        """Return its values with their ranks; `evidence` is of the stored report."""
        values: dict[str, Any] = {
            "reason": self.reason or None,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "duration_seconds": self.duration_seconds,
            "cost": self.cost,
            "message_id": evidence.message_id if evidence else None,
            "outcome": self.outcome.outcome if self.outcome else None,
        }
        above = {
            "reason": self.reason_detail,
            "cost": self._cost_basis,
            "message_id": self._richness,
            "outcome": self.outcome.basis if self.outcome else 0,
        }
        ranks = _ranks(values, above, self.rank)
        if self.person_spoke and evidence is not None:
            ranks = replace(ranks, message_id=ranks.message_id + PERSON_SPOKE)
        return Known(**values, ranks=ranks)

    @property
    def _is_specific(self) -> bool:
        return bool(self.reason) and self.reason_detail is ReasonDetail.SPECIFIC

    @property
    def _richness(self) -> int:
        """Weigh the content that people read or hear, the transcript most."""
        return 4 * self.has_transcript + 2 * self.has_recording + self.has_analysis

    @property
    def _cost_basis(self) -> CostBasis:
        if self.cost_is_expected:
            return CostBasis.EXPECTED
        if self.cost:
            return CostBasis.CHARGED
        return CostBasis.FINAL_ZERO if self.is_final else CostBasis.PROVISIONAL_ZERO


def _ranks(values: dict[str, Any], above: dict[str, int], rank: int) -> Ranks:
    """Rank the values that are known; `above` counts before the rank."""
    ranks = {
        name: STEP * above.get(name, 0) + rank
        for name, value in values.items()
        if value is not None
    }
    return Ranks(**ranks)


def _rank(completeness: int, grade: int) -> int:
    return FIRST_REPORT_RANK + 4 * completeness + grade
