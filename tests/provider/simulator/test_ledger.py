"""The ledger: calls, times, counts and high-water marks."""

from typing import Any

from provider.simulator.settings import (
    DEFAULT_PHONE_NUMBER_ID,
    NEVER_ENDS,
    NEVER_RINGS,
)
from tests import http_requests as asking
from tests.provider.simulator.placing import DANA, body, eventually, get, numbers, post
from tests.provider.simulator.receiving import SECONDS
from tests.simulator import Simulator, running_simulator

LIVE = dict.fromkeys([DANA, *numbers(20)], NEVER_ENDS)


def hang_up(call: dict[str, Any]) -> None:
    url = call["monitor"]["controlUrl"]
    asking.post(url, json={"type": "end-call"}).raise_for_status()


def test_a_row_contains_our_ids_of_the_call(simulator: Simulator) -> None:
    metadata = {"autolynx_call_id": "c-1", "autolynx_campaign_id": "k-1", "attempt": 2}
    overrides = {"metadata": metadata, "variableValues": {"plan": "gold"}}
    simulator.set_faults(endings={DANA: "customer-ended-call"})
    call_id = post(simulator, body(assistantOverrides=overrides)).json()["id"]
    (row,) = simulator.ledger(calls=1, timeout=SECONDS)["calls"]
    assert (row["id"], row["number"], row["name"]) == (call_id, DANA, "our-call-id")
    assert (row["metadata"], row["variableValues"]) == (metadata, {"plan": "gold"})
    assert row["createdAt"] <= row["ringingAt"] <= row["startedAt"] <= row["endedAt"]


def test_the_ledger_agrees_with_the_api(simulator: Simulator) -> None:
    for number in numbers(10):
        post(simulator, body(number))
    for row in simulator.ledger(calls=10, timeout=SECONDS)["calls"]:
        call = get(simulator, f"/call/{row['id']}").json()
        shared = ("status", "endedReason", "cost", "createdAt", "endedAt")
        assert {key: row[key] for key in shared} == {key: call[key] for key in shared}
        assert row["transcript"] == call["artifact"]["transcript"]
        assert row["recordingUrl"] == call.get("recordingUrl")
        assert row["startedAt"] == call.get("startedAt")


def test_the_high_water_mark_is_the_largest_number_at_once(
    simulator: Simulator,
) -> None:
    simulator.set_faults(endings=LIVE)
    campaign = {"metadata": {"autolynx_campaign_id": "k-1"}}
    first, *others = [
        post(simulator, body(number, assistantOverrides=campaign)).json()
        for number in numbers(3)
    ]
    hang_up(first)
    eventually(lambda: simulator.ledger()["live"] == len(others))
    post(simulator, body())
    ledger = simulator.ledger()
    assert (ledger["live"], len(ledger["calls"])) == (3, 4)
    assert ledger["highWater"]["all"] == 3
    assert ledger["highWater"]["campaigns"] == {"k-1": 3, "": 1}
    assert ledger["highWater"]["customers"] == dict.fromkeys([*numbers(3), DANA], 1)


def test_each_line_has_a_high_water_mark(simulator: Simulator) -> None:
    simulator.set_faults(endings=LIVE)
    for number in numbers(4):
        post(simulator, body(number))
    marks = simulator.ledger()["highWater"]
    assert marks["phoneNumbers"] == {DEFAULT_PHONE_NUMBER_ID: 4}


def test_two_live_calls_to_one_number_are_shown(simulator: Simulator) -> None:
    simulator.set_faults(endings=LIVE)
    post(simulator, body())
    post(simulator, body())
    assert simulator.ledger()["highWater"]["customers"] == {DANA: 2}


def test_a_call_above_the_limit_is_refused_and_not_created(
    simulator: Simulator,
) -> None:
    simulator.set_faults(endings=LIVE)
    answers = [post(simulator, body(number)) for number in numbers(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [400]
    assert answers[-1].json() == {
        "message": "Over Concurrency Limit",
        "error": "Bad Request",
        "statusCode": 400,
    }
    room = [
        answer.json()["subscriptionLimits"]["remainingConcurrentCalls"]
        for answer in answers[:10]
    ]
    assert room == list(range(9, -1, -1))
    assert len(simulator.ledger()["calls"]) == 10


def test_an_ended_call_frees_its_slot(simulator: Simulator) -> None:
    simulator.set_faults(endings=LIVE)
    calls = [post(simulator, body(number)).json() for number in numbers(10)]
    hang_up(calls[0])
    assert eventually(lambda: post(simulator, body()).is_success)
    assert simulator.ledger()["highWater"]["all"] == 10


def test_a_call_above_the_limit_may_be_blocked() -> None:
    with running_simulator(
        speed=400, concurrency_limit=1, over_limit="block"
    ) as simulator:
        simulator.set_faults(endings=LIVE)
        post(simulator, body())
        answer = post(simulator, body(numbers(1)[0])).json()
        marks = simulator.ledger()["highWater"]
    assert answer["subscriptionLimits"]["concurrencyBlocked"] is True
    assert "monitor" not in answer
    assert marks["all"] == 1


def test_a_call_above_the_limit_may_end_at_once() -> None:
    with running_simulator(
        speed=400, concurrency_limit=0, over_limit="end"
    ) as simulator:
        answer = post(simulator, body()).json()
        (row,) = simulator.ledger(calls=1, timeout=SECONDS)["calls"]
    assert answer["subscriptionLimits"]["concurrencyBlocked"] is False
    assert row["endedReason"].startswith("call.start.error-subscription-concurrency")
    assert row["startedAt"] is None


def test_a_call_may_stay_queued_for_ever(simulator: Simulator) -> None:
    simulator.set_faults(endings={DANA: NEVER_RINGS})
    call_id = post(simulator, body()).json()["id"]
    post(simulator, body(numbers(1)[0]))
    assert get(simulator, f"/call/{call_id}").json()["status"] == "queued"
    assert simulator.ledger()["live"] >= 1


def test_a_reset_drops_every_call(simulator: Simulator) -> None:
    post(simulator, body())
    simulator.reset()
    ledger = simulator.ledger()
    assert (ledger["calls"], ledger["live"], ledger["requests"]) == ([], 0, {})
    assert get(simulator, "/call").json() == []


def outcomes(seed: int, order: list[str]) -> dict[str, list[Any]]:
    with running_simulator(speed=1000, seed=seed, concurrency_limit=99) as simulator:
        for number in order:
            post(simulator, body(number))
        rows = simulator.ledger(calls=len(order), timeout=SECONDS)["calls"]
    seen: dict[str, list[Any]] = {}
    for row in rows:
        outcome = (row["endedReason"], row["cost"], row["transcript"])
        seen.setdefault(row["number"], []).append(outcome)
    return seen


def test_a_seed_repeats_a_run_in_any_order_of_numbers() -> None:
    order = numbers(20) * 2
    first = outcomes(7, order)
    assert first == outcomes(7, order[::-1])
    assert first != outcomes(8, order)
    assert any(once != again for once, again in first.values())
