"""A restored back-up that is older than the calls calls nobody again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from domain.values import CampaignState
from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import NEVER_ENDS
from storage.database import open_pool
from storage.process.timeline_guard import TimelineGuard
from tests.end_to_end.processes import (
    beside,
    command,
    running_up,
    start_campaign,
    state_of,
)
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

CONTACTS, CAP = 8, 2


@contextmanager
def backed_up(url: str, admin: str) -> Iterator[str]:
    """Copy the whole database, which must have no connections."""
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"create database {name}_copy template {name}".encode())
        yield urlsplit(url)._replace(path=f"/{name}_copy").geturl()
        connection.execute(f"drop database {name}_copy with (force)".encode())


@pytest.fixture
def settings(simulator: Simulator) -> dict[str, Any]:
    return beside(simulator) | {
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 2,
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 50,
    }


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Calls last until the test ends them, so that the cap keeps others waiting."""
    with running_simulator(speed=60, outcomes={NEVER_ENDS: 1}) as simulator:
        yield simulator


def until_called(simulator: Simulator, least: int) -> None:
    def called() -> bool:
        return len(simulator.ledger()["calls"]) >= least

    eventually(called, within=120, what=f"{least} calls")


def test_contacts_called_after_the_back_up_are_not_called_again(
    database: str,
    postgres_url: str,
    simulator: Simulator,
    settings: dict[str, Any],
    tmp_path: Path,
) -> None:
    phones = write_sample(tmp_path / "people.csv", CONTACTS)
    first = settings | {"DATABASE_URL": database}
    id_ = start_campaign(tmp_path / "people.csv", CAP, **first)
    with open_pool(database, name="test", max_size=2) as pool:
        TimelineGuard(pool).lead()  # As each scheduler does that leads.
    with backed_up(database, postgres_url) as copy:
        with running_up(tmp_path, **first):
            until_called(simulator, CAP)
            simulator.hang_up(*simulator.live())
            until_called(simulator, 2 * CAP)
        simulator.set_faults(endings=dict.fromkeys(phones, "customer-ended-call"))
        restored = settings | {"DATABASE_URL": copy}
        with running_up(tmp_path, **restored):
            simulator.hang_up(*simulator.live())
            until_called(simulator, CONTACTS)
            eventually(
                lambda: state_of(copy, id_) is CampaignState.COMPLETED,
                within=120,
                what="the end of the campaign",
            )
        command("audit", "verify", cwd=tmp_path, **restored)
    calls = Counter(call["number"] for call in simulator.ledger()["calls"])
    assert calls == Counter(phones)
