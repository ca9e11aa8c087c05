"""From a file to its results, driven over HTTP and a WebSocket only."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import orjson
import pytest

from interfaces.cli.demo.client import Client
from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    OUTCOMES,
)
from tests.end_to_end.processes import (
    SECRET,
    beside,
    running_up,
    token_of_an_admin,
)
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

CONTACTS, CAP = 30, 5
SECONDS = 120
"""Longest time until a campaign is over, on a machine that is busy."""

# No start errors: such a call rings nobody and is tried again.
ENDINGS = {k: v for k, v in OUTCOMES.items() if not k.startswith("call.start")}
PARTS = "pending queued ringing inProgress ended failed canceled timedOut"

DELAY = timedelta(days=1)
"""When people want to be called again, counted from their call."""

PROGRESS = f"contacts active awaitingReports spend state {PARTS}"
IMPORT = """
mutation ($id: String!) {
  importAssistant(providerAssistantId: $id) { ... on Assistant { id } }
}
"""
CREATE = """
mutation ($input: CreateCampaignInput!) {
  createCampaign(input: $input) {
    ... on ImportedCampaign { campaign { id exportUrl state startedAt } }
    ... on UserError { message }
  }
}
"""
START = """
mutation ($id: ID!) {
  startCampaign(id: $id) { ... on Campaign { state startedAt queuedAt } }
}
"""
LOOK = """
query ($id: ID!) {
  campaign(id: $id) {
    state queuedAt startedAt completedAt lastDecision { placed reasons { code } }
  }
}
"""
CONTACT = """
query ($id: ID!) {
  campaign(id: $id) { state contacts(first: 1) { nodes {
    status disposition attempts nextAttemptAt
    call { startedAt endedAt structuredOutputs events { type } }
  } } }
}
"""
CALLS = """
query ($id: ID!) {
  campaign(id: $id) { contacts(first: 100) { nodes { call { providerCallId } } } }
}
"""
FOLLOW = f"""
subscription ($id: ID!) {{ campaignProgress(campaignId: $id) {{ {PROGRESS} }} }}
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator(
        speed=60,
        outcomes=ENDINGS,
        callback_seconds=DELAY.total_seconds(),
        reach={"time_zone": "America/New_York"},
    ) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def client(
    simulator: Simulator, folder: Path, shared_database: str
) -> Iterator[Client]:
    """A member's client of a whole `autolynx up`."""
    settings = beside(simulator) | {
        "DATABASE_URL": shared_database,
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 2,
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 50,
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
    }
    with running_up(folder, **settings) as up:
        client = Client(up.url, token_of_an_admin(shared_database))
        eventually(client.ready, within=30, what="a fit API")
        yield client
        client.close()


def test_a_file_becomes_calls_and_calls_become_a_file(
    client: Client, simulator: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    phones = write_sample(file, CONTACTS)
    campaign = _created(client, file)
    frames = list(_watched(client, campaign["id"]))
    ledger = _ledger_of(simulator, campaign["id"])
    export = _exported(client, campaign["exportUrl"], tmp_path)

    assert all(_adds_up(frame) for frame in frames)
    assert max(frame["active"] for frame in frames) <= CAP
    assert frames[-1]["state"] == "COMPLETED"
    assert Counter(call["number"] for call in ledger["calls"]) == Counter(phones)
    assert ledger["highWater"]["campaigns"][campaign["id"]] <= CAP
    assert [row["phone"] for row in export] == phones
    assert [_outcome(row) for row in export] == _outcomes(ledger, phones)
    assert _plans(ledger) == _plans_of(file, phones)
    spend = sum((Decimal(row["cost"] or 0) for row in export), Decimal(0))
    assert Decimal(frames[-1]["spend"]) == spend


def _ledger_of(
    simulator: Simulator, campaign_id: str, calls: int = CONTACTS
) -> dict[str, Any]:
    ledger = simulator.ledger(calls=calls, timeout=30)
    key = "autolynx_campaign_id"
    own = [c for c in ledger["calls"] if c["metadata"][key] == campaign_id]
    return ledger | {"calls": own}


def _created(client: Client, file: Path, **terms: Any) -> Mapping[str, Any]:
    upload = client.upload(file)
    assistant = client.ask(IMPORT, id=DEFAULT_ASSISTANT_ID)
    asked = {
        "name": "Thirty people",
        "uploadId": upload["id"],
        "assistantId": assistant["id"],
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        "cap": CAP,
        **terms,
    }
    campaign: Mapping[str, Any] = client.ask(CREATE, input=asked)["campaign"]
    assert (campaign["state"], campaign["startedAt"]) == ("CREATED", None)
    return campaign


def _watched(client: Client, campaign_id: str) -> Iterator[Mapping[str, Any]]:
    """Start the campaign; yield each frame until it is finished and fully reported."""
    frames = client.follow(FOLLOW, id=campaign_id)
    first = next(frame for frame in _limited(frames) if frame)["campaignProgress"]
    assert (first["state"], first["pending"]) == ("CREATED", CONTACTS)
    client.ask(START, id=campaign_id)
    for frame in _limited(frames):
        if frame is None:
            continue
        progress = frame["campaignProgress"]
        yield progress
        if progress["state"] == "COMPLETED" and not progress["awaitingReports"]:
            return


def _limited(frames: Iterator[Any]) -> Iterator[Any]:
    """Yield the frames, for SECONDS at most; the client would wait for ever."""
    until = monotonic() + SECONDS
    for frame in frames:
        assert monotonic() < until, f"no end within {SECONDS} s: {frame}"
        yield frame


def _adds_up(frame: Mapping[str, Any]) -> bool:
    return bool(sum(frame[part] for part in PARTS.split()) == frame["contacts"])


def _exported(client: Client, url: str, folder: Path) -> list[dict[str, str]]:
    client.download(url, folder / "export.csv")
    return list(csv.DictReader(StringIO((folder / "export.csv").read_text("utf-8"))))


def _outcome(row: Mapping[str, str]) -> tuple[Any, ...]:
    transcript = orjson.loads(row["transcript_json"] or "[]")
    speakers = {"bot": "AI", "user": "User"}
    text = "".join(f"{speakers[one['role']]}: {one['message']}\n" for one in transcript)
    cost = Decimal(row["cost"]).normalize()
    return (row["ended_reason"], cost, row["recording_url"], text)


def _outcomes(ledger: Mapping[str, Any], phones: list[str]) -> list[tuple[Any, ...]]:
    calls = {call["number"]: call for call in ledger["calls"]}
    return [
        (
            calls[phone]["endedReason"],
            Decimal(str(calls[phone]["cost"])).normalize(),
            calls[phone]["recordingUrl"] or "",
            calls[phone]["transcript"],
        )
        for phone in phones
    ]


def _plans(ledger: Mapping[str, Any]) -> dict[str, str]:
    return {c["number"]: c["variableValues"]["plan"] for c in ledger["calls"]}


def _plans_of(file: Path, phones: list[str]) -> dict[str, str]:
    """Read the accepted rows' plans; the sample's good rows all have a plan."""
    rows = list(csv.DictReader(StringIO(file.read_text("utf-8"))))
    digits = {"".join(c for c in phone if c.isdigit())[-10:]: phone for phone in phones}
    plans: dict[str, str] = {}
    for row in rows:
        written = "".join(c for c in row["phone"] or "" if c.isdigit())[-10:]
        if row["name"] and written in digits:
            plans.setdefault(digits[written], row["plan"])
    return plans


def test_a_campaign_has_started_only_once_the_provider_has_a_call(
    client: Client, simulator: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    write_sample(file, CAP)
    campaign = _created(client, file)
    simulator.set_faults(down=True)
    client.ask(START, id=campaign["id"])

    _wait_for(client, campaign, "lastDecision")
    down = client.ask(LOOK, id=campaign["id"])
    assert (down["state"], down["startedAt"]) == ("QUEUED", None)
    assert down["queuedAt"] is not None

    simulator.set_faults()
    _wait_for(client, campaign, "startedAt")
    nodes = client.ask(CALLS, id=campaign["id"])["contacts"]["nodes"]
    assert any(node["call"] and node["call"]["providerCallId"] for node in nodes)
    _wait_for(client, campaign, "completedAt")


def _wait_for(client: Client, campaign: Mapping[str, Any], field: str) -> None:
    eventually(
        lambda: client.ask(LOOK, id=campaign["id"])[field], within=90, what=field
    )


def test_a_time_in_the_outputs_of_a_call_plans_a_callback_then(
    client: Client, simulator: Simulator, tmp_path: Path
) -> None:
    """The assistant has no tools: the analysis of the call states the time."""
    file, number = tmp_path / "people.csv", "+12125550177"
    file.write_text(f"name,phone\nAda,{number}\n", "utf-8")
    ending = {"endings": {number: "customer-ended-call"}}
    simulator.set_faults(**ending, scenes={number: "callback"})
    before = datetime.now(UTC)
    campaign = _created(client, file, callbackOutput="callback_at")["id"]
    client.ask(START, id=campaign)
    eventually(
        lambda: _contact(client, campaign)["nextAttemptAt"],
        within=SECONDS,
        what="a callback",
    )
    simulator.set_faults()
    contact = _contact(client, campaign)
    due = datetime.fromisoformat(contact["nextAttemptAt"])
    ended = datetime.fromisoformat(contact["call"]["endedAt"])
    assert before + DELAY - timedelta(seconds=1) <= due <= ended + DELAY
    assert contact["status"] == "PENDING"
    assert contact["disposition"] == "CALLBACK_REQUESTED"
    stated = contact["call"]["structuredOutputs"]["callback_at"]
    assert stated == _in_new_york(due)
    types = [event["type"] for event in contact["call"]["events"]]
    assert types.count("call.callback_requested") == 1


def _contact(client: Client, campaign: str) -> Any:
    [contact] = client.ask(CONTACT, id=campaign)["contacts"]["nodes"]
    return contact


def _in_new_york(instant: datetime) -> str:
    zone = ZoneInfo("America/New_York")
    return instant.astimezone(zone).replace(tzinfo=None).isoformat()


def test_requests_without_a_token_are_refused(client: Client) -> None:
    asked = {"query": "{ campaigns { totalCount } }"}
    answer = httpx2.post(f"{client.url}/graphql", json=asked).json()
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert httpx2.post(f"{client.url}/uploads", content=b"").status_code == 401


def _stored(text: str) -> list[dict[str, Any]]:
    """Return the log lines about webhooks; the last line may be incomplete."""
    whole = text[: text.rfind("\n") + 1]
    lines = [orjson.loads(line) for line in whole.splitlines() if line[:1] == "{"]
    return [line for line in lines if line["event"] == "a webhook was stored"]


def test_log_lines_are_json_without_personal_data(
    client: Client, simulator: Simulator, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    phones = write_sample(file, CAP)
    campaign = _created(client, file)
    client.ask(START, id=campaign["id"])
    _wait_for(client, campaign, "completedAt")
    called = {
        call["id"] for call in _ledger_of(simulator, campaign["id"], CAP)["calls"]
    }
    log = folder / "up.log"
    eventually(
        lambda: called <= {line["provider_call"] for line in _stored(log.read_text())},
        what="a line for each webhook",
    )
    text = log.read_text()
    stored = _stored(text)
    assert all(line["request"] and line["call"] for line in stored)
    names = [row["name"] for row in csv.DictReader(StringIO(file.read_text("utf-8")))]
    secrets = [SECRET, simulator.api_key, client._authorization.split()[1]]
    hidden = [*phones, *(phone[1:] for phone in phones), *filter(None, names), *secrets]
    assert [one for one in hidden if one in text] == []
