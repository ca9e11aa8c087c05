"""A leader recognises whether stored events can be missing from the database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from domain.dispatcher import DISPATCHER_ID
from storage.database import Pool, open_pool
from storage.process.timeline_guard import TimelineGuard

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    """A database with one campaign."""
    with open_pool(database, name="test") as pool:
        execute(
            pool,
            "insert into autolynx_events (originator_id, originator_version, topic,"
            " state) values (gen_random_uuid(), 1, 'campaign.created', '')",
        )
        yield pool


def execute(pool: Pool, statement: str) -> None:
    with pool.connection() as conn:
        conn.execute(statement.encode())


def restart(pool: Pool) -> None:
    """Change the record as if the server had been restarted since."""
    execute(pool, "update last_led set server = server || ' before'")


def test_a_server_that_was_not_restarted_lacks_nothing(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    assert guard.is_same_timeline()


def test_events_may_be_missing_after_a_restart(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    restart(pool)
    assert not guard.is_same_timeline()


def test_a_restart_after_the_leader_has_left_loses_nothing(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    guard.leave()
    restart(pool)
    assert guard.is_same_timeline()
    guard.lead()
    restart(pool)
    assert not guard.is_same_timeline(), "it has a leader again"


@pytest.mark.parametrize(
    "copy", ["copy || ' of another timeline'", "null"], ids=["another", "unknown"]
)
def test_events_may_be_missing_from_another_timeline_or_copy(
    pool: Pool, copy: str
) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    guard.leave()
    restart(pool)
    execute(pool, f"update last_led set copy = {copy}")
    assert not guard.is_same_timeline()


def test_events_may_be_missing_from_reloaded_tables(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    execute(
        pool,
        "create table kept as table autolynx_events; truncate autolynx_events;"
        " insert into autolynx_events table kept; drop table kept",
    )
    assert not guard.is_same_timeline()


def test_a_database_without_claims_lacks_nothing(pool: Pool) -> None:
    """Campaigns may be prepared before a scheduler runs for the first time."""
    assert TimelineGuard(pool).is_same_timeline()


def test_a_database_without_campaigns_lacks_nothing(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    restart(pool)
    execute(pool, "delete from autolynx_events")
    assert guard.is_same_timeline()


def test_events_may_be_missing_if_there_are_claims_but_no_record(pool: Pool) -> None:
    """The claims were stored before leaders wrote records."""
    execute(
        pool,
        "insert into autolynx_events (originator_id, originator_version, topic, state)"
        " values ('8d4dd3f1-7b56-5c5f-b1fe-6ffbb4ea5ab0', 1, 'x', '')",
    )
    assert TimelineGuard(pool).is_same_timeline(), "another stream"
    execute(
        pool,
        f"update autolynx_events set originator_id = '{DISPATCHER_ID}'"
        " where topic = 'x'",
    )
    assert not TimelineGuard(pool).is_same_timeline()


@pytest.mark.parametrize("known", [True, False])
def test_an_incomplete_search_keeps_its_start(pool: Pool, known: bool) -> None:
    guard, later = TimelineGuard(pool), NOON + timedelta(hours=1)
    assert guard.search_from(NOON, known=known) == NOON
    assert guard.search_from(later, known=known) == NOON
    assert guard.is_same_timeline() is known, "a search alone records no leader"
    guard.lead()
    assert guard.search_from(later, known=True) == later


def test_the_largest_list_delay_is_kept_for_a_day(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    assert guard.list_delay() == timedelta(0)
    guard.lead()
    guard.keep_list_delay(timedelta(seconds=75))
    guard.lead()
    assert guard.list_delay() == timedelta(seconds=75)
    execute(pool, "update last_led set list_delay_at = list_delay_at - interval '25h'")
    assert guard.list_delay() == timedelta(0)
