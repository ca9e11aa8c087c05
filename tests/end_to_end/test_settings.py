"""Settings changed at one process apply in all others at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.demo.client import Client
from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    NEVER_ENDS,
)
from tests.end_to_end.processes import Up, beside, running_up, token_of_an_admin
from tests.scheduler.alerts.receiver import receiving
from tests.simulator import running_simulator
from tests.support import eventually

FIRST = {
    "SETTINGS_TICK_SECONDS": 3600,
    "SETTINGS_REFILL_IMMEDIATELY": "false",
    "SETTINGS_GLOBAL_CAP": 1,
    "SETTINGS_DIALS_PER_SECOND": 0.01,  # The second call is 100 s away.
    "SETTINGS_SILENCE_TIMEOUT_SECONDS": 86_400,
    "RECONCILE_SECONDS": 1,
}
"""With these, nobody is called within the test, and nobody asked after."""

IMPORT = """mutation ($id: String!) {
  importAssistant(providerAssistantId: $id) { ... on Assistant { id } } }"""
CREATE = """mutation ($input: CreateCampaignInput!) { createCampaign(input: $input) {
  ... on ImportedCampaign { campaign { id cap } } ... on UserError { message } } }"""
START = """mutation ($id: ID!) { startCampaign(id: $id) {
  __typename ... on UserError { message } } }"""
SET = """mutation ($input: SettingsInput!) { updateSettings(input: $input) {
  __typename ... on UserError { message } } }"""
SETTINGS = "{ settings { globalCap retentionDays alertWebhookUrl } }"
LOOK = """query ($id: ID!) { campaign(id: $id) {
  progress { active } lastDecision { reasons { code } } } }"""
CONFIRMED = """{ events(filter: {types: ["call.confirmed"]}) { nodes { position } } }"""


@dataclass
class Pair:
    """Two APIs of one installation; its scheduler runs with the first."""

    here: Client
    there: Client
    campaign: str
    alone: Up
    """The process group of `here`."""

    def change(self, **values: Any) -> None:
        """Change settings without waiting for anything."""
        self.here.ask(SET, input=values)

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.there.ask(LOOK, id=self.campaign)
        return found

    def active(self) -> int:
        return int(self.look()["progress"]["active"])

    def reasons(self) -> set[str]:
        decision = self.look()["lastDecision"] or {"reasons": []}
        return {reason["code"] for reason in decision["reasons"]}


@pytest.fixture(scope="module")
def pair(
    shared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("settings")
    with running_simulator(speed=60, outcomes={NEVER_ENDS: 1}) as simulator:
        settings = beside(simulator) | FIRST | {"DATABASE_URL": shared_database}
        with (
            running_up(folder, **settings) as up,
            running_up(folder, "api", **settings) as other,
        ):
            token = token_of_an_admin(shared_database)
            there, here = Client(up.url, token), Client(other.url, token)
            eventually(lambda: there.ready() and here.ready(), within=60, what="APIs")
            campaign = create(there, folder, "(202) 555-01", 5, cap=5)["id"]
            there.ask(START, id=campaign)
            yield Pair(here, there, campaign, other)
            there.close()
            here.close()


def create(
    client: Client, folder: Path, numbers: str, people: int, **own: Any
) -> dict[str, Any]:
    file = folder / "people.csv"
    rows = [f"Person {n},,{numbers}{n:02}" for n in range(people)]
    file.write_text("\n".join(["name,business_name,phone", *rows]))
    asked = {
        "name": "Spring",
        "uploadId": client.upload(file)["id"],
        "assistantId": client.ask(IMPORT, id=DEFAULT_ASSISTANT_ID)["id"],
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        **own,
    }
    made: dict[str, Any] = client.ask(CREATE, input=asked)["campaign"]
    return made


def test_a_single_role_runs_beside_a_whole_installation(pair: Pair) -> None:
    [only] = pair.alone.children().values()
    assert only.endswith("interfaces.asgi")
    assert pair.here.ready()


def test_changed_settings_apply_to_every_process_at_once(
    pair: Pair, tmp_path: Path
) -> None:
    pair.change(tickSeconds=1)
    full = {"GLOBAL_CAP_FULL"}
    eventually(lambda: pair.reasons() == full, within=60, what="a tick")
    assert pair.active() == 1

    pair.change(globalCap=3)
    eventually(lambda: pair.reasons() == {"RATE_LIMITED"}, within=60, what="the cap")
    assert pair.active() == 1

    pair.change(dialsPerSecond=50)
    eventually(lambda: pair.active() == 3, within=60, what="the pace")

    pair.change(silenceTimeoutSeconds=10, retentionDays=7, defaultCap=2)
    with receiving() as (url, alerts):
        pair.change(alertWebhookUrl=url)
        assert pair.there.ask(SETTINGS) == {
            "globalCap": 3,
            "retentionDays": 7,
            "alertWebhookUrl": url,
        }
        poor = create(pair.there, tmp_path, "(202) 555-02", 1, budget="0.01")
        assert poor["cap"] == 2
        pair.there.ask(START, id=poor["id"])
        eventually(lambda: alerts, within=60, what="an alert")

    asked = "a silent call's being asked for"
    eventually(lambda: pair.there.ask(CONFIRMED)["nodes"], within=60, what=asked)
