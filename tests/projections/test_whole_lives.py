"""The read tables equal the aggregates after random histories."""

from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.assistant import Assistant
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact, PlannedAttempt
from domain.contacts.contact_history import PlanKind
from domain.contacts.contact_list import ContactList
from domain.dial_view import Phase
from domain.dispatcher import Dispatcher
from domain.member import Member
from domain.numbers.installation import Installation
from domain.numbers.number import Number
from domain.numbers.suppression_lists import SuppressionLists
from domain.settings import Settings
from domain.values import ZERO, ContactStatus
from domain.webhook_endpoint import WebhookEndpoint
from projections.campaigns.campaign_terms import ANY_TERMS, terms_of
from projections.tables.state_sql import COUNTER
from tests.examples import examples
from tests.projections.lives import Life
from tests.projections.memory import Memory, Row, projected
from tests.projections.random_lives import whole_life

LIVES = st.integers(0, 2**32).map(lambda seed: whole_life(Random(seed)))
SOME = examples(10)


KINDS = (
    *(Call, Campaign, Contact, ContactList, Dispatcher),
    *(Assistant, Installation, Member, Number, Settings, SuppressionLists),
    WebhookEndpoint,
)
"""All aggregates but UnmatchedMessage, whose events change no read row."""


def calls_of(life: Life, campaign: Campaign) -> list[Call]:
    return [call for id_ in life.contacts[campaign.id] for call in life.calls[id_]]


def counter(row: Row, status: ContactStatus) -> int:
    return int(row.get(COUNTER[status], 0))


@SOME
@given(life=LIVES)
def test_the_counters_equal_the_counted_contacts(life: Life) -> None:
    memory = projected(life.events)
    for campaign in life.campaigns:
        row = memory.row("campaign_board", campaign.id)
        statuses = [life.status_of(id_) for id_ in life.contacts[campaign.id]]
        for status in ContactStatus:
            assert counter(row, status) == statuses.count(status), status
        counted = sum(counter(row, status) for status in ContactStatus)
        assert counted == row["contacts"] == campaign.contacts


@SOME
@given(life=LIVES)
def test_spend_and_awaited_reports_equal_those_of_the_calls(life: Life) -> None:
    memory = projected(life.events)
    for campaign in life.campaigns:
        row, calls = memory.row("campaign_board", campaign.id), calls_of(life, campaign)
        spend = sum((call.cost or ZERO for call in calls), ZERO)
        assert row.get("spend", ZERO) == spend
        assert row.get("costs_reported", 0) == sum(c.cost is not None for c in calls)
        assert row.get("awaiting_reports", 0) == sum(map(is_awaited, calls))
        by_day = memory.tables["spend_by_day"]
        days = [row["spend"] for key, row in by_day.items() if key[1] == campaign.id]
        assert sum(days, ZERO) == spend


def is_awaited(call: Call) -> bool:
    return call.ended and not call.settled


@SOME
@given(life=LIVES)
def test_each_campaign_row_equals_its_aggregate(life: Life) -> None:
    memory = projected(life.events)
    for campaign in life.campaigns:
        row = memory.row("campaign_board", campaign.id)
        assert row["version"] == campaign.version
        assert row["state"] == campaign.state
        assert row.get("pause_cause") == campaign.pause_cause
        assert row.get("queued_at") == campaign.queued_at
        assert row.get("started_at") == campaign.started_at
        assert row.get("expired_at") == campaign.expired_at
        assert (row.get("completed_at") is not None) == campaign.over
        assert (row["name"], row["cap"]) == (campaign.name, campaign.cap)
        assert row["budget"] == campaign.budget
        assert row["terms_version"] == campaign.terms_version
        assert terms_of(row["terms"]) == campaign.terms


@SOME
@given(life=LIVES)
def test_each_campaign_counts_the_planned_calls_of_its_contacts(life: Life) -> None:
    memory = projected(life.events)
    for campaign in life.campaigns:
        row = memory.row("campaign_board", campaign.id)
        plans = [plan_of(life, id_) for id_ in life.contacts[campaign.id]]
        kinds = [plan.kind for plan in plans if plan is not None]
        callbacks = kinds.count(PlanKind.CALLBACK)
        assert row.get("planned_callbacks", 0) == callbacks
        assert row.get("planned_retries", 0) == len(kinds) - callbacks


def plan_of(life: Life, contact_id: UUID) -> PlannedAttempt | None:
    contact = life.people.get(contact_id)
    return contact.plan_after(len(life.calls[contact_id])) if contact else None


@SOME
@given(life=LIVES)
def test_each_call_row_equals_its_aggregate(life: Life) -> None:
    memory = projected(life.events)
    for calls in life.calls.values():
        for call in calls:
            row = memory.row("call_log", call.id)
            assert row["version"] == call.version
            assert row["last_event_at"] == call.modified_on
            assert (row["status"], row["standing"]) == (
                call.status,
                call.contact_status,
            )
            assert row.get("requests", 0) == call.requests
            assert row.get("provider_call_id") == call.provider_call_id
            assert row.get("placed_at") == call.placed_at
            assert row.get("started_at") == call.started_at
            assert row.get("ended_at") == call.ended_at
            assert row.get("ended_reason") == call.ended_reason
            assert row.get("duration_seconds") == call.duration_seconds
            assert row.get("cost") == call.cost
            assert (row.get("closed_at") is None) == call.live


def waits_for_a_retry(call: Call, life: Life) -> bool:
    """Return whether its contact waits for the time that the call's end names."""
    ends = [
        event
        for event in life.events
        if isinstance(event, Call.Ended) and event.originator_id == call.id
    ]
    pending = (
        call.contact_status is life.status_of(call.contact_id) is ContactStatus.PENDING
    )
    unplanned = plan_of(life, call.contact_id) is None
    return pending and unplanned and bool(ends) and ends[0].retry_at is not None


@SOME
@given(life=LIVES)
def test_each_contact_row_shows_its_latest_call(life: Life) -> None:
    memory = projected(life.events)
    for contact_id, calls in life.calls.items():
        for row in rows_of(memory, contact_id):
            assert row.get("status", "PENDING") == life.status_of(contact_id)
            assert row.get("attempt", 0) == len(calls)
            assert row.get("call_id") == (calls[-1].id if calls else None)
            deferred = bool(calls) and calls[-1].deferred
            assert row.get("requeue", False) == deferred
            assert deferred <= (row.get("due_at") is not None)
            retried = row.get("due_at") is not None and not deferred
            assert retried == (bool(calls) and waits_for_a_retry(calls[-1], life))


def rows_of(memory: Memory, contact_id: UUID) -> list[Row]:
    table = memory.tables["contact_log"]
    rows = [row for key, row in table.items() if key[0] == contact_id]
    assert rows
    return rows


@SOME
@given(life=LIVES)
def test_each_contact_row_shows_what_is_recorded_on_the_contact(life: Life) -> None:
    memory = projected(life.events)
    for contact_id, contact in life.people.items():
        plan = plan_of(life, contact_id)
        for row in rows_of(memory, contact_id):
            assert row.get("version", 0) == contact.version
            assert (row.get("erased_at") is not None) == contact.erased
            assert row.get("withheld") == contact.withheld
            assert row.get("planned_at") == (plan.due_at if plan else None)
            if plan is not None:
                is_retry = plan.kind is PlanKind.RETRY
                terms = plan.terms_version if is_retry else ANY_TERMS
                assert row["planned_terms"] == terms
                assert row["planned_kind"] == plan.kind
                assert row["planned_until"] == plan.expires_at


@SOME
@given(life=LIVES)
def test_dispositions_set_by_hand_are_those_of_the_contacts(life: Life) -> None:
    rows = projected(life.events).tables["contact_disposition"]
    assert {key[0]: row["disposition"] for key, row in rows.items()} == {
        id_: contact.disposition
        for id_, contact in life.people.items()
        if contact.disposed
    }


@SOME
@given(life=LIVES)
def test_the_queue_contains_exactly_the_calls_to_watch(life: Life) -> None:
    memory = projected(life.events)
    watched = {key[0]: row["phase"] for key, row in memory.tables["dial_queue"].items()}
    calls = [call for each in life.calls.values() for call in each]
    phases = {call.id: phase_of(call, life) for call in calls}
    assert watched == {id_: phase for id_, phase in phases.items() if phase}


@SOME
@given(life=LIVES)
def test_the_queue_shows_who_asked_for_a_callback(life: Life) -> None:
    queue = projected(life.events).tables["dial_queue"]
    calls = {call.id: call for each in life.calls.values() for call in each}
    for (call_id,), row in queue.items():
        if row["phase"] != Phase.GHOST:
            asked = calls[call_id].callback_at is not None
            assert row.get("callback_requested", False) == asked


@SOME
@given(life=LIVES)
def test_exactly_the_open_suspicions_of_duplicates_are_listed(life: Life) -> None:
    listed = projected(life.events).tables["suspected_duplicate"].keys()
    assert listed == {
        (call.id, other)
        for each in life.calls.values()
        for call in each
        for other in call.suspected_provider_call_ids
    }


def phase_of(call: Call, life: Life) -> Phase | None:
    if is_rebound_after_its_end(call, life):
        return Phase.GHOST
    if call.ended:
        return Phase.REPORTING if is_awaited(call) else None
    if not call.live:
        return Phase.GHOST if call.provider_call_id else None
    return None if call.deferred else phase_of_live(call)


def phase_of_live(call: Call) -> Phase:
    if call.provider_call_id or call.status != "QUEUED":
        return Phase.PLACED
    if call.outcome_unknown:
        return Phase.UNKNOWN
    return Phase.REQUESTED if call.request_open else Phase.CLAIMED


def is_rebound_after_its_end(call: Call, life: Life) -> bool:
    """Return whether the call at the provider's own id may be live.

    The messages that ended our call named another id. A later end or final report is
    about the call with the right id.
    """
    is_open = False
    for event in life.events:
        if event.originator_id == call.id:
            match event:
                case Call.Rebound(ghost=True):
                    is_open = True
                case Call.Ended(awaits_report=True) | Call.Reported(settled=True):
                    is_open = False
    return is_open


def test_the_random_histories_contain_every_event() -> None:
    lives = (whole_life(Random(seed)) for seed in range(120))
    met = {type(event) for life in lives for event in life.events}
    missing = {
        fact
        for kind in KINDS
        for fact in vars(kind).values()
        if isinstance(fact, type) and hasattr(fact, "TOPIC") and fact not in met
    }
    assert missing == set()
