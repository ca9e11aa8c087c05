"""The read tables equal the aggregates after random histories."""

from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.dial_view import Phase
from domain.values import ZERO, ContactStatus
from projections.tables.state_sql import COUNTER
from tests.projections.lives import Life, whole_life
from tests.projections.memory import Memory, Row, projected

LIVES = st.integers(0, 2**32).map(lambda seed: whole_life(Random(seed)))
SOME = settings(max_examples=40)


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
        standing = [life.standing(id_) for id_ in life.contacts[campaign.id]]
        for status in ContactStatus:
            assert counter(row, status) == standing.count(status), status
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
        assert (row["name"], row["cap"]) == (campaign.name, campaign.cap)
        assert row["budget"] == campaign.budget


@SOME
@given(life=LIVES)
def test_each_call_row_equals_its_aggregate(life: Life) -> None:
    memory = projected(life.events)
    for calls in life.calls.values():
        for call in calls:
            row = memory.row("call_log", call.id)
            assert row["version"] == call.version
            assert row["last_event_at"] == call.modified_on
            assert (row["status"], row["standing"]) == (call.status, call.standing)
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
    """Return whether the call's end event contains a time for a new call."""
    ends = [
        event
        for event in life.events
        if isinstance(event, Call.Ended) and event.originator_id == call.id
    ]
    pending = call.standing is ContactStatus.PENDING
    return pending and bool(ends) and ends[0].retry_at is not None


@SOME
@given(life=LIVES)
def test_each_contact_row_shows_its_latest_call(life: Life) -> None:
    memory = projected(life.events)
    for contact_id, calls in life.calls.items():
        for row in rows_of(memory, contact_id):
            assert row.get("status", "PENDING") == life.standing(contact_id)
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
def test_the_queue_contains_exactly_the_calls_to_watch(life: Life) -> None:
    memory = projected(life.events)
    watched = {key[0]: row["phase"] for key, row in memory.tables["dial_queue"].items()}
    calls = [call for each in life.calls.values() for call in each]
    assert watched == {call.id: phase_of(call) for call in calls if phase_of(call)}


def phase_of(call: Call) -> Phase | None:
    if call.ended:
        return Phase.REPORTING if is_awaited(call) else None
    if not call.live:
        return Phase.GHOST if call.provider_call_id else None
    if call.deferred:
        return None
    if call.provider_call_id or call.status != "QUEUED":
        return Phase.PLACED
    if call.outcome_unknown:
        return Phase.UNKNOWN
    return Phase.REQUESTED if call.request_open else Phase.CLAIMED


def test_the_random_histories_contain_every_event() -> None:
    met = {
        type(event) for seed in range(60) for event in whole_life(Random(seed)).events
    }
    missing = {
        fact
        for kind in (Call, Campaign)
        for fact in vars(kind).values()
        if isinstance(fact, type) and hasattr(fact, "TOPIC") and fact not in met
    }
    assert missing == {
        Campaign.Completed,
        Campaign.Failed,
        Campaign.Expired,
        Campaign.ContactReturned,
        Call.CallbackRequested,
        Call.CallbackIgnored,
    }
