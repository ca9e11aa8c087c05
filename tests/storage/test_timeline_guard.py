"""By what a leader knows that nothing can be missing from the database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from domain.dispatcher import DISPATCHER_ID
from storage.database import Pool, open_pool
from storage.process.timeline_guard import TimelineGuard

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    """A database in which there is a campaign."""
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
    """Let the note look as after a restart of the server: it began at another time."""
    execute(pool, "update last_led set server = server || ' before'")


def test_a_server_that_ran_on_has_all_that_was_stored(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    assert guard.is_same_timeline()


def test_after_a_restart_something_may_be_missing(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    restart(pool)
    assert not guard.is_same_timeline()


def test_a_restart_after_the_leader_left_is_none_to_worry_about(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    guard.leave()
    restart(pool)
    assert guard.is_same_timeline()
    guard.lead()
    restart(pool)
    assert not guard.is_same_timeline(), "it was led again"


@pytest.mark.parametrize(
    "copy", ["copy || ' of another timeline'", "null"], ids=["another", "not told"]
)
def test_another_cluster_timeline_database_or_file_is_worth_a_search(
    pool: Pool, copy: str
) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    guard.leave()
    restart(pool)
    execute(pool, f"update last_led set copy = {copy}")
    assert not guard.is_same_timeline()


def test_tables_that_were_filled_anew_are_not_those_that_were_led(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    execute(
        pool,
        "create table kept as table autolynx_events; truncate autolynx_events;"
        " insert into autolynx_events table kept; drop table kept",
    )
    assert not guard.is_same_timeline()


def test_a_database_from_which_nobody_was_called_lacks_nothing(pool: Pool) -> None:
    """So it is where people prepare campaigns before a scheduler ever ran."""
    assert TimelineGuard(pool).is_same_timeline()


def test_where_there_is_no_campaign_nobody_can_be_called_twice(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    guard.lead()
    restart(pool)
    execute(pool, "delete from autolynx_events")
    assert guard.is_same_timeline()


def test_claims_that_nobody_took_note_of_are_worth_a_search(pool: Pool) -> None:
    """They are older than the notes."""
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
def test_a_search_that_is_not_over_begins_where_it_began(
    pool: Pool, known: bool
) -> None:
    guard, later = TimelineGuard(pool), NOON + timedelta(hours=1)
    assert guard.search_from(NOON, known=known) == NOON
    assert guard.search_from(later, known=known) == NOON
    assert guard.is_same_timeline() is known, "nothing was settled"
    guard.lead()
    assert guard.search_from(later, known=True) == later


def test_how_late_calls_were_listed_is_remembered_for_a_day(pool: Pool) -> None:
    guard = TimelineGuard(pool)
    assert guard.list_delay() == timedelta(0)
    guard.lead()
    guard.keep_list_delay(timedelta(seconds=75))
    guard.lead()
    assert guard.list_delay() == timedelta(seconds=75)
    execute(pool, "update last_led set list_delay_at = list_delay_at - interval '25h'")
    assert guard.list_delay() == timedelta(0)
