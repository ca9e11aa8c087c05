"""How long calls rang, and the answer rates of each hour of the day."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from domain.calls.reports import OutcomeBasis, OutcomeFinding
from domain.outcomes import (
    CallOutcome,
    ReportedOutcome,
)
from projections.calls import call_log
from projections.calls.call_log import RING_SECONDS
from projections.campaigns import answer_rates
from projections.engine.runner import catch_up
from tests.projections.lives import Life
from tests.projections.store import Store


@pytest.fixture
def life() -> Life:
    return Life(Random(0))


def show(store: Store, life: Life) -> None:
    store.append(life.events)
    catch_up(store.conn)


# --- Ring seconds ---------------------------------------------------------------------


def ring_seconds(store: Store, call_id: UUID) -> int | None:
    """Read the value of a call's row, and check that exports contain the same."""
    row = call_log.get(store.conn, call_id)
    assert row is not None
    query = f"select {RING_SECONDS} from call_log call where call_id = %s"
    exported = store.conn.execute(query, (call_id,)).fetchone()
    assert exported == (row.ring_seconds,)
    return row.ring_seconds


@pytest.mark.parametrize(
    ("answered", "ended", "expected"),
    [
        (20, 60, 18),
        (None, 30, 28),
        (None, 4.5, 2),
        (None, 5.5, 4),
        (None, 1, None),
        (None, None, None),
    ],
    ids=[
        "answered",
        "not answered",
        "half a second after an even second",
        "half a second after an odd second",
        "ended before it rang",
        "no time of the end",
    ],
)
def test_ring_seconds_last_until_the_answer_or_the_end(
    store: Store,
    life: Life,
    answered: float | None,
    ended: float | None,
    expected: int | None,
) -> None:
    campaign = life.open_campaign(1)
    life.claim(campaign, 1)
    call = life.calls[life.contacts[campaign.id][0]][0]
    life.request(call)
    life.place(call)
    start = life.now

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else start + timedelta(seconds=seconds)

    call.ring(ringing_at=start + timedelta(seconds=2), evidence=None, **life.stamp())
    if answered is not None:
        call.answer(answered_at=at(answered), evidence=None, **life.stamp())
    call.end(reason="any", ended_at=at(ended), evidence=None, **life.stamp())
    life.record(call)
    show(store, life)
    assert ring_seconds(store, call.id) == expected


def test_a_call_that_was_not_seen_ringing_has_no_ring_seconds(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(1)
    life.claim(campaign, 1)
    call = life.calls[life.contacts[campaign.id][0]][0]
    life.request(call)
    life.place(call)
    call.end(reason="any", ended_at=life.now, evidence=None, **life.stamp())
    life.record(call)
    show(store, life)
    assert ring_seconds(store, call.id) is None


# --- Answer rates ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zones", "hour"),
    [
        (["America/New_York"], 18),
        (["America/New_York", "America/Detroit"], 18),
        (["America/New_York", "America/Chicago"], None),
        (["Asia/Kolkata"], 5),
        (["Nowhere/Else"], None),
    ],
)
def test_a_call_counts_in_an_hour_only_if_all_its_zones_have_it(
    zones: list[str], hour: int | None
) -> None:
    at = datetime(2026, 3, 1, 23, 45, tzinfo=UTC)
    assert answer_rates.local_hour(zones, at) == hour


def test_answered_calls_are_counted_by_the_hour_of_the_contacts_day(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(6)
    life.claim(campaign, 6)
    outcomes = ["HUMAN", "VOICEMAIL", "NO_ANSWER", "DROPPED_EARLY", "BUSY", None]
    zones = [("America/New_York",)] * 4 + [(), ("America/New_York",)]
    for contact_id, outcome, zone in zip(
        life.contacts[campaign.id], outcomes, zones, strict=True
    ):
        call = life.calls[contact_id][0]
        call.request(dial_before=life.now, time_zones=zone, **life.stamp())
        life.place(call)
        if outcome is not None:
            finding = OutcomeFinding(
                ReportedOutcome(CallOutcome(outcome), "rule"), OutcomeBasis.DECISIVE
            )
            call.end(
                reason="x",
                ended_at=None,
                evidence=None,
                outcome=finding,
                **life.stamp(),
            )
        life.record(call)
    show(store, life)
    rates = answer_rates.answer_rates(store.conn, campaign.id)
    hours = {rate.hour for rate in rates}
    assert hours <= {18, 19}, "it is about midnight UTC"
    sums = [sum(getattr(r, n) for r in rates) for n in ("calls", "answered", "human")]
    assert sums == [4, 3, 2]
