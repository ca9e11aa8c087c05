"""What the provider shows of a call: look-ups, webhook messages and reports."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.calls.reports import OutcomeFinding, ReasonDetail
from domain.values import Refusal


@dataclass(frozen=True, slots=True)
class CallReport:
    """The provider's report of a call; None for each value that it does not contain.

    `duration_seconds` is in seconds, `cost` in US dollars. `reason_detail` rates how
    much `ended_reason` explains. `cost_is_expected`: the cost was computed here because
    the provider named none. `ended_message` is the provider's explanation of the
    reason, without secrets and phone numbers. `refusal` is what the reason means if the
    call was never answered. `is_unanswered`: it proves that nobody picked up.
    `outcome` is what the report proves about the outcome. `structured_outputs` are the
    results of the provider's analysis by name, and `analysis` is the rest of it.
    """

    ended_reason: str | None = None
    reason_detail: ReasonDetail = ReasonDetail.SPECIFIC
    ended_message: str | None = None
    refusal: Refusal | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    cost: Decimal | None = None
    cost_is_expected: bool = False
    is_unanswered: bool = False
    recording_url: str | None = None
    transcript: Any | None = None
    has_analysis: bool = False
    person_spoke: bool = False
    has_artifact: bool = False
    outcome: OutcomeFinding | None = None
    structured_outputs: dict[str, Any] | None = None
    summary: str | None = None
    success_evaluation: str | None = None
    analysis: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """The contact and attempt of a call, from our metadata at the provider."""

    campaign_id: UUID
    contact_id: UUID
    attempt: int


class CallPhase(StrEnum):
    """Phase of a call at the provider, translated by the adapter from its status.

    ANSWERED: somebody or a machine picked up. TRANSFERRED: the call is being passed on
    to another number, which says nothing about when it was answered.
    """

    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    RINGING = "RINGING"
    ANSWERED = "ANSWERED"
    TRANSFERRED = "TRANSFERRED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call as a look-up shows it; `document` is its JSON without secrets.

    `status` is the provider's term, which is only stored and shown; `phase` is its
    meaning, None if it is unknown here.
    """

    provider_call_id: str
    status: str
    phase: CallPhase | None
    created_at: datetime
    call_id: UUID | None
    report: CallReport
    document: dict[str, Any] = field(repr=False)
    origin: Origin | None = None

    @property
    def ended(self) -> bool:
        """Whether the call is over at the provider."""
        return self.phase is CallPhase.ENDED


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The assistant asks for the result of a tool while the call goes on."""

    id: str
    name: str
    arguments: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A webhook message; repeats have the same `key`.

    `document` is its JSON without secrets. `type` is the provider's term, which is only
    stored. `phase`, `ended_reason`, `reason_detail`, `ended_message`, `refusal` and
    `outcome` are set if the message announces a new phase of the call; `report` if it
    contains a report. `sent_at` is the time in the message itself. `tool_calls` have to
    be answered in the response; `phone` is then the other side's number (E.164).
    """

    key: str
    type: str
    provider_call_id: str | None
    call_id: UUID | None
    created_at: datetime | None
    sent_at: datetime | None
    phase: CallPhase | None
    ended_reason: str | None
    ended_message: str | None
    refusal: Refusal | None
    report: CallReport | None
    document: dict[str, Any] = field(repr=False)
    reason_detail: ReasonDetail = ReasonDetail.SPECIFIC
    outcome: OutcomeFinding | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    phone: str | None = field(default=None, repr=False)
