"""A callback for which the analysis of a simulated call asks, over HTTP only."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from interfaces.cli.demo.client import Client
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.end_to_end.processes import autolynx, beside, running_up
from tests.end_to_end.test_main_path import CREATE, IMPORT, START
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

ADMIN = "admin@autolynx.example"
DELAY = timedelta(days=1)
CONTACT = """
query ($id: ID!) {
  campaign(id: $id) { state contacts(first: 1) { nodes {
    status disposition attempts nextAttemptAt
    call { startedAt endedAt structuredOutputs events { type } }
  } } }
}
"""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """People who ask for a callback, and an assistant without tools."""
    with running_simulator(
        speed=60,
        outcomes={"customer-ended-call": 1},
        scenes={"callback": 1},
        callback_seconds=DELAY.total_seconds(),
        reach={"time_zone": "America/New_York"},
    ) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator, tmp_path: Path) -> Iterator[Client]:
    """A member's client of a whole `autolynx up`."""
    settings = beside(simulator) | {
        "DATA_DIR": tmp_path / "data",
        "ADMIN_EMAIL": ADMIN,
        "SETTINGS_TICK_SECONDS": 1,
    }
    with running_up(tmp_path, **settings) as up:
        token = autolynx("tokens", "create", ADMIN, cwd=tmp_path, **settings)
        client = Client(up.url, token.stdout.strip())
        eventually(client.ready, within=60, said="a fit API")
        yield client
        client.close()


def test_a_time_in_the_outputs_of_a_call_plans_a_callback_then(
    client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,phone\nAda,+12125550101\n", "utf-8")
    before = datetime.now(UTC)
    campaign = _created(client, file)
    client.ask(START, id=campaign)
    eventually(lambda: _planned(client, campaign), within=60, said="a callback")
    contact = _contact(client, campaign)
    due = datetime.fromisoformat(contact["nextAttemptAt"])
    ended = datetime.fromisoformat(contact["call"]["endedAt"])
    assert before + DELAY - timedelta(seconds=1) <= due <= ended + DELAY
    assert contact["status"] == "PENDING"
    assert contact["disposition"] == "CALLBACK_REQUESTED"
    told = contact["call"]["structuredOutputs"]["callback_at"]
    assert told == _in_new_york(due)
    types = [event["type"] for event in contact["call"]["events"]]
    assert types.count("call.callback_requested") == 1


def _created(client: Client, file: Path) -> str:
    upload = client.upload(file)
    assistant = client.ask(IMPORT, id=DEFAULT_ASSISTANT_ID)
    asked = {
        "name": "One person",
        "uploadId": upload["id"],
        "assistantId": assistant["id"],
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        "callbackOutput": "callback_at",
    }
    return str(client.ask(CREATE, input=asked)["campaign"]["id"])


def _contact(client: Client, campaign: str) -> Any:
    [contact] = client.ask(CONTACT, id=campaign)["contacts"]["nodes"]
    return contact


def _planned(client: Client, campaign: str) -> bool:
    return _contact(client, campaign)["nextAttemptAt"] is not None


def _in_new_york(instant: datetime) -> str:
    zone = ZoneInfo("America/New_York")
    return instant.astimezone(zone).replace(tzinfo=None).isoformat()
