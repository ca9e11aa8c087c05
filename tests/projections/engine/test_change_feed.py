"""Subscribers are notified of changes, and waits end at their position."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from random import Random
from threading import Thread

from projections.engine.change_feed import Changed, ReadModelFeed
from projections.engine.runner import catch_up
from tests.child_process import join
from tests.projections.lives import Life
from tests.projections.store import Store
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


def test_subscribers_get_the_position_and_the_changed_campaigns(store: Store) -> None:
    life, received = one_campaign(), Queue[tuple[int, Changed]]()
    with feeding(store) as feed:
        feed.subscribe(lambda position, changed: received.put((position, changed)))
        eventually(lambda: listeners(store) == 1)
        position = store.append(life.events)
        catch_up(store.conn)
        changes = iter(lambda: received.get(timeout=10), None)
        named = next(change for change in changes if change[1] is not None)
        assert named == (position, frozenset({life.campaigns[0].id}))


def test_the_feed_reads_the_position_when_it_starts(store: Store) -> None:
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
        waiter = Thread(
            target=lambda: reached.put(feed.wait_for(position, 10)), daemon=True
        )
        waiter.start()
        assert reached.empty()
        catch_up(store.conn)
        assert reached.get(timeout=10)
        join(waiter)


def test_waiting_ends_at_the_time_out(store: Store) -> None:
    with feeding(store) as feed:
        assert not feed.wait_for(1, timeout=0.01)


def test_stop_ends_all_waits(store: Store) -> None:
    ended = Queue[bool]()
    with feeding(store) as feed:
        waiter = Thread(target=lambda: ended.put(feed.wait_for(1, 600)), daemon=True)
        waiter.start()
        feed.stop()
        assert not ended.get(timeout=10)
        join(waiter)


def test_lost_notifications_are_replaced_by_a_change_of_all_campaigns(
    store: Store,
) -> None:
    received = Queue[tuple[int, Changed]]()
    with feeding(store, every=0.05) as feed:
        feed.subscribe(lambda position, changed: received.put((position, changed)))
        eventually(lambda: listeners(store) == 1)
        position = store.append(one_campaign().events)
        catch_up(store.conn, notify=False)
        assert received.get(timeout=10) == (position, None)


def test_a_lost_connection_is_replaced(store: Store) -> None:
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


def test_an_error_of_one_subscriber_does_not_affect_the_others(store: Store) -> None:
    received = Queue[int]()
    with feeding(store) as feed:
        feed.subscribe(lambda position, _: received.put(position // 0))
        feed.subscribe(lambda position, _: received.put(position))
        position = store.append(one_campaign().events)
        catch_up(store.conn)
        assert received.get(timeout=10) == position


def test_nothing_is_sent_after_unsubscribing(store: Store) -> None:
    received: list[int] = []
    with feeding(store) as feed:
        leave = feed.subscribe(lambda position, _: received.append(position))
        leave()
        position = store.append(one_campaign().events)
        catch_up(store.conn)
        assert feed.wait_for(position, timeout=10)
    assert received == []
