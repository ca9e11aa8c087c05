"""What the dialer and the provider tell about a call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.persistence import IntegrityError

from application.app import Streams, decide
from application.calls.call_unit_of_work import Learned, Tell, Telling
from application.calls.provider_facts import say_message, say_report, say_sight
from application.event_context import SCHEDULER, EventContext
from application.ports import (
    CallLookup,
    CallOrder,
    CallReport,
    ContactLookup,
    ProviderCall,
    ProviderMessage,
)
from application.unit_of_work import UnitOfWork
from application.vault import MessageRow, VaultReader, VaultRow, digest
from domain.call import Call
from domain.campaign import Campaign
from domain.errors import MayNotBeRequested, NotFound
from domain.reports import ReportGrade
from domain.unmatched_message import UnmatchedMessage, unmatched_id_of
from domain.values import Evidence, Refusal, VaultText

FENCED = 3
"""Tries to store a request while what it rests on goes on moving."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to send one request, once, before its `dial_before` has passed."""

    order: CallOrder
    dial_before: datetime


@dataclass(frozen=True, slots=True)
class MessageReceipt:
    """Where a message of the provider went."""

    call_id: UUID | None
    repeated: bool = False


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
        learned: Learned | None = None,
    ) -> None:
        self._app, self._context, self._vault = app, context, vault
        self._provider = context.provider_actor
        self._contact_lookup, self._call_lookup = contact_lookup, call_lookup
        self._read_message = read_message
        self._learned = learned or Learned()
        self._tell = Telling(app, context, self._learned)

    # --- The dialer ---------------------------------------------------------------

    def request(self, call_id: UUID, *, dial_before: datetime) -> Ticket | None:
        """Store the right to call, or None where the call may not be made now.

        It is stored only while the campaign and the contact stand as they were read,
        so nobody is called after a pause, a cancel or an erasure was answered.
        """
        return self._fenced(call_id, dial_before, Call.request)

    def renew_request(self, call_id: UUID, *, dial_before: datetime) -> Ticket | None:
        """The same for a request that provably never left."""
        return self._fenced(call_id, dial_before, Call.renew_request)

    def _fenced(
        self, call_id: UUID, dial_before: datetime, ask: Callable[..., None]
    ) -> Ticket | None:
        for _ in range(FENCED):
            try:
                return self._request(call_id, dial_before, ask)
            except MayNotBeRequested:
                return None
            except IntegrityError:
                continue  # The campaign's, the contact's or the call's stream moved.
        return None

    def _request(
        self, call_id: UUID, dial_before: datetime, ask: Callable[..., None]
    ) -> Ticket | None:
        call = self._app.load(Call, call_id)
        campaign = self._app.load(Campaign, call.campaign_id)
        contact = self._contact_lookup.contact(call.contact_id)
        if not campaign.may_dial or contact is None:
            return None
        ask(call, dial_before=dial_before, at=self._context.now(), by=SCHEDULER)
        # A contact's own stream begins with its erasure.
        self._app.append(
            call, expect={campaign.id: campaign.version, call.contact_id: 0}
        )
        order = CallOrder(
            call_id=call.id,
            campaign_id=campaign.id,
            contact_id=call.contact_id,
            attempt=call.attempt,
            request=call.requests,
            phone=contact.phone,
            extension=contact.extension,
            name=contact.name,
            variables={"business_name": contact.business_name} | contact.variables,
            provider_assistant_id=campaign.provider_assistant_id,
            phone_number_id=campaign.phone_number_id,
        )
        return Ticket(order=order, dial_before=dial_before)

    def place(
        self, call_id: UUID, *, provider_call_id: str, placed_at: datetime
    ) -> None:
        """The provider accepted the request; what it said before is attached."""

        def tell(call: Call, at: datetime) -> None:
            call.place(
                provider_call_id=provider_call_id,
                placed_at=placed_at,
                at=at,
                by=SCHEDULER,
            )

        self._tell(call_id, tell)
        self._attach(call_id, provider_call_id)

    # What became of one request. It says nothing about a later one: a dialer that was
    # frozen, or a view that is old, must not settle what somebody else requested since.

    def defer(
        self, call_id: UUID, *, reason: str, until: datetime, request: int | None = None
    ) -> None:
        def tell(call: Call, at: datetime) -> None:
            call.defer(reason=reason, until=until, at=at, by=SCHEDULER)

        self._tell(call_id, _of_request(request, tell))

    def lose_outcome(
        self, call_id: UUID, *, reason: str, request: int | None = None
    ) -> None:
        def tell(call: Call, at: datetime) -> None:
            call.lose_outcome(reason=reason, at=at, by=SCHEDULER)

        self._tell(call_id, _of_request(request, tell))

    def settle_absent(self, call_id: UUID, *, request: int | None = None) -> None:
        def tell(call: Call, at: datetime) -> None:
            call.settle_absent(until=at, at=at, by=SCHEDULER)

        self._tell(call_id, _of_request(request, tell))

    def refuse(
        self,
        call_id: UUID,
        refusal: Refusal,
        *,
        words: str,
        until: datetime,
        request: int | None = None,
    ) -> None:
        """Record that the provider refused the request, in its own words.

        The call is not requested again before `until`.
        """
        said, row = self._context.vault_text(call_id, words)

        def tell(call: Call, at: datetime) -> None:
            call.refuse(refusal, words=said, until=until, at=at, by=SCHEDULER)

        self._tell(call_id, _of_request(request, tell), vault=[row])

    def release_claim(self, call_id: UUID) -> None:
        """Free a claim of which no request is under way, whoever would send it."""
        until = self._context.now()

        def tell(call: Call, at: datetime) -> None:
            if call.request_open:
                return
            if self._app.load(Campaign, call.campaign_id).over:
                call.cancel(at=at, by=SCHEDULER)
            call.defer(reason="not dialled", until=until, at=at, by=SCHEDULER)

        self._tell(call_id, tell)

    # --- The provider, asked ------------------------------------------------------

    def record_lookup(
        self, call_id: UUID, seen: ProviderCall, *, grade: ReportGrade
    ) -> None:
        """Record how the provider shows a call, as its webhooks would have told it.

        `grade` says what an ended call's report is worth; NONE leaves it awaited.
        """
        # Two looks may both be stored, where the second one shows more.
        key = f"look-up:{self._context.new_id()}"
        row, proof = self._proof(call_id, key, seen.document, seen.report)
        words, explained = self._explanation(call_id, seen.report.ended_message)
        found = False

        def tell(call: Call, at: datetime) -> None:
            nonlocal found
            found = call.provider_call_id is None
            call.place(
                provider_call_id=seen.provider_call_id,
                placed_at=seen.created_at,
                at=at,
                by=SCHEDULER,
            )
            say_sight(call, seen, grade, at, proof, words)

        self._tell(call_id, tell, vault=[row, *explained] if seen.ended else [])
        if found:
            self._attach(call_id, seen.provider_call_id)

    def confirm_duplicate(self, call_id: UUID, provider_call_id: str) -> None:
        """Record that the provider itself shows a second call under one of ours."""

        def tell(call: Call, at: datetime) -> None:
            call.detect_duplicate(
                provider_call_id=provider_call_id, at=at, by=SCHEDULER
            )

        self._tell(call_id, tell)

    def dismiss_duplicate(self, call_id: UUID, provider_call_id: str) -> None:
        """Drop a suspicion: the provider does not show both calls."""

        def tell(call: Call, at: datetime) -> None:
            call.dismiss_duplicate(
                provider_call_id=provider_call_id, at=at, by=SCHEDULER
            )

        self._tell(call_id, tell)

    def close_report(self, call_id: UUID, *, cost: Decimal) -> None:
        """Stop waiting for a report; book the expected `cost` unless one is known."""

        def tell(call: Call, at: datetime) -> None:
            report = CallReport(cost=cost, cost_is_expected=True)
            grade = ReportGrade.LOOKED_UP_LAST
            say_report(call, report, grade, at, SCHEDULER, None)

        self._tell(call_id, tell)

    def confirm(self, call_id: UUID, seen: ProviderCall) -> None:
        """Record that a silent call is still live at the provider."""

        def tell(call: Call, at: datetime) -> None:
            call.confirm(provider_status=seen.status, at=at, by=SCHEDULER)

        self._tell(call_id, tell)

    def time_out(self, call_id: UUID, *, reason: str) -> None:
        def tell(call: Call, at: datetime) -> None:
            call.time_out(reason=reason, at=at, by=SCHEDULER)

        self._tell(call_id, tell)

    def request_hang_up(self, call_id: UUID, *, by: str) -> None:
        def tell(call: Call, at: datetime) -> None:
            call.request_hang_up(at=at, by=by)

        self._tell(call_id, tell)

    # --- The provider, telling ----------------------------------------------------

    def record_message(self, message: ProviderMessage) -> MessageReceipt:
        """Store a message of the provider, in whatever order and however often.

        When this returns, it is stored. What belongs to no call that is known is kept
        until the call becomes known.
        """
        call_id = self._call_of(message)
        heard = self._record_message(call_id, message) if call_id else None
        return heard or self._keep_unmatched(message)

    def record_messages(
        self, messages: Sequence[ProviderMessage]
    ) -> list[MessageReceipt]:
        """Store several in one transaction: all of them, or none where this raises."""
        calls = {one.call_id for one in messages if one.call_id is not None}
        unit_of_work = UnitOfWork(self._app, calls)
        # What they learn is true once it is stored.
        learned = self._learned.copy()
        service = self._deciding_in(unit_of_work, learned)
        heard = [service.record_message(message) for message in messages]
        unit_of_work.store()
        self._learned.add(learned)
        return heard

    def _deciding_in(self, app: Streams, learned: Learned) -> "CallService":
        return CallService(
            app=app,
            context=self._context,
            vault=self._vault,
            contact_lookup=self._contact_lookup,
            call_lookup=self._call_lookup,
            read_message=self._read_message,
            learned=learned,
        )

    def _call_of(self, message: ProviderMessage) -> UUID | None:
        if message.call_id is not None or message.provider_call_id is None:
            return message.call_id
        found = self._call_lookup.by_provider_call_id(message.provider_call_id)
        return found or self._attached_to(message.provider_call_id)

    def _attached_to(self, provider_call_id: str) -> UUID | None:
        """The read model may lag behind what was attached."""
        kept = self._app.find(UnmatchedMessage, unmatched_id_of(provider_call_id))
        return kept.call_id if kept else None

    def _record_message(
        self, call_id: UUID, message: ProviderMessage
    ) -> MessageReceipt | None:
        """Return None where no call goes by that id."""
        row, proof = self._proof(call_id, message.key, message.document, message.report)
        message_text = message.report.ended_message if message.report else None
        words, explained = self._explanation(
            call_id, message_text or message.ended_message
        )
        repeated = False

        def tell(call: Call, at: datetime) -> None:
            nonlocal repeated
            repeated = proof.message_id in call.evidence
            if not repeated:
                say_message(
                    call, message, proof, words, at, self._context.provider_actor
                )

        def keep(call: Call, at: datetime) -> None:
            call.receive(
                type_=message.type,
                evidence=proof,
                at=at,
                by=self._provider,
            )

        try:
            self._tell(call_id, tell, vault=[row, *explained], of_another=keep)
        except NotFound:
            return None
        return MessageReceipt(call_id, repeated=repeated)

    def _keep_unmatched(self, message: ProviderMessage) -> MessageReceipt:
        provider_call_id = message.provider_call_id or "none"
        stream = unmatched_id_of(provider_call_id)
        row, proof = self._proof(stream, message.key, message.document, message.report)

        def command() -> MessageReceipt:
            at = self._context.now()
            kept = self._app.find(UnmatchedMessage, stream) or UnmatchedMessage.create(
                provider_call_id=provider_call_id,
                at=at,
                by=self._provider,
            )
            repeated = proof.message_id in kept.messages
            kept.receive(
                type_=message.type,
                evidence=proof,
                at=at,
                by=self._provider,
            )
            self._app.append(kept, vault=[] if repeated else [row])
            return MessageReceipt(None, repeated=repeated)

        return decide(command)

    def _attach(self, call_id: UUID, provider_call_id: str) -> None:
        stream = unmatched_id_of(provider_call_id)
        kept = self._app.find(UnmatchedMessage, stream)
        if kept is None or kept.call_id is not None:
            return
        for row in self._vault.messages_of(stream):
            self._record_message(call_id, self._read_message(row.document))

        def command() -> None:
            kept = self._app.load(UnmatchedMessage, stream)
            kept.attach(call_id=call_id, at=self._context.now(), by=SCHEDULER)
            self._app.append(kept)

        decide(command)

    # --- Shared -------------------------------------------------------------------

    def _explanation(
        self, call_id: UUID, text: str | None
    ) -> tuple[VaultText | None, list[VaultRow]]:
        """Prepare the provider's explanation of a call's end for the vault."""
        if not text:
            return None, []
        words, row = self._context.vault_text(call_id, text)
        return words, [row]

    def _proof(
        self,
        subject_id: UUID,
        key: str,
        document: dict[str, Any],
        report: CallReport | None,
    ) -> tuple[MessageRow, Evidence]:
        row = MessageRow(
            salt=self._context.salt(),
            id=uuid5(subject_id, key),
            subject_id=subject_id,
            campaign_id=None,
            document=document,
            recording_url=report.recording_url if report else None,
            transcript=report.transcript if report else None,
        )
        return row, Evidence(message_id=row.id, digest=digest([row]))


def _of_request(request: int | None, tell: Tell) -> Tell:
    """Tell it only where that request is still the latest; None is any."""

    def tell_if_latest(call: Call, at: datetime) -> None:
        if request in (None, call.requests):
            tell(call, at)

    return tell_if_latest
