"""Applies a campaign's output rules to the report of a call."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.app import Streams
from application.contacts.contact_calls import callback_limits
from application.contacts.contact_streams import find_number
from application.event_context import SCHEDULER, EventContext
from application.ports import CallReport, ContactLookup
from application.vault import TextRow
from domain.calls.call import Call
from domain.calls.callbacks import CallbackTime, Obstacle, agree_to_output
from domain.calls.dispositions import disposition_from, strongest
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.outcomes import Disposition, DispositionSource
from domain.planning.planning import is_settled_by


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
    if not terms.output_rules and terms.callback_output is None:
        return
    outputs = report.structured_outputs or {}
    disposition = disposition_from(outputs, report.analysis, terms.output_rules)
    is_best = message_id == call.known.message_id
    if is_best and terms.callback_output is not None:
        wanted = outputs.get(terms.callback_output)
        if _request_callback(app, call, wanted, at=at, by=by):
            disposition = strongest((disposition, Disposition.CALLBACK_REQUESTED))
    call.set_disposition_of_outputs(disposition, message_id=message_id, at=at, by=by)


def _request_callback(
    app: Streams, call: Call, wanted: object, *, at: datetime, by: str
) -> bool:
    """Record that the output `wanted` asks for a callback, or why none follows.

    Returns whether the call has a callback from its outputs. None and "" ask for none,
    so a time in an earlier, poorer report no longer counts; a time that a tool agreed
    during the call remains.
    """
    source = DispositionSource.OUTPUT
    if not source.may_replace(call.callback_source):
        return False
    if wanted is None or wanted == "":
        call.withdraw_callback(source, at=at, by=by)
        return False
    is_decided = call.settled and not is_settled_by(call.pending_events)
    if is_decided and call.callback_at is not None:
        return True
    agreed: CallbackTime | Obstacle = Obstacle.TOO_LATE
    if not is_decided:
        campaign = app.load(Campaign, call.campaign_id)
        limits = callback_limits(app, call, campaign, call.time_zones, at)
        agreed = agree_to_output(wanted, limits)
    if agreed is Obstacle.PAST and call.callback_at is not None:
        return True  # An earlier report named the time before it had passed.
    if isinstance(agreed, Obstacle):
        call.ignore_callback(agreed, source, at=at, by=by)
        call.withdraw_callback(source, at=at, by=by)
        return False
    zone, due = agreed.time_zone, agreed.due_at
    call.request_callback(due_at=due, time_zone=zone, source=source, at=at, by=by)
    return True


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


def _is_opt_out(event: object) -> bool:
    return (
        isinstance(event, Call.DispositionSet)
        and event.source is DispositionSource.OUTPUT
        and event.disposition is Disposition.OPTED_OUT
    )
