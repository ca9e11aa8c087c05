"""Generates the events of a whole campaign with the domain's classes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import batched
from typing import Any
from uuid import UUID

from domain.calls.call import Call
from domain.calls.reports import Report, ReportGrade
from domain.campaigns.campaign import Campaign
from domain.contacts.contact_list import ContactList
from domain.values import ContactStatus, DialMode, Evidence, VaultText
from storage.database import Pool
from storage.log.mapper import TypedMapper
from storage.log.recorder import EventRecorder

BY = "bench@example.com"
START = datetime(2026, 3, 1, tzinfo=UTC)
CAMPAIGN = UUID(int=1)
LIST = UUID(int=2)
ROWS_A_FACT, EVENTS_A_SAVE = 1_000, 12_000


def store(pool: Pool, events: Iterator[Any]) -> int:
    """Store events in the given order; return their number."""
    recorder, mapper, count = EventRecorder(pool), TypedMapper(), 0
    for some in batched(events, EVENTS_A_SAVE):
        recorder.insert_events([mapper.to_stored_event(event) for event in some])
        count += len(some)
    return count


def history(contacts: int, calls: int) -> Iterator[Any]:
    """Yield an import, then the calls one after the other, six events each.

    If there are more calls than contacts, the others are second attempts, after first
    attempts that nobody answered.
    """
    yield from opening(contacts)
    for number in range(calls):
        again = number < calls - contacts
        yield from call(number % contacts, 1 + number // contacts, again=again)


def opening(contacts: int) -> list[Any]:
    """Return the events of the import, and of the campaign until its start."""
    stamp: dict[str, Any] = {"at": START, "by": BY}
    campaign = Campaign.create(
        campaign_id=CAMPAIGN,
        name="Bench",
        assistant_id=UUID(int=3),
        provider_assistant_id="assistant",
        phone_number_id="line",
        cap=100,
        mode=DialMode.CONTINUOUS,
        line_quiet_gating=False,
        budget=None,
        longest_call_seconds=600,
        **stamp,
    )
    people = ContactList.create(
        list_id=LIST,
        campaign_id=CAMPAIGN,
        starts_at=0,
        filename=VaultText(UUID(int=4), "0" * 64),
        key_digest=None,
        columns=None,
        **stamp,
    )
    for numbers in batched(range(contacts), ROWS_A_FACT):
        ids = tuple(map(contact_id, numbers))
        up_to = numbers[-1] + 1
        people.accept(contact_ids=ids, digest="0" * 64, staged_up_to=up_to, **stamp)
    people.close(**stamp)
    campaign.import_contacts(
        list_id=LIST, starts_at=0, accepted=contacts, skipped=0, **stamp
    )
    campaign.start(**stamp)
    return [*people.collect_events(), *campaign.collect_events()]


def contact_id(number: int) -> UUID:
    """Return the id of a contact by number; ids look random, as real ones do."""
    return UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128)


def call(number: int, attempt: int, *, again: bool = False) -> tuple[Any, ...]:
    """Return one call's events; with `again` it ends before it was answered."""
    at = START + timedelta(seconds=number * attempt)
    stamp: dict[str, Any] = {"at": at, "by": BY}
    proof = Evidence(UUID(int=number + 5), "0" * 64)
    one = Call.create(
        campaign_id=CAMPAIGN,
        contact_id=contact_id(number),
        attempt=attempt,
        claim_id=UUID(int=9),
        batch=None,
        was=ContactStatus.PENDING if attempt == 1 else ContactStatus.ENDED,
        **stamp,
    )
    one.request(dial_before=at, **stamp)
    one.place(provider_call_id=f"p-{number}-{attempt}", placed_at=at, **stamp)
    one.ring(ringing_at=at, evidence=proof, **stamp)
    report = Report(
        grade=ReportGrade.DELIVERED,
        reason="call.start.error-busy" if again else "customer-ended-call",
        started_at=None if again else at,
        ended_at=at,
        duration_seconds=30,
        cost=Decimal("0.12"),
    )
    one.report(report, evidence=proof, **stamp)
    return tuple(one.collect_events())
