"""Input and output of the policy, apart from the snapshot (`domain.dial_view`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.dial_view import PlannedCall
from domain.values import PauseCause, RefusalScope, WaitingCode


@dataclass(frozen=True, slots=True)
class Waiting:
    """Contacts that stay pending after a pass, with the reason for operators.

    `until` is the time at which they may be called, None where it is not known.
    """

    code: WaitingCode
    message: str
    contacts: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the scheduler knows in addition to the snapshot.

    max_requests: calls that may be requested in this pass.
    line_limits: lower limits for lines that the provider slowed down.
    busy_lines: lines with a live call, ours or not, when the fill began.
    filling: campaigns whose fill began in an earlier pass; a busy line does not stop
        them, because the live calls may be their own.
    daily_budget: US dollars for one UTC day, None for no limit.
    provider_down: why the provider cannot be asked at all, None if it can.
    lines_down: by line, why the provider does not show its calls. Nobody is called
        from such a line.
    claiming_blocked: why nobody may be called yet, None if claiming is allowed.
    """

    now: datetime
    global_cap: int
    max_requests: int
    line_limits: Mapping[str, int]
    busy_lines: frozenset[str] = frozenset()
    filling: frozenset[UUID] = frozenset()
    daily_budget: Decimal | None = None
    provider_down: str | None = None
    lines_down: Mapping[str, str] = field(default_factory=dict)
    claiming_blocked: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result for one campaign: `room` before the pass, claims (`placed`), reasons."""

    campaign_id: UUID
    room: int
    placed: int
    reasons: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """A campaign that has to be paused until a person has solved its problem."""

    campaign_id: UUID
    cause: PauseCause
    message: str
    scope: RefusalScope | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The claims of one pass, a verdict for each started campaign, and pauses.

    `deferrals` are stored with the claims, but use no slot and no pace: the gate would
    refuse their requests until a time that is known.
    """

    claims: tuple[PlannedCall, ...]
    verdicts: tuple[Verdict, ...]
    pauses: tuple[Pause, ...]
    deferrals: tuple[PlannedCall, ...] = ()
