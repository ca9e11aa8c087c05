"""How far the read model is behind, and at which event it stands."""

from datetime import timedelta
from random import Random

from projections.engine.runner import catch_up
from projections.monitoring.lag import Lag, lag, lag_seconds
from projections.monitoring.projection_status import projection_status
from tests.projections.conftest import Store
from tests.projections.lives import whole_life


def test_nothing_is_missing_where_all_was_brought_in(store: Store) -> None:
    life = whole_life(Random(1))
    end = store.append(life.events)
    catch_up(store.conn)
    assert lag(store.conn, life.now) == Lag()
    found = projection_status(store.conn, life.now)
    assert (found.position, found.head, found.behind) == (end, end, 0)


def test_the_first_missing_event_is_named_with_its_age(store: Store) -> None:
    life = whole_life(Random(1))
    end = store.append(life.events)
    first = life.events[0].timestamp
    found = lag(store.conn, first + timedelta(seconds=90))
    assert found == Lag(90.0, "event 1 (settings.created)")
    assert lag_seconds(store.conn, first - timedelta(seconds=90)) == 0
    assert projection_status(store.conn, first).behind == end


def test_an_event_that_nobody_can_read_is_named_too(store: Store) -> None:
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
