"""Answers the tools of an assistant during the call: opt-outs and callbacks.

What a tool decides is stored in the same append as the message, before the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from application.app import Streams, decide
from application.calls.call_unit_of_work import CallUnitOfWork, StartedCampaigns
from application.calls.message_recorder import MessageReceipt, MessageRecorder
from application.calls.tool_answers import (
    NO_CALLBACK_HERE,
    NO_CALLBACK_SUPPRESSED,
    NUMBER_UNKNOWN,
    OPTED_OUT,
    TIME_UNREADABLE,
    UNKNOWN_TOOL,
    ToolAnswer,
    agreed_text,
    not_agreed_text,
)
from application.contacts.contact_calls import callback_limits
from application.contacts.contact_streams import find_number
from application.event_context import EventContext
from application.installation_key import InstallationKey
from application.places.resolver import zones_of
from application.ports import ContactLookup, ProviderMessage, ToolCall
from application.unit_of_work import UnitOfWork
from application.vault import TextRow
from domain.calls.call import Call
from domain.calls.callbacks import NotAgreed, agree, wish_of
from domain.calls.unmatched_message import unmatched_id_of
from domain.campaigns.campaign import Campaign
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.outcomes import Disposition, DispositionSource
from domain.planning.callback_requests import CallbackBar, callback_bar
from domain.values import VaultText

RECORD_OPT_OUT, SCHEDULE_CALLBACK = "record_opt_out", "schedule_callback"
TOOL_NAMES = frozenset({RECORD_OPT_OUT, SCHEDULE_CALLBACK})
"""Names of the tools that are answered."""

NO_CALLBACK = {
    CallbackBar.CAMPAIGN_OVER: NO_CALLBACK_HERE,
    CallbackBar.OPTED_OUT: NO_CALLBACK_SUPPRESSED,
}

LONGEST_QUOTE = 1_000

type RecorderIn = Callable[[Streams, StartedCampaigns], MessageRecorder]
type UnitIn = Callable[[Streams, StartedCampaigns], CallUnitOfWork]


class ToolCallService:
    """Records a message with tool calls and returns the answers with its receipt."""

    def __init__(
        self,
        app: Streams,
        context: EventContext,
        *,
        recorder_in: RecorderIn,
        unit_in: UnitIn,
        started: StartedCampaigns,
        contact_lookup: ContactLookup,
        installation_key: InstallationKey,
    ) -> None:
        self._app, self._context = app, context
        self._recorder_in, self._unit_in = recorder_in, unit_in
        self._started = started
        self._people = _People(contact_lookup, installation_key.of_number)

    def record(self, message: ProviderMessage) -> MessageReceipt:
        """Record the message and all that its tool calls decide, in one append.

        A message that is sent again is answered as before and changes nothing. Raises
        KeyUnusable if the number of an unknown call cannot be looked up.
        """
        return decide(lambda: self._record(message))

    def _record(self, message: ProviderMessage) -> MessageReceipt:
        unit_of_work = UnitOfWork(self._app, {message.call_id} - {None})  # type: ignore[arg-type]  # without None
        started = self._started.copy()
        receipt = self._recorder_in(unit_of_work, started).record(message)
        tool_call_message = _ToolCallMessage(
            people=self._people,
            context=self._context,
            unit=self._unit_in(unit_of_work, started),
            streams=unit_of_work,
            message=message,
            receipt=receipt,
        )
        answers = tuple(
            ToolAnswer(one.id, tool_call_message.result_of(one))
            for one in message.tool_calls
        )
        unit_of_work.store()
        self._started.add(started)
        return replace(receipt, answers=answers)


@dataclass(frozen=True, slots=True)
class _People:
    """Finds numbers and their keys."""

    contact_lookup: ContactLookup
    key_of: Callable[[str], str]

    def phone_of(self, call: Call) -> str | None:
        """Return the number (E.164) of the call's contact; None once erased."""
        person = self.contact_lookup.contact(call.contact_id)
        return person.phone if person else None


class _ToolCallMessage:
    """One message with tool calls, decided in one unit of work."""

    def __init__(
        self,
        *,
        people: _People,
        context: EventContext,
        unit: CallUnitOfWork,
        streams: Streams,
        message: ProviderMessage,
        receipt: MessageReceipt,
    ) -> None:
        self._people, self._context, self._unit = people, context, unit
        self._streams, self._message, self._receipt = streams, message, receipt
        self._by = context.provider_actor
        self._suppressed: set[UUID] = set()

    def result_of(self, tool_call: ToolCall) -> str:
        """Decide one tool call; return the text that the assistant gets."""
        match tool_call.name:
            case name if name == RECORD_OPT_OUT:
                return self._opt_out(tool_call.arguments)
            case name if name == SCHEDULE_CALLBACK:
                return self._callback(tool_call.arguments)
        return UNKNOWN_TOOL

    def _call(self) -> Call | None:
        call_id = self._receipt.call_id
        return self._streams.find(Call, call_id) if call_id else None

    # --- Opt-outs ---------------------------------------------------------------------

    def _opt_out(self, arguments: dict[str, Any]) -> str:
        if self._receipt.repeated:
            return OPTED_OUT  # Stored with the message; it may have been lifted since.
        call = self._call()
        number_key = self._number_key(call)
        if number_key is None:
            return NUMBER_UNKNOWN
        self._suppress(call, number_key, _quote(arguments))
        if call is not None:
            self._unit.run(call.id, self._set(Disposition.OPTED_OUT))
        return OPTED_OUT

    def _number_key(self, call: Call | None) -> str | None:
        """Return the key of the number that was called, else of the message's number.

        Release 1 did not store the key with its requests.
        """
        if call is not None and call.number_key is not None:
            return call.number_key
        phone = self._people.phone_of(call) if call else None
        phone = phone or self._message.phone
        return self._people.key_of(phone) if phone else None

    def _suppress(self, call: Call | None, number_key: str, quote: str | None) -> None:
        at, number_id = self._context.now(), number_id_of(number_key)
        number = find_number(self._streams, number_id, at)
        version = number.version
        if number_id in self._suppressed:
            return  # By another tool call of this message.
        self._suppressed.add(number_id)
        # Erasing the contact erases texts about its calls, and those to come.
        subject = call.id if call else _unmatched(self._message)
        phone, phone_rows = self._phone_text(subject, call, number_key)
        reason, reason_rows = self._text(subject, quote)
        number.suppress(
            source=SuppressionSource.CALL,
            reason=reason,
            phone=phone,
            call_id=call.id if call else None,
            campaign_id=call.campaign_id if call else None,
            at=at,
            by=self._by,
        )
        rows = [*phone_rows, *reason_rows] if number.pending_events else []
        self._streams.append(number, vault=rows, expect={number_id: version})

    def _phone_text(
        self, subject: UUID, call: Call | None, number_key: str
    ) -> tuple[VaultText | None, list[TextRow]]:
        """Return the number with that key as text, of the contact or the message."""
        known = self._people.phone_of(call) if call else None
        for phone in (known, self._message.phone):
            if phone and self._people.key_of(phone) == number_key:
                return self._text(subject, phone)
        return None, []

    def _text(
        self, subject: UUID, text: str | None
    ) -> tuple[VaultText | None, list[TextRow]]:
        if not text:
            return None, []
        reference, row = self._context.vault_text(subject, text)
        return reference, [row]

    # --- Callbacks --------------------------------------------------------------------

    def _callback(self, arguments: dict[str, Any]) -> str:
        call = self._call()
        if call is None:
            return NO_CALLBACK_HERE
        at = self._context.now()
        campaign = self._streams.load(Campaign, call.campaign_id)
        bar = callback_bar(call, campaign, partial(self._number, call, at))
        if bar is not None:
            return NO_CALLBACK[bar]
        return self._agreed(arguments, call, campaign, at)

    def _agreed(
        self, arguments: dict[str, Any], call: Call, campaign: Campaign, at: datetime
    ) -> str:
        """Agree on the time that the arguments name, or offer others."""
        zone = arguments.get("time_zone")
        wish = wish_of(arguments.get("local_datetime"), zone or None)
        if wish is None:
            return TIME_UNREADABLE
        zones = call.time_zones or self._zones(call)
        limits = callback_limits(self._streams, call, campaign, zones, at)
        agreed = agree(wish, limits)
        if isinstance(agreed, NotAgreed):
            return not_agreed_text(agreed)
        if not self._receipt.repeated or call.callback_at is None:
            self._unit.run(call.id, self._request(agreed.due_at, agreed.time_zone))
            self._unit.run(call.id, self._set(Disposition.CALLBACK_REQUESTED))
        return agreed_text(agreed)

    def _zones(self, call: Call) -> tuple[str, ...]:
        """Return the time zones of a call that release 1 requested."""
        phone = self._people.phone_of(call) or self._message.phone
        return zones_of(phone) if phone else ()

    def _number(self, call: Call, at: datetime) -> Number | None:
        """Return the number that was called; None for a call of release 1."""
        if call.number_key is None:
            return None
        return find_number(self._streams, number_id_of(call.number_key), at)

    # --- Commands on the call ---------------------------------------------------------

    def _set(self, disposition: Disposition) -> Callable[[Call, datetime], None]:
        def command(call: Call, at: datetime) -> None:
            source = DispositionSource.TOOL
            call.set_disposition(disposition, source, at=at, by=self._by)

        return command

    def _request(
        self, due_at: datetime, time_zone: str
    ) -> Callable[[Call, datetime], None]:
        def command(call: Call, at: datetime) -> None:
            call.request_callback(
                due_at=due_at,
                time_zone=time_zone,
                source=DispositionSource.TOOL,
                at=at,
                by=self._by,
            )

        return command


def _unmatched(message: ProviderMessage) -> UUID:
    return unmatched_id_of(message.provider_call_id or "none")


def _quote(arguments: dict[str, Any]) -> str | None:
    """Return what the person said, as the assistant quotes it."""
    for name in ("quote", "reason"):
        text = arguments.get(name)
        if isinstance(text, str) and text.strip():
            return text.strip()[:LONGEST_QUOTE]
    return None
