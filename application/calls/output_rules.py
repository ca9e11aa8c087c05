"""Applies a campaign's output rules to the report of a call."""

from datetime import datetime
from uuid import UUID

from application.app import Streams
from application.contacts.contact_calls import callback_limits
from application.contacts.contact_streams import find_number
from application.event_context import SCHEDULER, EventContext
from application.ports import CallReport, ContactLookup
from application.vault import TextRow
from domain.calls.call import Call
from domain.calls.callbacks import CallbackLimits
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.planning.outputs import apply_outputs, opts_out_by_outputs


def apply_output_rules(
    app: Streams,
    call: Call,
    report: CallReport,
    terms: CallingTerms,
    message_id: UUID,
    *,
    at: datetime,
    by: str,
) -> None:
    """Record the disposition and the callback that the outputs in a report mean.

    `terms` are those that the claim of the call names, `message_id` is the id of the
    stored report. Call it after the report was recorded.
    """

    def limits() -> CallbackLimits:
        campaign = app.load(Campaign, call.campaign_id)
        return callback_limits(app, call, campaign, call.time_zones, at)

    outputs = report.structured_outputs or {}
    apply_outputs(
        call, outputs, report.analysis, terms, message_id, limits, at=at, by=by
    )


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
        if call.number_key is None or not opts_out_by_outputs(call.pending_events):
            return None, []
        number_id = number_id_of(call.number_key)
        number = find_number(self._app, number_id, at)
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
