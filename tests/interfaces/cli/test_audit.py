"""The history on the command line."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ports import ProviderAssistant
from storage.database import connect
from tests.interfaces.cli.conftest import CommandLine
from tests.wiring import BY, NOON, Clock, Services, open_services


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    with open_services(database) as services:
        yield services


def do(url: str, statement: str, *values: Any) -> None:
    with connect(url, name="test") as conn:
        conn.execute("set search_path = read, public")
        assert conn.execute(statement.encode(), values).rowcount > 0


def lived(services: Services) -> UUID:
    """Create a campaign at noon, start it a minute later, claim a call in another."""
    clock = services.now
    assert isinstance(clock, Clock)
    campaign_id = services.campaign(2, start=False)
    clock.pass_(minutes=1)
    services.campaigns.start(campaign_id, by=BY)
    clock.pass_(minutes=1)
    services.claim(campaign_id)
    return campaign_id


def printed(autolynx: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    lines = autolynx.done("audit", "events", *arguments).lines
    return [json.loads(line) for line in lines]


def test_events_are_json_lines_in_the_order_of_the_log(
    autolynx: CommandLine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.cli.audit.PAGE", 3)
    lived(services)
    end = services.app.recorder.max_notification_id() or 0
    found = printed(autolynx)
    assert [event["position"] for event in found] == list(range(1, end + 1))
    assert found[0].keys() == {
        "position",
        "aggregateType",
        "aggregateId",
        "version",
        "type",
        "occurredAt",
        "actor",
        "payload",
    }
    newest = printed(autolynx, "--newest-first", "--first", "4", "--after", str(end))
    assert [one["position"] for one in newest] == list(range(end - 1, end - 5, -1))


def test_events_are_filtered(autolynx: CommandLine, services: Services) -> None:
    campaign = str(lived(services))
    minute = (NOON + timedelta(minutes=1)).isoformat()
    cases = [
        (("--aggregate", campaign, "--type", "campaign.created"), {"campaign.created"}),
        (
            ("--campaign", campaign, "--since", minute, "--actor", BY),
            {"campaign.queued"},
        ),
        (
            ("--type", "call.created", "--type", "campaign.queued"),
            {"call.created", "campaign.queued"},
        ),
        (("--until", "2020-01-01"), set()),
    ]
    for arguments, types in cases:
        assert {event["type"] for event in printed(autolynx, *arguments)} == types
    autolynx.refusal("audit", "events", "--since", "yesterday", code=2)


def test_a_campaign_and_a_call_are_shown_as_of_an_earlier_time(
    autolynx: CommandLine, services: Services
) -> None:
    id_ = str(lived(services))

    def stood(*arguments: str) -> Any:
        return autolynx.done("audit", "replay", *arguments, "--json").json

    created = stood("campaign", id_, "--as-of", "2026-03-02T12:00:30Z")
    assert (created["state"], created["queuedAt"]) == ("CREATED", None)
    started = stood("campaign", id_, "--as-of", "2026-03-02 12:01:30")
    assert (started["state"], started["pending"]) == ("QUEUED", 2)
    now = stood("campaign", id_)
    assert (now["pending"], now["queued"]) == (1, 1)
    (event,) = printed(autolynx, "--type", "call.created")
    assert stood("call", event["aggregateId"])["status"] == "QUEUED"
    missing = str(uuid4())
    refusal = autolynx.refusal("audit", "replay", "call", missing)
    assert refusal == f"There is no call {missing}."
    early = ("audit", "replay", "campaign", id_, "--as-of", "2020-01-01T00:00:00Z")
    assert "at that time" in autolynx.refusal(*early)


def test_a_call_is_shown_with_the_arm_that_its_request_stored(
    autolynx: CommandLine, services: Services
) -> None:
    made = ProviderAssistant("asst-2", "Quinn", {"maxDurationSeconds": 120})
    services.provider.assistants["asst-2"] = made
    other, _ = services.assistants.import_assistant("asst-2", name=None, by=BY)
    campaign_id = services.campaign(1, compared=((other, 99),))
    [call_id] = services.claim(campaign_id)
    before = autolynx.done("audit", "replay", "call", str(call_id), "--json").json
    assert before["arm"] is None
    services.calls.request(call_id, dial_before=NOON + timedelta(seconds=5))
    shown = autolynx.done("audit", "replay", "call", str(call_id), "--json").json
    arm = services.load_call(call_id).arm
    assert arm is not None
    assert shown["arm"]["number"] == arm.number
    assert shown["arm"]["assistant_id"] == str(arm.assistant_id)


def test_verify_reports_an_intact_history(
    autolynx: CommandLine, services: Services
) -> None:
    lived(services)
    end = services.app.recorder.max_notification_id() or 0
    ended = autolynx.done("audit", "verify")
    assert ended.lines == [f"Events 1 to {end}, the vault and the read tables fit."]
    assert "100 %" in ended.err
    found = autolynx.done("audit", "verify", "--incremental", "--json").json
    assert (found["verifiedFrom"], found["verifiedUpTo"]) == (end + 1, end)
    assert found["problems"] == []


def test_verify_lists_problems_and_exits_with_1(
    autolynx: CommandLine, services: Services
) -> None:
    lived(services)
    do(services.url, "update campaign_board set pending = 9")
    do(
        services.url,
        "update autolynx_events set state = state || ' ' where notification_id = 2",
    )
    ended = autolynx("audit", "verify")
    assert ended.code == 1
    assert ended.lines[0].startswith("2: Event 2 (")
    assert "pending is 9, the events say 1" in ended.lines[1]
    assert ended.lines[-2].endswith(": 2 problems.")
    command = "autolynx projections rebuild campaign_board"
    assert ended.lines[-1] == f"Rebuild with: {command}"
    result = autolynx("audit", "verify", "--json")
    assert (result.code, result.json["problemCount"]) == (1, 2)
    assert result.json["problems"][0]["position"] == 2
    assert result.json["rebuild"] == ["campaign_board"]


def test_verify_includes_events_that_no_projector_has_applied(
    autolynx: CommandLine, services: Services
) -> None:
    campaign_id = lived(services)
    services.read_model.held = True
    services.campaigns.pause(campaign_id, by=BY)
    end = services.app.recorder.max_notification_id()
    assert f"to {end}," in autolynx.done("audit", "verify").out
    do(
        services.url,
        "insert into autolynx_events (originator_id, originator_version, topic, state)"
        " values (gen_random_uuid(), 1, 'call.nonsense', '{}')",
    )
    ended = autolynx("audit", "verify")
    assert ended.code == 1
    assert "Event" in ended.lines[0]
    assert "call.nonsense) cannot be projected" in ended.lines[0]
