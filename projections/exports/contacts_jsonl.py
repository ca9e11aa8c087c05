"""All contacts of a campaign with their calls, as one JSON object per line."""

from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID

from domain.calls.recording_url import RecordingUrls
from domain.gate.rules import RuleBook
from projections.calls.call_log import RING_SECONDS
from projections.contacts.contact_results import JOINED_RESULTS
from projections.contacts.contact_row import SHOWN_STATUS, WITHHELD
from projections.exports.permits import STORED, with_permits
from projections.exports.places import (
    JOINED_PLACES,
    PLACES_JSON,
    ZONES_JSON,
    places_of_campaign,
)
from projections.exports.recording_links import ACCEPTED_URL, url_values
from projections.exports.report_facts import report_facts
from projections.exports.results import PIECE_BYTES, in_pieces, prepare
from projections.tables.checkpoint import one_snapshot
from storage.database import Conn

_CALL: LiteralString = f"""
    select call.call_id as "id", call.campaign_id as "campaignId",
        call.contact_id as "contactId", call.attempt as "attempt",
        call.status as "status", call.provider_call_id as "providerCallId",
        call.queued_at as "queuedAt", call.placed_at as "placedAt",
        call.started_at as "startedAt", call.ended_at as "endedAt",
        call.last_event_at as "lastEventAt", call.duration_seconds as "durationSeconds",
        call.ended_reason as "endedReason", call.cost::text as "cost",
        {ACCEPTED_URL} as "recordingUrl",
        m.transcript as "transcript", call.outcome as "outcome",
        call.disposition as "disposition", m.structured_outputs as "structuredOutputs",
        m.summary as "summary", message.words as "endedMessage",
        {RING_SECONDS} as "ringSeconds", {STORED} as "permit"
    from call_log call
    left join message_vault m on m.id = call.report_message_id and m.salt is not null
    left join words_vault message
        on message.id = coalesce(call.ended_words_id, call.rejection_words_id)
    where call.contact_id = k.contact_id
    order by call.attempt
"""  # noqa: S608 - our own text

_CONTACT: LiteralString = f"""
    select k.contact_id as "id", coalesce(v.name, '') as "name",
        coalesce(v.business_name, '') as "businessName",
        coalesce(v.phone, '') as "phone", v.extension as "extension",
        k.erased_at as "erasedAt", coalesce(v.variables, '{{}}') as "variables",
        {SHOWN_STATUS} as "status",
        array(select to_json(one) from ({_CALL}) one) as "calls",
        result.outcome as "outcome", result.disposition as "disposition",
        {WITHHELD} as "withheld",
        result.placed as "attempts",
        k.planned_at as "nextAttemptAt",
        {PLACES_JSON} as "places", {ZONES_JSON} as "timeZones", note.words as "note"
    from campaign_board c
    join contact_import i on i.campaign_id = c.id and i.imported_position is not null
    join contact_log k on k.list_id = i.list_id
    left join contact_vault v
        on v.contact_id = k.contact_id and v.list_id = k.list_id
    left join call_log call on call.call_id = k.call_id
    {JOINED_RESULTS}
    left join words_vault note on note.id = d.note_words_id
    {JOINED_PLACES}
    where c.id = %(campaign)s
    order by i.imported_position, k.seq
"""  # noqa: S608 - our own text

# JSON contains no control characters, so that no line is quoted or escaped.
_CONTACTS: LiteralString = f"""
    copy (select to_json(contact) from ({_CONTACT}) contact)
    to stdout (format csv, delimiter E'\\x01', quote E'\\x02')
"""  # noqa: S608 - our own text


def jsonl_of(
    conn: Conn,
    campaign_id: UUID,
    recordings: RecordingUrls,
    book: RuleBook | None,
    piece_bytes: int = PIECE_BYTES,
) -> Iterator[bytes]:
    """Yield the objects in pieces of whole lines, in the file's order.

    The keys are the fields of the GraphQL types Contact and Call. A contact's `call` is
    the last of its `calls`. Recording URLs are null unless `recordings` accepts them.
    `book` is the present rule book, which explains the permits of its version.
    """
    with one_snapshot(conn):
        prepare(conn)
        facts = report_facts(conn, campaign_id, origins=True)
        values = {
            "campaign": campaign_id,
            "places": places_of_campaign(conn, campaign_id),
            **url_values(facts.origins, recordings),
        }
        with conn.cursor().copy(_CONTACTS, values) as copy:
            yield from with_permits(in_pieces(copy, piece_bytes), book)
