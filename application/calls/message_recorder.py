"""Records webhooks of the provider on the calls that they are about."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from application.app import Streams, decide
from application.calls.call_unit_of_work import CallUnitOfWork, StartedCampaigns
from application.calls.contact_planning import TermsCache
from application.calls.output_rules import apply_output_rules
from application.calls.provider_facts import apply_message
from application.calls.tool_answers import ToolAnswer
from application.event_context import SCHEDULER, EventContext
from application.ports import CallLookup, CallReport, ContactLookup, ProviderMessage
from application.vault import MessageRow, VaultReader, VaultRow, digest
from domain.calls.call import Call
from domain.calls.unmatched_message import UnmatchedMessage, unmatched_id_of
from domain.errors import NotFound
from domain.values import Evidence, VaultText


@dataclass(frozen=True, slots=True)
class MessageReceipt:
    """The call on which a message was recorded; None if no call is known yet.

    `answers` are the results of the tool calls in the message.
    """

    call_id: UUID | None
    repeated: bool = False
    answers: tuple[ToolAnswer, ...] = ()


class MessageRecorder:
    """Records messages of the provider in `app`: the application, or a UnitOfWork."""

    def __init__(
        self,
        app: Streams,
        *,
        context: EventContext,
        vault: VaultReader,
        contact_lookup: ContactLookup,
        call_lookup: CallLookup,
        read_message: Callable[[dict[str, Any]], ProviderMessage],
        started: StartedCampaigns,
        terms: TermsCache,
    ) -> None:
        self._app, self._context, self._vault = app, context, vault
        self._provider = context.provider_actor
        self._call_lookup, self._read_message = call_lookup, read_message
        self._terms = terms
        self._unit = CallUnitOfWork(app, context, started, terms, contact_lookup)

    def record(self, message: ProviderMessage) -> MessageReceipt:
        """Record a message, in whatever order and however often it arrives.

        A message that belongs to no known call is stored until the call is known.
        """
        call_id = self._call_of(message)
        receipt = self._record(call_id, message) if call_id else None
        return receipt or self._keep_unmatched(message)

    def attach(
        self,
        call_id: UUID,
        provider_call_id: str,
        record: Callable[[ProviderMessage], object],
    ) -> None:
        """Record on a call the messages that arrived before its id was known.

        `record` is called with each of them, which then names the call.
        """
        stream = unmatched_id_of(provider_call_id)
        kept = self._app.find(UnmatchedMessage, stream)
        if kept is None or kept.call_id is not None:
            return
        for row in self._vault.messages_of(stream):
            record(replace(self._read_message(row.document), call_id=call_id))

        def command() -> None:
            kept = self._app.load(UnmatchedMessage, stream)
            kept.attach(call_id=call_id, at=self._context.now(), by=SCHEDULER)
            self._app.append(kept)

        decide(command)

    def _call_of(self, message: ProviderMessage) -> UUID | None:
        if message.call_id is not None or message.provider_call_id is None:
            return message.call_id
        found = self._call_lookup.by_provider_call_id(message.provider_call_id)
        return found or self._attached_to(message.provider_call_id)

    def _attached_to(self, provider_call_id: str) -> UUID | None:
        """Return the call from the log: the read model may lag behind."""
        kept = self._app.find(UnmatchedMessage, unmatched_id_of(provider_call_id))
        return kept.call_id if kept else None

    def _record(self, call_id: UUID, message: ProviderMessage) -> MessageReceipt | None:
        """Return None if there is no such call."""
        row, proof = evidence_of(
            self._context, call_id, message.key, message.document, message.report
        )
        message_text = message.report.ended_message if message.report else None
        explanation, explained = explanation_of(
            self._context, call_id, message_text or message.ended_message
        )
        repeated = False

        def command(call: Call, at: datetime) -> None:
            nonlocal repeated
            repeated = proof.message_id in call.evidence
            if not repeated:
                apply_message(
                    call, message, proof, explanation, at=at, by=self._provider
                )
            if not repeated and message.report is not None:
                apply_output_rules(
                    self._app,
                    call,
                    message.report,
                    self._terms.get(self._app, call),
                    proof.message_id,
                    at=at,
                    by=self._provider,
                )

        def keep(call: Call, at: datetime) -> None:
            call.receive(
                type_=message.type,
                evidence=proof,
                at=at,
                by=self._provider,
            )

        try:
            self._unit.run(call_id, command, [row, *explained], duplicate_command=keep)
        except NotFound:
            return None
        return MessageReceipt(call_id, repeated=repeated)

    def _keep_unmatched(self, message: ProviderMessage) -> MessageReceipt:
        provider_call_id = message.provider_call_id or "none"
        stream = unmatched_id_of(provider_call_id)
        row, proof = evidence_of(
            self._context, stream, message.key, message.document, message.report
        )

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


def explanation_of(
    context: EventContext, call_id: UUID, text: str | None
) -> tuple[VaultText | None, list[VaultRow]]:
    """Return the provider's explanation of a call's end, and its vault row."""
    if not text:
        return None, []
    explanation, row = context.vault_text(call_id, text)
    return explanation, [row]


def evidence_of(
    context: EventContext,
    subject_id: UUID,
    key: str,
    document: dict[str, Any],
    report: CallReport | None,
) -> tuple[MessageRow, Evidence]:
    """Return the vault row of a document, and the reference for its event.

    Documents with the same `key` about one subject get the same id.
    """
    row = MessageRow(
        salt=context.salt(),
        id=uuid5(subject_id, key),
        subject_id=subject_id,
        campaign_id=None,
        document=document,
        recording_url=report.recording_url if report else None,
        transcript=report.transcript if report else None,
        structured_outputs=report.structured_outputs if report else None,
        summary=report.summary if report else None,
        success_evaluation=report.success_evaluation if report else None,
    )
    return row, Evidence(message_id=row.id, digest=digest([row]))
