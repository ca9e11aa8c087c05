"""What the provider says of a call, said to the call in our words."""

from datetime import datetime

from application.ports import CallReport, ProviderCall, ProviderMessage
from application.recording import PROVIDER, SCHEDULER
from domain.call import Call, ReportGrade
from domain.values import Evidence


def say_message(
    call: Call, message: ProviderMessage, proof: Evidence, at: datetime
) -> None:
    """Say all of it; it is kept as received where none of it is news."""
    known = call.version
    if message.provider_call_id is not None:
        call.place(
            provider_call_id=message.provider_call_id,
            placed_at=message.created_at or message.said_at or at,
            at=at,
            by=PROVIDER,
            evidence=proof,
        )
    if message.report is not None:
        say_report(call, message.report, ReportGrade.DELIVERED, at, PROVIDER, proof)
    elif message.status is not None:
        said_at, reason = message.said_at, message.ended_reason
        _follow(call, message.status, said_at, reason, at, PROVIDER, proof)
    if call.version == known:
        call.receive(type_=message.type, evidence=proof, at=at, by=PROVIDER)


def say_sight(
    call: Call, seen: ProviderCall, grade: ReportGrade, at: datetime, proof: Evidence
) -> None:
    report = seen.report
    if not seen.ended:
        since = report.started_at
        _follow(call, seen.status, since, None, at, SCHEDULER, None)
    elif grade is ReportGrade.NONE:
        reason, ended_at = report.ended_reason, report.ended_at
        _follow(call, "ended", ended_at, reason, at, SCHEDULER, proof)
    else:
        say_report(call, report, grade, at, SCHEDULER, proof)


def _follow(  # noqa: PLR0917 - one status, said once, with all that came with it
    call: Call,
    status: str,
    said_at: datetime | None,
    reason: str | None,
    at: datetime,
    by: str,
    proof: Evidence | None,
) -> None:
    """Tell a call the provider's status; other statuses say nothing of its life."""
    match status:
        case "ringing":
            call.ring(ringing_at=said_at or at, at=at, by=by, evidence=proof)
        case "in-progress":
            call.answer(answered_at=said_at, at=at, by=by, evidence=proof)
        case "forwarding":
            call.answer(answered_at=None, at=at, by=by, evidence=proof)
        case "ended":
            call.end(reason=reason, ended_at=said_at, at=at, by=by, evidence=proof)


def say_report(  # noqa: PLR0917 - one report, told once
    call: Call,
    report: CallReport,
    grade: ReportGrade,
    at: datetime,
    by: str,
    proof: Evidence | None,
) -> None:
    call.report(
        grade=grade,
        reason=report.ended_reason,
        started_at=report.started_at,
        ended_at=report.ended_at,
        duration_seconds=report.duration_seconds,
        cost=report.cost,
        at=at,
        by=by,
        evidence=proof,
    )
