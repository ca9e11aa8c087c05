"""Applies a campaign's output rules to the report of a call."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.app import Streams
from application.event_context import SCHEDULER, EventContext
from application.ports import CallReport, ContactLookup
from application.vault import TextRow
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


class OutputOptOuts:
    """Adds a called number to the register if the outputs of its call are an opt-out.

    Opt-outs by tools are recorded when the tool is called.
    """

    def __init__(
        self, app: Streams, context: EventContext, contact_lookup: ContactLookup
    ) -> None:
        self._app, self._context = app, context
        self._contact_lookup = contact_lookup

    def suppressed(
        self, call: Call, at: datetime
    ) -> tuple[Number | None, list[TextRow]]:
        """Return the number with its new event, to be appended with the call.

        The vault row contains the number in writing; there is none once the contact was
        erased. None: the pending events of the call contain no opt-out, or the number
        is suppressed already.
        """
        opt_outs: Sequence[object] = call.pending_events
        if call.number_key is None or not any(map(_is_opt_out, opt_outs)):
            return None, []
        number_id = number_id_of(call.number_key)
        number = self._app.find(Number, number_id) or Number.unrecorded(number_id, at)
        person = self._contact_lookup.contact(call.contact_id)
        phone, rows = None, list[TextRow]()
        if person is not None:
            # Erasing the contact erases texts about its calls, and those to come.
            phone, row = self._context.vault_text(call.id, person.phone)
            rows = [row]
        number.suppress(
            source=SuppressionSource.CALL,
            reason=None,
            phone=phone,
            call_id=call.id,
            campaign_id=call.campaign_id,
            at=at,
            by=SCHEDULER,
        )
        return (number, rows) if number.pending_events else (None, [])


def _is_opt_out(event: object) -> bool:
    return (
        isinstance(event, Call.DispositionSet)
        and event.source is DispositionSource.OUTPUT
        and event.disposition is Disposition.OPTED_OUT
    )
