"""Applies a campaign's output rules to the report of a call."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.app import Streams
from application.ports import CallReport
from domain.call import Call
from domain.campaign_terms import CallingTerms
from domain.dispositions import disposition_from
from domain.number import Number, SuppressionSource, number_id_of
from domain.outcomes import Disposition, DispositionSource


def apply_output_rules(
    call: Call,
    report: CallReport,
    terms: CallingTerms,
    message_id: UUID,
    *,
    at: datetime,
    by: str,
) -> None:
    """Record the disposition that the outputs in a report mean.

    `terms` are those that the claim of the call names, `message_id` is the id of the
    stored report. Call it after the report was recorded.
    """
    if not terms.output_rules:
        return
    outputs = report.structured_outputs or {}
    disposition = disposition_from(outputs, report.analysis, terms.output_rules)
    call.set_disposition_of_outputs(disposition, message_id=message_id, at=at, by=by)


def number_suppressed_by_outputs(
    app: Streams, call: Call, events: Sequence[object], at: datetime, by: str
) -> Number | None:
    """Add the called number to the register if the outputs of a call are an opt-out.

    Returns the number with its new event, to be appended with the call; None if the
    events contain no opt-out, or if the number is suppressed already. Opt-outs by tools
    are recorded when the tool is called.
    """
    if call.number_key is None or not any(map(_is_opt_out, events)):
        return None
    number_id = number_id_of(call.number_key)
    number = app.find(Number, number_id) or Number.unrecorded(number_id, at)
    number.suppress(
        source=SuppressionSource.CALL,
        reason=None,
        phone=None,
        call_id=call.id,
        campaign_id=call.campaign_id,
        at=at,
        by=by,
    )
    return number if number.pending_events else None


def _is_opt_out(event: object) -> bool:
    return (
        isinstance(event, Call.DispositionSet)
        and event.source is DispositionSource.OUTPUT
        and event.disposition is Disposition.OPTED_OUT
    )
