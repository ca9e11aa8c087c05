"""Commands of the dialer and of the provider on calls, each stored by itself."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.app import AutoLynx, Streams
from application.calls.call_gate import CallGate
from application.calls.call_requests import CallRequests
from application.calls.call_unit_of_work import (
    CallCommand,
    CallUnitOfWork,
    StartedCampaigns,
)
from application.calls.called_numbers import release_confirmed
from application.calls.contact_planning import TermsCache
from application.calls.message_recorder import (
    MessageReceipt,
    MessageRecorder,
    evidence_of,
    explanation_of,
)
from application.calls.output_rules import apply_output_rules
from application.calls.provider_facts import apply_lookup, apply_report
from application.calls.request_fence import SendPermission
from application.calls.tool_calls import ToolCallService
from application.event_context import SCHEDULER, EventContext
from application.installation_key import InstallationKey
from application.ports import (
    CallLookup,
    CallReport,
    ContactLookup,
    ProviderCall,
    ProviderMessage,
)
from application.unit_of_work import AlreadyChanged, UnitOfWork
from application.vault import VaultReader
from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.calls.reports import ReportGrade
from domain.campaigns.campaign import Campaign
from domain.planning.call_consequences import release_claim
from domain.planning.counted_calls import is_confirmed_end
from domain.values import Refusal

log = logging.getLogger(__name__)


class CallService:
    def __init__(
        self,
        *,
        app: Streams,
        context: EventContext,
        vault: VaultReader,
        contact_lookup: ContactLookup,
        call_lookup: CallLookup,
        read_message: Callable[[dict[str, Any]], ProviderMessage],
        installation_key: InstallationKey,
        gate: CallGate,
    ) -> None:
        self._app, self._context, self._vault = app, context, vault
        self._requests = CallRequests(
            app, context, contact_lookup, installation_key, gate
        )
        self._contact_lookup = contact_lookup
        self._call_lookup, self._read_message = call_lookup, read_message
        self._started = StartedCampaigns()
        self._terms = TermsCache()
        self._unit = self._unit_in(app, self._started)
        self._recorder = self._recorder_in(app, self._started)
        self._tool_calls = ToolCallService(
            app,
            context,
            recorder_in=self._recorder_in,
            unit_in=self._unit_in,
            started=self._started,
            contact_lookup=contact_lookup,
            installation_key=installation_key,
        )

    def _unit_in(self, app: Streams, started: StartedCampaigns) -> CallUnitOfWork:
        return CallUnitOfWork(
            app, self._context, started, self._terms, self._contact_lookup
        )

    def _recorder_in(self, app: Streams, started: StartedCampaigns) -> MessageRecorder:
        return MessageRecorder(
            app,
            context=self._context,
            vault=self._vault,
            contact_lookup=self._contact_lookup,
            call_lookup=self._call_lookup,
            read_message=self._read_message,
            started=started,
            terms=self._terms,
        )

    # --- The dialer ---------------------------------------------------------------

    def request(self, call_id: UUID, *, dial_before: datetime) -> SendPermission | None:
        """Store a request; return the permission to send it, None if it is refused."""
        return self._requests.request(call_id, dial_before=dial_before)

    def renew_request(
        self, call_id: UUID, *, dial_before: datetime
    ) -> SendPermission | None:
        """Store a further request after one that provably never left."""
        return self._requests.renew_request(call_id, dial_before=dial_before)

    def place(
        self, call_id: UUID, *, provider_call_id: str, placed_at: datetime
    ) -> None:
        """Record that the provider accepted the call; attach its earlier messages."""
        has_ended = False

        def command(call: Call, at: datetime) -> None:
            nonlocal has_ended
            has_ended = is_confirmed_end(call, provider_call_id)
            call.place(
                provider_call_id=provider_call_id,
                placed_at=placed_at,
                at=at,
                by=SCHEDULER,
            )

        self._unit.run(call_id, command)
        if has_ended:
            if not isinstance(self._app, AutoLynx):
                raise AlreadyChanged("the end of the call is confirmed by itself")
            now = self._context.now()
            release_confirmed(self._app, call_id, provider_call_id, now)
        self._recorder.attach(call_id, provider_call_id, self.record_message)

    # These methods take the number of the request. They do nothing if the call has been
    # requested again since, so a stale dialer cannot settle a newer request.

    def defer(
        self,
        call_id: UUID,
        *,
        reason: DeferralReason,
        until: datetime,
        request: int | None = None,
    ) -> None:
        def command(call: Call, at: datetime) -> None:
            call.defer(reason=reason, until=until, at=at, by=SCHEDULER)

        self._unit.run(call_id, _of_request(request, command))

    def lose_outcome(
        self, call_id: UUID, *, reason: str, request: int | None = None
    ) -> None:
        def command(call: Call, at: datetime) -> None:
            call.lose_outcome(reason=reason, at=at, by=SCHEDULER)

        self._unit.run(call_id, _of_request(request, command))

    def settle_absent(self, call_id: UUID, *, request: int | None = None) -> None:
        def command(call: Call, at: datetime) -> None:
            call.settle_absent(until=at, at=at, by=SCHEDULER)

        self._unit.run(call_id, _of_request(request, command))

    def refuse(
        self,
        call_id: UUID,
        refusal: Refusal,
        *,
        explanation: str,
        until: datetime,
        request: int | None = None,
    ) -> None:
        """Record that the provider refused the request; `explanation` is its text.

        The call is not requested again before `until`.
        """
        text, row = self._context.vault_text(call_id, explanation)

        def command(call: Call, at: datetime) -> None:
            call.refuse(refusal, explanation=text, until=until, at=at, by=SCHEDULER)

        self._unit.run(call_id, _of_request(request, command), [row])

    def release_claim(self, call_id: UUID) -> None:
        """Release a claim without an open request; cancel it if the campaign ended."""
        until = self._context.now()

        def command(call: Call, at: datetime) -> None:
            campaign = self._app.load(Campaign, call.campaign_id)
            release_claim(call, campaign, until=until, at=at, by=SCHEDULER)

        self._unit.run(call_id, command)

    # --- Look-ups at the provider ---------------------------------------------------

    def record_lookup(
        self, call_id: UUID, seen: ProviderCall, *, grade: ReportGrade
    ) -> None:
        """Record how the provider shows a call, as its webhooks would.

        `grade` ranks the report of an ended call; NONE leaves the report awaited.
        """
        # Each look-up gets a key of its own: a later one may show more.
        key = f"look-up:{self._context.new_id()}"
        row, proof = evidence_of(
            self._context, call_id, key, seen.document, seen.report
        )
        explanation, explained = explanation_of(
            self._context, call_id, seen.report.ended_message
        )
        found = False

        def command(call: Call, at: datetime) -> None:
            nonlocal found
            found = call.provider_call_id is None
            call.place(
                provider_call_id=seen.provider_call_id,
                placed_at=seen.created_at,
                at=at,
                by=SCHEDULER,
            )
            apply_lookup(call, seen, grade, proof, explanation, at=at)
            if seen.ended and grade is not ReportGrade.NONE:
                terms = self._terms.get(self._app, call)
                report, message_id = seen.report, proof.message_id
                apply_output_rules(
                    self._app, call, report, terms, message_id, at=at, by=SCHEDULER
                )

        self._unit.run(call_id, command, vault=[row, *explained] if seen.ended else [])
        if found:
            self._recorder.attach(call_id, seen.provider_call_id, self.record_message)

    def confirm_duplicate(self, call_id: UUID, provider_call_id: str) -> None:
        """Record that the provider itself shows a second call under one of ours."""

        def command(call: Call, at: datetime) -> None:
            call.detect_duplicate(
                provider_call_id=provider_call_id, at=at, by=SCHEDULER
            )

        self._unit.run(call_id, command)

    def rebind(
        self, call_id: UUID, *, provider_call_id: str, placed_at: datetime
    ) -> None:
        """Bind a call to the id that the provider shows.

        A call whose id the provider itself gave, and not only a webhook, stays bound.
        """
        is_rebound = False

        def command(call: Call, at: datetime) -> None:
            nonlocal is_rebound
            is_rebound = call.rebind(
                provider_call_id=provider_call_id,
                placed_at=placed_at,
                at=at,
                by=SCHEDULER,
            )

        self._unit.run(call_id, command)
        if is_rebound:
            self._recorder.attach(call_id, provider_call_id, self.record_message)

    def dismiss_duplicate(self, call_id: UUID, provider_call_id: str) -> None:
        """Drop a suspicion: the provider does not show both calls."""

        def command(call: Call, at: datetime) -> None:
            call.dismiss_duplicate(
                provider_call_id=provider_call_id, at=at, by=SCHEDULER
            )

        self._unit.run(call_id, command)

    def close_report(self, call_id: UUID, *, cost: Decimal) -> None:
        """Stop waiting for a report; book the expected `cost` unless one is known."""

        def command(call: Call, at: datetime) -> None:
            report = CallReport(cost=cost, cost_is_expected=True)
            grade = ReportGrade.LOOKED_UP_LAST
            apply_report(call, report, grade, None, at=at, by=SCHEDULER)

        self._unit.run(call_id, command)

    def confirm(self, call_id: UUID, seen: ProviderCall) -> None:
        """Record that a silent call is still live at the provider."""

        def command(call: Call, at: datetime) -> None:
            call.confirm(provider_status=seen.status, at=at, by=SCHEDULER)

        self._unit.run(call_id, command)

    def time_out(self, call_id: UUID, *, reason: str) -> None:
        def command(call: Call, at: datetime) -> None:
            call.time_out(reason=reason, at=at, by=SCHEDULER)

        self._unit.run(call_id, command)

    def request_hang_up(self, call_id: UUID, *, by: str) -> None:
        def command(call: Call, at: datetime) -> None:
            call.request_hang_up(at=at, by=by)

        self._unit.run(call_id, command)

    def hang_up_before_ringing(self, call_id: UUID) -> None:
        """Have a call hung up that has not rung yet and may not ring any more.

        Its number was suppressed or listed, or its calling hours have ended.
        """

        def command(call: Call, at: datetime) -> None:
            call.hang_up_before_ringing(at=at, by=SCHEDULER)

        self._unit.run(call_id, command)

    # --- Messages of the provider -------------------------------------------------

    def record_message(self, message: ProviderMessage) -> MessageReceipt:
        """Store one message in a transaction of its own; see MessageRecorder."""
        if message.tool_calls:
            return self._tool_calls.record(message)
        return self._recorder.record(message)

    def record_messages(
        self, messages: Sequence[ProviderMessage]
    ) -> list[MessageReceipt]:
        """Store several messages in one transaction: all, or none if this raises."""
        if any(message.tool_calls for message in messages):
            raise AlreadyChanged("tool calls are decided one by one")
        calls = {one.call_id for one in messages if one.call_id is not None}
        unit_of_work = UnitOfWork(self._app, calls)
        # What the messages show about campaigns is only true once it is stored.
        started = self._started.copy()
        recorder = self._recorder_in(unit_of_work, started)
        receipts = [recorder.record(message) for message in messages]
        unit_of_work.store()
        self._started.add(started)
        return receipts


def _of_request(request: int | None, command: CallCommand) -> CallCommand:
    """Run the command only if that request is still the latest; None is any."""

    def run_if_latest(call: Call, at: datetime) -> None:
        if request in (None, call.requests):
            command(call, at)

    return run_if_latest
