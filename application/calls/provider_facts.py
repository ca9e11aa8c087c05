"""Applies messages and look-ups of the provider to a call."""

from dataclasses import dataclass
from datetime import datetime

from application.event_context import SCHEDULER
from application.ports import CallPhase, CallReport, ProviderCall, ProviderMessage
from domain.calls.call import Call
from domain.calls.reports import OutcomeFinding, ReasonDetail, Report, ReportGrade
from domain.values import Evidence, Refusal, VaultText


def apply_message(
    call: Call,
    message: ProviderMessage,
    proof: Evidence,
    explanation: VaultText | None,
    *,
    at: datetime,
    by: str,
) -> None:
    """Record all that a webhook contains; if nothing is new, only its receipt.

    `explanation` is that of the call's end, None if the message has none.
    """
    known = call.version
    if message.provider_call_id is not None:
        call.place(
            provider_call_id=message.provider_call_id,
            placed_at=message.created_at or message.sent_at or at,
            at=at,
            by=by,
            evidence=proof,
        )
    if message.report is not None:
        grade = ReportGrade.DELIVERED
        apply_report(call, message.report, grade, proof, explanation, at=at, by=by)
    elif message.phase is not None:
        seen = Seen(
            message.phase,
            message.sent_at,
            message.ended_reason,
            message.reason_detail,
            message.refusal,
            explanation,
            message.outcome,
        )
        _follow(call, seen, at, by, proof)
    if call.version == known:
        call.receive(type_=message.type, evidence=proof, at=at, by=by)


def apply_lookup(
    call: Call,
    seen: ProviderCall,
    grade: ReportGrade,
    proof: Evidence,
    explanation: VaultText | None,
    *,
    at: datetime,
) -> None:
    """Record how the provider shows a call when it is asked."""
    report = seen.report
    if seen.phase is None:
        return
    if not seen.ended:
        _follow(call, Seen(seen.phase, report.started_at), at, SCHEDULER, None)
    elif grade is ReportGrade.NONE:
        end = Seen(
            CallPhase.ENDED,
            report.ended_at,
            report.ended_reason,
            report.reason_detail,
            None if report.started_at else report.refusal,
            explanation,
            report.outcome,
        )
        _follow(call, end, at, SCHEDULER, proof)
    else:
        apply_report(call, report, grade, proof, explanation, at=at, by=SCHEDULER)


@dataclass(frozen=True, slots=True)
class Seen:
    """A phase of a call that the provider shows, and since when.

    An end has a reason, the `refusal` that it means if the call was never answered,
    the provider's `explanation` in the vault, and an outcome.
    """

    phase: CallPhase
    since: datetime | None
    reason: str | None = None
    detail: ReasonDetail = ReasonDetail.SPECIFIC
    refusal: Refusal | None = None
    explanation: VaultText | None = None
    outcome: OutcomeFinding | None = None


def _follow(
    call: Call, seen: Seen, at: datetime, by: str, proof: Evidence | None
) -> None:
    """Record a phase of the call; SCHEDULED and QUEUED change nothing."""
    match seen.phase:
        case CallPhase.RINGING:
            call.ring(ringing_at=seen.since or at, at=at, by=by, evidence=proof)
        case CallPhase.ANSWERED:
            call.answer(answered_at=seen.since, at=at, by=by, evidence=proof)
        case CallPhase.TRANSFERRED:
            call.answer(answered_at=None, at=at, by=by, evidence=proof)
        case CallPhase.ENDED:
            call.end(
                reason=seen.reason,
                detail=seen.detail,
                ended_at=seen.since,
                at=at,
                by=by,
                evidence=proof,
                refusal=seen.refusal,
                explanation=seen.explanation,
                outcome=seen.outcome,
            )


def apply_report(
    call: Call,
    report: CallReport,
    grade: ReportGrade,
    proof: Evidence | None,
    explanation: VaultText | None = None,
    *,
    at: datetime,
    by: str,
) -> None:
    """Record a report; `grade` says where it came from."""
    merged = Report(
        grade=grade,
        reason=report.ended_reason,
        reason_detail=report.reason_detail,
        started_at=report.started_at,
        ended_at=report.ended_at,
        duration_seconds=report.duration_seconds,
        cost=report.cost,
        cost_is_expected=report.cost_is_expected,
        is_unanswered=report.is_unanswered,
        has_transcript=bool(report.transcript),
        has_recording=report.recording_url is not None,
        has_analysis=report.has_analysis,
        person_spoke=report.person_spoke,
        outcome=report.outcome,
    )
    call.report(
        merged,
        at=at,
        by=by,
        evidence=proof,
        refusal=report.refusal,
        explanation=explanation,
    )
