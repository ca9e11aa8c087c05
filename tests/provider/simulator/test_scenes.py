"""What happens in simulated calls: scenes, tools, structured outputs, reach."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from provider.simulator.calls.call_plan import WITH_A_PERSON, plan_call
from provider.simulator.people.reach import Reach
from provider.simulator.people.scenes import Scene
from provider.simulator.settings import SimulatorSettings, read_settings, varied
from tests.provider.simulator.placing import DANA, body, eventually, get, numbers, post
from tests.provider.simulator.receiving import Received, Receiver
from tests.simulator import Simulator, running_simulator

TALKING = {"outcomes": {"customer-ended-call": 1}, "ring_seconds": (0, 0)}
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def one_talking() -> Iterator[Simulator]:
    with running_simulator(speed=400, **TALKING) as simulator:
        yield simulator


@pytest.fixture
def talking(one_talking: Simulator) -> Simulator:
    """A simulator whose calls are all answered at once and end by the callee."""
    one_talking.reset()
    return one_talking


def row_of(simulator: Simulator, number: str = DANA) -> dict[str, Any]:
    """Wait until the call to a number is reported; return its row of the ledger."""

    def reported() -> dict[str, Any] | None:
        rows = simulator.ledger()["calls"]
        return next(
            (r for r in rows if r["number"] == number and r["reportedAt"]), None
        )

    return eventually(reported)


def _not_again(received: Received) -> bytes:
    """Answer a tool call; other messages need no content."""
    message = received.message
    if message["type"] != "tool-calls":
        return b""
    tool_call_id = message["toolCallList"][0]["id"]
    result = {"toolCallId": tool_call_id, "result": "You will not be called again."}
    return json.dumps({"results": [result]}).encode()


def with_tool(name: str, receiver: Receiver) -> dict[str, Any]:
    """Return the overrides of a call whose assistant has a tool."""
    tool = {"type": "function", "function": {"name": name}}
    server = {"url": receiver.url}
    wanted = ["status-update", "tool-calls", "end-of-call-report"]
    overrides = {"tools:append": [tool], "server": server, "serverMessages": wanted}
    return {"assistantOverrides": overrides}


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (Scene.AGREES, "Yes please"),
        (Scene.DECLINES, "not this week"),
        (Scene.MACHINE, "leave a message"),
        (Scene.SCREENER, "reason for calling"),
        (Scene.MENU, "Press 1"),
        (Scene.CALLBACK, "Call me on"),
        (Scene.OPT_OUT, "do not call again"),
        (Scene.WRONG_PERSON, "wrong number"),
    ],
)
def test_the_transcript_shows_what_the_callee_said(
    scene: Scene, words: str, talking: Simulator
) -> None:
    talking.set_faults(scenes={DANA: scene})
    post(talking, body())
    row = row_of(talking)
    assert row["scene"] == scene
    assert words in row["transcript"].split("User: ", 1)[1]


@pytest.mark.parametrize("scene", [Scene.DROPS, Scene.SILENT])
def test_nobody_speaks_in_a_short_scene(scene: Scene, talking: Simulator) -> None:
    talking.set_faults(scenes={DANA: scene})
    post(talking, body())
    assert "User: " not in row_of(talking)["transcript"]


def test_the_report_has_a_structured_output_for_the_scene(talking: Simulator) -> None:
    talking.set_faults(scenes={DANA: Scene.OPT_OUT})
    created = post(talking, body()).json()
    row_of(talking)
    shown = get(talking, f"/call/{created['id']}").json()
    outputs = shown["artifact"]["structuredOutputs"].values()
    results = {output["name"]: output["result"] for output in outputs}
    assert results["opted_out"] is True
    assert results["goal_reached"] is False


def test_the_assistant_uses_its_tool_and_repeats_the_result(
    receiver: Receiver, talking: Simulator
) -> None:
    receiver.body = _not_again
    talking.set_faults(scenes={DANA: Scene.OPT_OUT})
    post(talking, body(**with_tool("record_opt_out", receiver)))
    row = row_of(talking)
    messages = [one.message for one in receiver.take(5)]
    used = [m["toolCallList"][0] for m in messages if m["type"] == "tool-calls"]
    assert [tool["function"]["name"] for tool in used] == ["record_opt_out"]
    assert row["toolCalls"][0]["result"] == "You will not be called again."
    assert "AI: You will not be called again." in row["transcript"]


def test_no_tool_is_used_that_the_assistant_does_not_have(
    receiver: Receiver, talking: Simulator
) -> None:
    talking.set_faults(scenes={DANA: Scene.OPT_OUT})
    post(talking, body(**with_tool("schedule_callback", receiver)))
    assert row_of(talking)["toolCalls"] == []


def test_a_tool_named_by_id_belongs_to_the_assistant(
    receiver: Receiver, talking: Simulator
) -> None:
    function = {"name": "record_opt_out"}
    tool = {
        "type": "function",
        "function": function,
        "server": {"url": receiver.url},
    }
    made = talking.client.post("/tool", json=tool).json()
    assert get(talking, f"/tool/{made['id']}").json() == made
    model = {"provider": "openai", "model": "m", "toolIds": [made["id"]]}
    assistant = talking.client.post("/assistant", json={"model": model}).json()
    talking.set_faults(scenes={DANA: Scene.OPT_OUT})
    post(talking, body(assistantId=assistant["id"]))
    assert row_of(talking)["toolCalls"][0]["name"] == "record_opt_out"


def test_every_outcome_and_scene_occurs_in_a_varied_simulation() -> None:
    settings = read_settings(varied({}))
    plans = [plan_call(settings, Random(seed), None) for seed in range(4_000)]
    assert {plan.reason for plan in plans} == set(settings.outcomes)
    people = [plan.scene for plan in plans if plan.reason in WITH_A_PERSON]
    assert set(people) == set(Scene)


@pytest.mark.parametrize(("reach", "share"), [(0.0, 0.0), (0.5, 0.32), (1.25, 0.8)])
def test_reach_scales_how_often_a_person_answers(reach: float, share: float) -> None:
    settings = SimulatorSettings()
    answered = [
        plan_call(settings, Random(seed), None, reach=reach).reason in WITH_A_PERSON
        for seed in range(10_000)
    ]
    assert sum(answered) / len(answered) == pytest.approx(share, abs=0.02)


def test_reach_depends_on_the_hour_and_the_attempt() -> None:
    by_hour = tuple(float(hour) for hour in range(24))
    reach = Reach(by_hour=by_hour, by_attempt=(1.0, 0.5), time_zone="America/New_York")
    assert [reach.factor(DANA, n, NOON, seed=1) for n in (1, 2, 3)] == [7.0, 3.5, 3.5]


def test_the_unreachable_numbers_stay_the_same() -> None:
    reach = Reach(unreachable=0.25)
    asked = [
        {number for number in numbers(90) if not reach.factor(number, n, NOON, seed=3)}
        for n in (1, 2)
    ]
    assert asked[0] == asked[1]
    assert 10 < len(asked[0]) < 40


def test_a_simulated_day_can_be_shorter() -> None:
    reach = Reach(day_seconds=240.0)
    start = datetime.fromtimestamp(240.0 * 7_000_000, UTC)
    assert reach.hour(start) == 0
    assert reach.hour(datetime.fromtimestamp(start.timestamp() + 65, UTC)) == 6


def test_a_reach_without_24_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="24 values"):
        read_settings({"reach": {"by_hour": [1.0]}})


# --- Voicemail ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "speakers"),
    [({}, ["User", "AI"]), ({"voicemailMessage": ""}, ["User"])],
)
def test_a_machine_gets_no_message_if_the_call_has_none(
    overrides: dict[str, str], speakers: list[str]
) -> None:
    with running_simulator(speed=400, outcomes={"voicemail": 1}) as simulator:
        post(simulator, body(assistantOverrides=overrides))
        lines = row_of(simulator)["transcript"].splitlines()
    assert [line.split(":")[0] for line in lines] == speakers
