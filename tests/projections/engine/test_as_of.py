"""Rows as of a time equal those that the read tables showed then."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from domain.campaigns.campaign_events import CampaignEvent
from projections import event_index
from projections.calls import call_log
from projections.campaigns import campaign_board
from projections.engine.as_of import call_as_of, campaign_as_of
from projections.engine.runner import Batches, catch_up
from projections.event_index import TICK, Wanted, position_at
from projections.tables.checkpoint import position_of
from tests.projections.lives import START, Life
from tests.projections.random_lives import whole_life
from tests.projections.store import Store


def latest(events: list[Any]) -> datetime:
    found: datetime = max(event.timestamp for event in events)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_as_of_a_time_equal_the_read_tables_of_that_time(
    store: Store, seed: int
) -> None:
    life = whole_life(Random(seed))
    store.append(life.events)
    seen = [shown(store, life) for _ in one_by_one(store, life)]
    for time in sorted({event.timestamp for event in life.events}):
        position = position_at(store.conn, time)
        if position == 0:
            continue
        campaigns, calls = seen[position - 1]
        for id_, row in campaigns.items():
            assert campaign_as_of(store.conn, id_, time) == row
        for id_, call in calls.items():
            assert call_as_of(store.conn, id_, time) == call


def one_by_one(store: Store, life: Life) -> Any:
    batches = Batches(store.conn)
    for event in life.events:
        batches.apply(1)
        yield event


def shown(store: Store, life: Life) -> tuple[dict[Any, Any], dict[Any, Any]]:
    campaigns = {c.id: campaign_board.get(store.conn, c.id) for c in life.campaigns}
    calls = [call for each in life.calls.values() for call in each]
    return campaigns, {c.id: call_log.get(store.conn, c.id) for c in calls[:5]}


def test_without_a_time_the_current_row_is_returned(store: Store) -> None:
    life = whole_life(Random(3))
    store.append(life.events)
    catch_up(store.conn)
    for campaign in life.campaigns:
        now = campaign_board.get(store.conn, campaign.id)
        assert campaign_as_of(store.conn, campaign.id) == now
        assert campaign_as_of(store.conn, campaign.id, latest(life.events)) == now
        assert campaign_as_of(store.conn, campaign.id, START) is None
    assert campaign_as_of(store.conn, uuid4()) is None
    assert call_as_of(store.conn, life.campaigns[0].id) is None
    call = next(call for each in life.calls.values() for call in each)
    assert campaign_as_of(store.conn, call.id) is None


def test_a_time_means_one_position_even_if_clocks_differ(store: Store) -> None:
    life = Life(Random(0))
    for step in (0, 10, 5, 20, 15, 30):
        life.now = START + timedelta(seconds=step)
        campaign = life.open_campaign(0)
        assert campaign.created_on >= life.now - timedelta(seconds=200)
    store.append(life.events)
    catch_up(store.conn)
    times = [event.timestamp for event in life.events]
    for time in [START - TICK, *times, *(at - TICK for at in times)]:
        later = [at for at, occurred in enumerate(times, start=1) if occurred > time]
        expected = min(later) - 1 if later else len(times)
        assert position_at(store.conn, time) == expected


def test_events_are_listed_forwards_and_backwards_in_pages(store: Store) -> None:
    last = store.append(whole_life(Random(4)).events)
    catch_up(store.conn)
    assert paged(store) == list(range(1, last + 1))
    assert paged(store, newest_first=True) == list(range(last, 0, -1))


def paged(store: Store, **how: Any) -> list[int]:
    found: list[int] = []
    after: str | None = None
    while True:
        page = event_index.page(store.conn, first=17, after=after, **how)
        found += [event.position for event in page.nodes]
        after = page.end_cursor
        if not page.has_next:
            return found


def test_events_are_filtered_by_each_condition_and_by_all_together(
    store: Store,
) -> None:
    life = whole_life(Random(5))
    store.append(life.events)
    catch_up(store.conn)
    campaign = life.campaigns[0].id
    half = life.events[len(life.events) // 2].timestamp
    rows = [
        (at, campaign_board.campaign_of(event), event)
        for at, event in enumerate(life.events, start=1)
    ]
    topics = ["campaign.created", "call.created"]
    cases: list[tuple[Wanted, Any]] = [
        (Wanted(aggregate_id=campaign), lambda c, e: e.originator_id == campaign),
        (Wanted(campaign_id=campaign), lambda c, e: c == campaign),
        (Wanted(types=topics), lambda c, e: getattr(e, "TOPIC", "") in topics),
        (Wanted(actor="ann@example.com"), lambda c, e: True),
        (Wanted(actor="nobody"), lambda c, e: False),
        (Wanted(since=half), lambda c, e: e.timestamp >= half),
        (Wanted(until=half), lambda c, e: e.timestamp <= half),
        (
            Wanted(campaign_id=campaign, since=half, types=["campaign.changed"]),
            lambda c, e: (
                c == campaign
                and e.timestamp >= half
                and getattr(e, "TOPIC", "") == "campaign.changed"
            ),
        ),
    ]
    for wanted, fits in cases:
        expected = [at for at, owner, event in rows if fits(owner, event)]
        assert paged(store, wanted=wanted) == expected
        backwards = paged(store, wanted=wanted, newest_first=True)
        assert backwards == expected[::-1]
        found, until = event_index.since(store.conn, 0, 10_000, wanted)
        assert [event.position for event in found] == expected
        assert until == position_of(store.conn)


def test_reading_after_a_position_omits_no_event(store: Store) -> None:
    store.append(whole_life(Random(6)).events)
    catch_up(store.conn)
    read: list[int] = []
    position, last = 0, position_of(store.conn)
    while position < last:
        events, position = event_index.since(store.conn, position, 10)
        read += [event.position for event in events]
    assert read == list(range(1, last + 1))
    assert event_index.since(store.conn, last, 10) == ([], last)
    assert event_index.since(store.conn, last + 5, 10) == ([], last + 5)


def test_an_event_shows_its_own_fields(store: Store) -> None:
    life = whole_life(Random(7))
    store.append(life.events)
    catch_up(store.conn)
    campaign = life.campaigns[0]
    (listed,) = event_index.of_aggregates(store.conn, [campaign.id]).values()
    own = [e for e in life.events if isinstance(e, CampaignEvent)]
    own = [e for e in own if e.originator_id == campaign.id]
    assert [event.version for event in listed] == [e.originator_version for e in own]
    first = listed[0]
    assert (first.type, first.aggregate_type) == ("campaign.created", "campaign")
    assert first.payload["name"] == "Campaign 0"
    assert first.payload.keys().isdisjoint({"timestamp", "actor", "originator_topic"})


def test_an_unreadable_event_is_still_listed(store: Store) -> None:
    store.append(whole_life(Random(8)).events)
    catch_up(store.conn)
    for position, state in ((3, b"no json"), (4, b"[1]")):
        store.conn.execute(
            "update autolynx_events set state = %s where notification_id = %s",
            (state, position),
        )
    store.conn.execute("delete from autolynx_events where notification_id = 5")
    page = event_index.page(store.conn, first=5)
    assert [event.payload for event in page.nodes[2:]] == ["no json", [1], None]
