"""The lag of the read model and the next event."""

from datetime import timedelta
from random import Random

from projections.engine.runner import catch_up
from projections.monitoring.lag import Lag, lag, lag_seconds
from projections.monitoring.projection_status import projection_status
from tests.projections.random_lives import whole_life
from tests.projections.store import Store


def test_there_is_no_lag_if_all_events_are_applied(store: Store) -> None:
    life = whole_life(Random(1))
    end = store.append(life.events)
    catch_up(store.conn)
    assert lag(store.conn, life.now) == Lag()
    found = projection_status(store.conn, life.now)
    assert (found.position, found.head, found.behind) == (end, end, 0)


def test_the_lag_is_the_age_of_the_first_event_not_applied(store: Store) -> None:
    life = whole_life(Random(1))
    end = store.append(life.events)
    first = life.events[0].timestamp
    found = lag(store.conn, first + timedelta(seconds=90))
    assert found == Lag(90.0, "event 1 (settings.created)")
    assert lag_seconds(store.conn, first - timedelta(seconds=90)) == 0
    assert projection_status(store.conn, first).behind == end


def test_an_unreadable_event_is_reported_too(store: Store) -> None:
    life = whole_life(Random(1))
    end = store.append(life.events)
    catch_up(store.conn)
    store.conn.execute(
        "insert into autolynx_events (originator_id, originator_version, topic, state)"
        " values (gen_random_uuid(), 1, 'call.nonsense', 'no json')"
    )
    found = lag(store.conn, life.now + timedelta(hours=1))
    assert found.next_event == f"event {end + 1} (call.nonsense)"
    assert found.seconds >= 3600
