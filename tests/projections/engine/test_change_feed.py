"""What changed is told at once; whoever waits for a position is woken by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from random import Random
from threading import Thread

from projections.engine.change_feed import Changed, ReadModelFeed
from projections.engine.runner import catch_up
from tests.projections.conftest import Store
from tests.projections.lives import Life
from tests.support import eventually


@contextmanager
def feeding(store: Store, every: float = 60) -> Iterator[ReadModelFeed]:
    feed = ReadModelFeed(store.url, every=every)
    feed.start()
    try:
        yield feed
    finally:
        feed.stop()


def listeners(store: Store) -> int:
    query = """
        select count(*) from pg_stat_activity
        where application_name = 'autolynx read model feed'
            and datname = current_database()
            and query like 'listen%%' and state = 'idle'
    """
    return int(store.value(query))


def one_campaign() -> Life:
    life = Life(Random(0))
    life.open_campaign(2)
    return life


def test_a_change_is_told_with_its_campaigns(store: Store) -> None:
    life, told = one_campaign(), Queue[tuple[int, Changed]]()
    with feeding(store) as feed:
        feed.subscribe(lambda position, changed: told.put((position, changed)))
        eventually(lambda: listeners(store) == 1)
        position = store.append(life.events)
        catch_up(store.conn)
        changes = iter(lambda: told.get(timeout=10), None)
        named = next(change for change in changes if change[1] is not None)
        assert named == (position, frozenset({life.campaigns[0].id}))


def test_what_came_before_the_feed_is_known_from_the_first_look(store: Store) -> None:
    position = store.append(one_campaign().events)
    catch_up(store.conn)
    with feeding(store) as feed:
        assert feed.wait_for(position, timeout=10)
        assert feed.position == position


def test_waiting_ends_when_the_position_is_reached(store: Store) -> None:
    events = one_campaign().events
    with feeding(store) as feed:
        eventually(lambda: listeners(store) == 1)
        position, reached = store.append(events), Queue[bool]()
        waiter = Thread(target=lambda: reached.put(feed.wait_for(position, 10)))
        waiter.start()
        assert reached.empty()
        catch_up(store.conn)
        assert reached.get(timeout=10)
        waiter.join()


def test_waiting_for_what_does_not_come_ends_in_time(store: Store) -> None:
    with feeding(store) as feed:
        assert not feed.wait_for(1, timeout=0.01)


def test_stopping_ends_every_wait(store: Store) -> None:
    ended = Queue[bool]()
    with feeding(store) as feed:
        waiter = Thread(target=lambda: ended.put(feed.wait_for(1, 600)))
        waiter.start()
        feed.stop()
        assert not ended.get(timeout=10)
        waiter.join()


def test_what_was_missed_while_deaf_is_told_as_a_change_of_anything(
    store: Store,
) -> None:
    told = Queue[tuple[int, Changed]]()
    with feeding(store, every=0.05) as feed:
        feed.subscribe(lambda position, changed: told.put((position, changed)))
        eventually(lambda: listeners(store) == 1)
        position = store.append(one_campaign().events)
        catch_up(store.conn, notify=False)
        assert told.get(timeout=10) == (position, None)


def test_a_lost_connection_is_made_again(store: Store) -> None:
    with feeding(store) as feed:
        eventually(lambda: listeners(store) == 1)
        store.conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'autolynx read model feed'"
            " and datname = current_database()"
        )
        position = store.append(one_campaign().events)
        catch_up(store.conn)
        assert feed.wait_for(position, timeout=10)


def test_a_subscriber_that_fails_harms_no_other(store: Store) -> None:
    told = Queue[int]()
    with feeding(store) as feed:
        feed.subscribe(lambda position, _: told.put(position // 0))
        feed.subscribe(lambda position, _: told.put(position))
        position = store.append(one_campaign().events)
        catch_up(store.conn)
        assert told.get(timeout=10) == position


def test_nobody_is_told_after_leaving(store: Store) -> None:
    told: list[int] = []
    with feeding(store) as feed:
        leave = feed.subscribe(lambda position, _: told.append(position))
        leave()
        position = store.append(one_campaign().events)
        catch_up(store.conn)
        assert feed.wait_for(position, timeout=10)
    assert told == []
