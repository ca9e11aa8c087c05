"""People control running campaigns through the API; calls go to the simulator.

A tick lasts ten minutes here, so what happens earlier is caused by a notification.
Caps, batches, the pace and daily budgets are proven in tests/scheduler.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.demo.client import Client
from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    NEVER_ENDS,
)
from tests.end_to_end.processes import beside, running_up, token_of_an_admin
from tests.scheduler.alerts.receiver import Received, receiving
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

TICK = 600
OTHER_LINE = "0f3c7a52-6d1b-4b8e-9a27-64c1d2e3f405"
NUMBERS = (f"+1{area}555{line:04d}" for area in count(201) for line in range(100, 200))

IMPORT = """mutation ($id: String!) {
  importAssistant(providerAssistantId: $id) { ... on Assistant { id } } }"""
CREATE = """mutation ($input: CreateCampaignInput!) {
  createCampaign(input: $input) { __typename
    ... on ImportedCampaign { campaign { id } } ... on UserError { message } } }"""
ADD = """mutation ($id: ID!, $upload: ID!) {
  importContacts(campaignId: $id, uploadId: $upload) { __typename
    ... on UserError { message } } }"""
COMMAND = """mutation ($id: ID!) {
  %sCampaign(id: $id) { __typename
    ... on Campaign { state } ... on UserError { message } } }"""
CANCEL = """mutation ($id: ID!) {
  cancelCampaign(id: $id, hangUp: true) { __typename ... on Campaign { state } } }"""
CHANGE = """mutation ($id: ID!, $input: UpdateCampaignInput!) {
  updateCampaign(id: $id, input: $input) { __typename
    ... on UserError { message } } }"""
SET = """mutation ($input: SettingsInput!) {
  updateSettings(input: $input) { __typename ... on UserError { message } } }"""
LOOK = """query ($id: ID!) { campaign(id: $id) {
  state stateReason pauseCause queuedAt
  lastDecision { room placed reasons { code contacts message } }
  progress { pending active ended canceled contacts spend } } }"""
ALERTS = "{ spend { alerts { campaignId message } } }"


class Installation:
    """A client of a running installation, and the provider's ledger."""

    def __init__(self, client: Client, simulator: Simulator, folder: Path) -> None:
        self.client, self.simulator, self.folder = client, simulator, folder
        self.assistant = client.ask(IMPORT, id=DEFAULT_ASSISTANT_ID)["id"]
        self.endings: dict[str, str] = {}

    # --- What people do -------------------------------------------------------------

    def upload(self, people: int, ending: str | None = None) -> str:
        """Upload a file of this many new people; `ending` is how each call ends."""
        phones = [next(NUMBERS) for _ in range(people)]
        if ending:
            self.endings |= dict.fromkeys(phones, ending)
            self.spoil()
        file = self.folder / f"{phones[0]}.csv"
        with file.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["name", "business_name", "phone"])
            writer.writerows([f"Person {phone}", "", phone] for phone in phones)
        result = self.client.upload(file)
        assert result["report"]["accepted"] == people, result
        return str(result["id"])

    def campaign(
        self, people: int, *, ending: str | None = None, start: bool = True, **own: Any
    ) -> str:
        asked = {
            "name": "Spring",
            "uploadId": self.upload(people, ending),
            "assistantId": self.assistant,
            "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
            **own,
        }
        id_ = str(self.client.ask(CREATE, input=asked)["campaign"]["id"])
        if start:
            self.tell("start", id_)
        return id_

    def tell(self, command: str, id_: str) -> None:
        self.client.ask(COMMAND % command, id=id_)

    def change(self, id_: str, **own: Any) -> None:
        self.client.ask(CHANGE, id=id_, input=own)

    def set(self, **values: Any) -> None:
        self.client.ask(SET, input=values)

    def cancel(self, *ids: str) -> None:
        """Cancel with hang-up, and wait until nothing is live."""
        for id_ in ids:
            self.client.ask(CANCEL, id=id_)
        for id_ in ids:
            self.wait(lambda id_=id_: not self.live(id_), "hang-ups")
            self.wait(lambda id_=id_: not self.progress(id_)["active"], "ends")

    def spoil(self, **faults: Any) -> None:
        """Set the simulator's faults in addition to how calls end."""
        self.simulator.set_faults(endings=self.endings, **faults)

    # --- What there is ----------------------------------------------------------------

    def look(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.ask(LOOK, id=id_)
        return found

    def progress(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.look(id_)["progress"]
        return found

    def reasons(self, id_: str) -> dict[str, int]:
        decision = self.look(id_)["lastDecision"] or {"reasons": []}
        return {why["code"]: why["contacts"] for why in decision["reasons"]}

    def calls(self, id_: str) -> list[dict[str, Any]]:
        """Read the campaign's calls from the provider's ledger, in their order."""
        own = [
            call
            for call in self.simulator.ledger()["calls"]
            if call["metadata"].get("autolynx_campaign_id") == id_
        ]
        return sorted(own, key=lambda call: call["createdAt"])

    def live(self, id_: str) -> int:
        return sum(call["status"] != "ended" for call in self.calls(id_))

    def wait(self, condition: Any, said: str, within: float = 90) -> None:
        eventually(condition, within=within, what=said)

    def wait_for_reasons(self, id_: str, expected: dict[str, int]) -> None:
        """Wait until the scheduler gives exactly these reasons."""
        seen: list[dict[str, Any]] = []

        def is_given() -> bool:
            seen[:] = [self.look(id_)]
            return self.reasons(id_) == expected

        try:
            self.wait(is_given, str(expected))
        except AssertionError as error:
            error.add_note(f"The last answer was {seen}.")
            raise

    def wait_for_state(self, id_: str, state: str) -> None:
        self.wait(lambda: self.look(id_)["state"] == state, state)


@pytest.fixture(scope="module")
def alerts() -> Iterator[tuple[str, Received]]:
    with receiving() as (url, seen):
        yield url, seen


@pytest.fixture(scope="module")
def installation(
    shared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("control")
    settings: dict[str, Any] = {
        "DATABASE_URL": shared_database,
        "RECONCILE_SECONDS": 2,
        "VAPI_TIMEOUT_SECONDS": 5,
        "SETTINGS_TICK_SECONDS": TICK,
        "SETTINGS_GLOBAL_CAP": 30,
        "SETTINGS_DIALS_PER_SECOND": 50,
    }
    with (
        running_simulator(
            speed=60,
            talk_seconds=(30, 60),
            ring_seconds=(5, 10),
            concurrency_limit=100,
            outcomes={"customer-ended-call": 1},
            phone_numbers=[{"id": OTHER_LINE, "number": "+12025550101"}],
        ) as simulator,
        running_up(folder, **beside(simulator) | settings) as up,
    ):
        client = Client(up.url, token_of_an_admin(shared_database))
        eventually(client.ready, within=120, what="a fit API")
        yield Installation(client, simulator, folder)
        client.close()


def fills(calls: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    return [calls[first : first + size] for first in range(0, len(calls), size)]


def one_after_another(groups: list[list[dict[str, Any]]]) -> bool:
    return all(
        max(call["endedAt"] for call in earlier)
        <= min(call["createdAt"] for call in later)
        for earlier, later in pairwise(groups)
    )


def test_the_first_call_is_dialled_long_before_the_next_tick(
    installation: Installation,
) -> None:
    id_ = installation.campaign(1)
    installation.wait(lambda: installation.calls(id_), "a call")
    [call] = installation.calls(id_)
    started = datetime.fromisoformat(installation.look(id_)["queuedAt"])
    dialled = datetime.fromisoformat(call["createdAt"])
    assert (dialled - started).total_seconds() < TICK / 2
    installation.wait_for_state(id_, "COMPLETED")


def test_a_busy_line_delays_a_gated_campaign_and_is_given_as_the_reason(
    installation: Installation,
) -> None:
    foreign = foreign_call(installation)
    id_ = installation.campaign(
        4, cap=2, lineQuietGating=True, phoneNumberId=OTHER_LINE
    )
    installation.wait_for_reasons(id_, {"LINE_BUSY": 4})
    assert installation.calls(id_) == []
    installation.simulator.hang_up(foreign["id"])
    installation.wait_for_state(id_, "COMPLETED")
    assert one_after_another(fills(installation.calls(id_), 2))


def foreign_call(installation: Installation) -> dict[str, Any]:
    """Start a long call of somebody else on the other line."""
    number = next(NUMBERS)
    installation.endings[number] = NEVER_ENDS
    installation.spoil()
    asked = {
        "assistantId": DEFAULT_ASSISTANT_ID,
        "phoneNumberId": OTHER_LINE,
        "customer": {"number": number},
    }
    answer = installation.simulator.client.post("/call", json=asked)
    call: dict[str, Any] = answer.raise_for_status().json()
    return call


def test_a_paused_campaign_continues_its_calls_and_starts_none_until_resumed(
    installation: Installation,
) -> None:
    """The calls of before the pause last until the test hangs them up."""
    id_ = installation.campaign(6, ending=NEVER_ENDS, cap=2)
    installation.wait(lambda: installation.live(id_) == 2, "two calls")
    installation.tell("pause", id_)
    installation.endings.clear()
    installation.spoil()
    assert installation.live(id_) == 2
    installation.simulator.hang_up(*(call["id"] for call in installation.calls(id_)))
    installation.wait(lambda: installation.progress(id_)["active"] == 0, "their ends")
    installation.wait_for_reasons(id_, {"PAUSED": 4})
    assert len(installation.calls(id_)) == 2
    installation.tell("resume", id_)
    installation.wait_for_state(id_, "COMPLETED")
    called = Counter(call["number"] for call in installation.calls(id_))
    assert sorted(called.values()) == [1] * 6


def test_a_cap_is_raised_at_once_and_a_cancel_hangs_up(
    installation: Installation,
) -> None:
    id_ = installation.campaign(5, ending=NEVER_ENDS, cap=1)
    installation.wait(lambda: installation.live(id_) == 1, "one call")
    installation.change(id_, cap=3)
    installation.wait(lambda: installation.live(id_) == 3, "three calls")
    installation.wait_for_reasons(id_, {"CAP_FULL": 2})
    installation.cancel(id_)
    assert all(call["endedReason"] for call in installation.calls(id_))
    progress = installation.progress(id_)
    assert (progress["ended"], progress["canceled"]) == (3, 2)


def test_contacts_may_be_added_to_a_running_campaign(
    installation: Installation,
) -> None:
    id_ = installation.campaign(2, ending=NEVER_ENDS, cap=4)
    installation.wait(lambda: installation.live(id_) == 2, "two calls")
    installation.client.ask(ADD, id=id_, upload=installation.upload(3, NEVER_ENDS))
    installation.wait(lambda: installation.live(id_) == 4, "two of the new ones")
    assert installation.progress(id_)["contacts"] == 5
    installation.cancel(id_)


def alerted(installation: Installation) -> list[str]:
    alerts = installation.client.ask(ALERTS)["alerts"]
    return [alert["campaignId"] for alert in alerts]


def test_a_budget_of_one_dollar_is_kept_and_raises_alerts(
    installation: Installation, alerts: tuple[str, Received]
) -> None:
    url, posted = alerts
    installation.set(alertWebhookUrl=url)
    id_ = installation.campaign(60, cap=3, budget="1.00")
    installation.wait_for_state(id_, "PAUSED")
    look, costs = (
        installation.look(id_),
        [call["cost"] for call in installation.calls(id_)],
    )
    live_then = sum(sorted(costs)[-3:])
    assert look["pauseCause"] == "BUDGET"
    assert Decimal(look["progress"]["spend"]) > Decimal("0.8")
    assert sum(costs) <= 1.00 + live_then
    installation.wait(lambda: len(posted) >= 2, "both alerts posted")
    kinds = [body["alert"]["kind"] for body in posted]
    assert kinds == ["spend_threshold", "spend_limit"]
    assert all(body["text"] for body in posted)
    installation.wait(lambda: alerted(installation) == [id_, id_], "both alerts")
    installation.change(id_, budget="1000")
    installation.tell("resume", id_)
    installation.wait(lambda: len(installation.calls(id_)) > len(costs), "more calls")
    installation.cancel(id_)
