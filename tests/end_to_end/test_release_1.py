"""A database made by release 1 is upgraded, verified and continued by this version."""

from collections import Counter
from pathlib import Path
from typing import Any, LiteralString

import pytest

from domain.values import CampaignState
from projections.engine.rebuild import rebuild
from projections.engine.upgrade import rebuild_outdated
from projections.engine.verify import verify
from projections.start_up import prepare_tables
from provider.simulator.settings import OUTCOMES
from storage.database import connect
from storage.migrate import migrate, pending
from tests.end_to_end.processes import beside, command, running_up, state_of
from tests.release_1 import load_release_1
from tests.simulator import running_simulator
from tests.support import eventually
from tests.wiring import phones, real_time

LATEST_OF_RELEASE_1 = 13
RULES_OFF = ("callingRules=OFF", "callingRulesReason=test")
ENDINGS = {k: v for k, v in OUTCOMES.items() if not k.startswith("call.start")}

BOARD: LiteralString = """
    select name, state, contacts, pending, queued, ringing, in_progress, ended, failed,
        canceled, timed_out, spend, created_at, queued_at, started_at, completed_at
    from read.campaign_board order by name
"""
CALLS: LiteralString = """
    select call_id, contact_id, attempt, status, provider_call_id, ended_reason, cost
    from read.call_log order by call_id
"""
RUNNING: LiteralString = "select id from read.campaign_board where name = 'Running'"
NOT_PLACED: LiteralString = """
    select v.phone from contact_vault v
    join read.campaign_board b on b.id = v.campaign_id and b.name = 'Running'
    where not exists (
        select from read.call_log l
        where l.contact_id = v.contact_id and l.provider_call_id is not null
    )
"""


@pytest.fixture
def release_1(empty_database: str) -> str:
    load_release_1(empty_database)
    return empty_database


def rows(url: str, query: LiteralString) -> list[tuple[Any, ...]]:
    with connect(url, name="test") as conn:
        return conn.execute(query).fetchall()


def upgrade(url: str) -> None:
    prepare_tables(url, name="test")
    with connect(url, name="test") as conn:
        rebuild_outdated(url, conn)


def problems(url: str) -> list[str]:
    found: list[str] = []
    verify(url, now=real_time, on_problem=lambda problem: found.append(problem.message))
    return found


def test_the_migrations_of_release_1_are_unchanged(release_1: str) -> None:
    """Raises MigrationChanged where a file differs from what release 1 applied."""
    numbers = [int(name.split("_")[0]) for name in pending(release_1)]
    assert all(number > LATEST_OF_RELEASE_1 for number in numbers)
    migrate(release_1)
    assert pending(release_1) == []


def test_an_upgraded_database_shows_what_release_1_showed(release_1: str) -> None:
    board, calls = rows(release_1, BOARD), rows(release_1, CALLS)
    assert len(board) == 7
    assert len(calls) == 14
    upgrade(release_1)
    assert rows(release_1, BOARD) == board
    assert rows(release_1, CALLS) == calls
    assert problems(release_1) == []


def test_the_read_tables_of_an_upgraded_database_can_be_rebuilt(
    release_1: str,
) -> None:
    board, calls = rows(release_1, BOARD), rows(release_1, CALLS)
    upgrade(release_1)
    rebuild(release_1)
    assert rows(release_1, BOARD) == board
    assert rows(release_1, CALLS) == calls
    assert problems(release_1) == []


def test_an_upgraded_database_completes_the_campaign_that_release_1_was_running(
    release_1: str, tmp_path: Path
) -> None:
    """The simulator does not know the open calls of release 1: they time out.

    Contacts without a placed call are called once; nobody else is called.
    """
    expected = Counter(phone for (phone,) in rows(release_1, NOT_PLACED))
    assert expected == Counter(phones(3, 503))
    with running_simulator(speed=60, outcomes=ENDINGS) as simulator:
        settings = beside(simulator) | {
            "DATABASE_URL": release_1,
            "RECONCILE_SECONDS": 1,
            "VAPI_TIMEOUT_SECONDS": 2,
        }
        [(id_,)] = rows(release_1, RUNNING)
        with running_up(tmp_path, **settings):
            # The stored settings of release 1 enforce the rules; it may be night.
            command("settings", *RULES_OFF, cwd=tmp_path, **settings)
            eventually(
                lambda: state_of(release_1, id_) is CampaignState.COMPLETED,
                within=120,
                what="the end of the campaign",
            )
        called = Counter(call["number"] for call in simulator.ledger()["calls"])
        assert called == expected
    assert problems(release_1) == []
