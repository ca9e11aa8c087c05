"""Composes the bodies of webhook messages, in the names of the GraphQL schema.

Amounts are decimal strings in US dollars, times are ISO 8601 in UTC. What is unknown or
was erased is null.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson

from domain.webhook_endpoint import MessageType
from projections.calls import call_log, recordings
from projections.calls.call_log import CallRow
from projections.calls.recordings import Recording
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.contacts import contact_log, contact_results
from projections.contacts.contact_results import ContactResult
from projections.contacts.contact_row import ContactRow
from projections.tables.queries import select
from storage.database import Conn
from storage.vault.erasure import LOCK_COMPOSING

MOST_COMPOSED = 100
"""Messages composed in one transaction."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose body is to be composed."""

    key: str
    type: MessageType
    occurred_at: datetime
    campaign_id: UUID | None
    contact_id: UUID | None
    call_id: UUID | None
    details: dict[str, Any]


_WITHOUT_BODY: LiteralString = f"""
    select key, type, occurred_at, campaign_id, contact_id, call_id, details
    from webhook_message where needs_body order by position limit {MOST_COMPOSED}
"""  # noqa: S608 - our own text

_STORE: LiteralString = """
    update webhook_message m set body = c.body, needs_body = false
    from unnest(%(keys)s::text[], %(bodies)s::text[]) as c (key, body)
    where m.key = c.key
"""

_WORDS: LiteralString = """
    select id, words from words_vault where id = any(%(ids)s) and salt is not null
"""


def compose_bodies(conn: Conn, own_url: str) -> int:
    """Compose and store the bodies of up to MOST_COMPOSED messages; return how many.

    `own_url` is where members reach the dashboard, without a final slash.
    """
    with conn.transaction():
        conn.execute(LOCK_COMPOSING)
        messages = select(conn, Message, _WITHOUT_BODY)
        if messages:
            sources = _Sources(conn, messages, own_url)
            bodies = [body_of(one, sources.data(one)) for one in messages]
            keys = [one.key for one in messages]
            conn.execute(_STORE, {"keys": keys, "bodies": bodies})
    return len(messages)


def body_of(message: Message, data: dict[str, Any]) -> str:
    """Return the JSON text that is signed and sent."""
    timestamp = message.occurred_at.astimezone(UTC)
    body = {"type": message.type.value, "timestamp": timestamp, "data": data}
    return orjson.dumps(body, default=str, option=orjson.OPT_UTC_Z).decode()


class _Sources:
    """What the read tables and the vault show of the subjects of some messages."""

    def __init__(self, conn: Conn, messages: Collection[Message], own_url: str) -> None:
        self._own_url = own_url
        campaigns = {one.campaign_id for one in messages if one.campaign_id}
        contacts = {one.contact_id for one in messages if one.contact_id}
        calls = {one.call_id for one in messages if one.call_id}
        self._campaigns = campaign_board.of_ids(conn, campaigns)
        self._contacts = {one.id: one for one in contact_log.of_ids(conn, contacts)}
        self._results = contact_results.of_contacts(conn, contacts)
        self._calls = call_log.of_ids(conn, calls)
        reports = {one.report_message_id for one in self._calls.values()} - {None}
        self._reports = recordings.of_messages(conn, [id_ for id_ in reports if id_])
        found = {one.details.get("words_id") for one in messages}
        words = [UUID(id_) for id_ in found if id_ is not None]
        rows = conn.execute(_WORDS, {"ids": words}).fetchall()
        self._words = {str(id_): text for id_, text in rows}

    def data(self, message: Message) -> dict[str, Any]:
        """Return the `data` of a message."""
        details = dict(message.details)
        if "words_id" in details:
            details["reason"] = self._words.get(details.pop("words_id"))
        data: dict[str, Any] = {}
        if message.campaign_id is not None:
            campaign = self._campaigns.get(message.campaign_id)
            data["campaign"] = self._campaign(message, campaign)
        if message.contact_id is not None:
            data["contact"] = self._contact(message.contact_id)
        if message.call_id is not None:
            data["call"] = self._call(message.call_id)
        return data | details

    def _campaign(
        self, message: Message, campaign: CampaignRow | None
    ) -> dict[str, Any]:
        shown = {"id": str(message.campaign_id)}
        if campaign is None:
            return shown
        url = f"{self._own_url}/campaigns/{campaign.id}"
        shown |= {"name": campaign.name, "state": campaign.state.value, "url": url}
        return shown if message.contact_id else shown | _counters(campaign)

    def _contact(self, contact_id: UUID) -> dict[str, Any]:
        contact = self._contacts.get(contact_id)
        result = self._results.get(contact_id)
        return {"id": str(contact_id), **(_contact(contact, result) if contact else {})}

    def _call(self, call_id: UUID) -> dict[str, Any]:
        call = self._calls.get(call_id)
        if call is None:
            return {"id": str(call_id)}
        report_id = call.report_message_id
        report = self._reports.get(report_id) if report_id else None
        return _call(call, report, self._own_url)


def _counters(campaign: CampaignRow) -> dict[str, Any]:
    return {
        "createdAt": campaign.created_at,
        "startedAt": campaign.started_at,
        "completedAt": campaign.completed_at,
        "contacts": campaign.contacts,
        "pending": campaign.pending,
        "active": campaign.active,
        "ended": campaign.ended,
        "failed": campaign.failed,
        "canceled": campaign.canceled,
        "timedOut": campaign.timed_out,
        "spend": str(campaign.spend),
        "budget": None if campaign.budget is None else str(campaign.budget),
    }


def _contact(contact: ContactRow, result: ContactResult | None) -> dict[str, Any]:
    known = contact.erased_at is None
    return {
        "name": contact.name if known else None,
        "businessName": contact.business_name if known else None,
        "phone": contact.phone if known else None,
        "extension": contact.extension if known else None,
        "variables": contact.variables if known else None,
        "erasedAt": contact.erased_at,
        "status": contact.status.value,
        "attempts": contact.attempt,
        "outcome": result.outcome.value if result and result.outcome else None,
        "disposition": (
            result.disposition.value if result and result.disposition else None
        ),
        "nextAttemptAt": contact.next_attempt_at,
        "withheld": contact.withheld.value if contact.withheld else None,
    }


def _call(call: CallRow, report: Recording | None, own_url: str) -> dict[str, Any]:
    recording_url = f"{own_url}/calls/{call.id}/recording"
    has_recording = report is not None and report.recording_url is not None
    page = f"{own_url}/campaigns/{call.campaign_id}/contacts/{call.contact_id}"
    return {
        "id": str(call.id),
        "attempt": call.attempt,
        "status": call.status.value,
        "outcome": call.outcome.value if call.outcome else None,
        "disposition": call.disposition.value if call.disposition else None,
        "endedReason": call.ended_reason,
        "providerCallId": call.provider_call_id,
        "queuedAt": call.queued_at,
        "startedAt": call.started_at,
        "endedAt": call.ended_at,
        "durationSeconds": call.duration_seconds,
        "cost": None if call.cost is None else str(call.cost),
        "summary": report.summary if report else None,
        "structuredOutputs": report.structured_outputs if report else None,
        "links": {
            "page": page,
            "recording": recording_url if has_recording else None,
        },
    }
