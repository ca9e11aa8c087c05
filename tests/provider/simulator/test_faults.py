"""Each simulated fault has its documented effect."""

from time import monotonic
from typing import Any

import httpx2
import pytest

from provider.simulator.faults.fault_plan import (
    CREATION,
    FaultDesk,
    FaultPlan,
    RequestFault,
    ScriptedRequest,
    WebhookFault,
)
from tests.provider.simulator.placing import DANA, body, eventually, get, numbers, post
from tests.provider.simulator.receiving import SECONDS, Receiver
from tests.simulator import Simulator, running_simulator

OTHER = numbers(1)[0]


def dial(simulator: Simulator, receiver: Receiver, number: str = DANA) -> None:
    overrides = {"server": {"url": receiver.url}}
    post(simulator, body(number, assistantOverrides=overrides)).raise_for_status()


def created(simulator: Simulator) -> int:
    return len(simulator.ledger()["calls"])


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("rate_limited", 429, "Rate limit exceeded"),
        ("over_concurrency", 400, "Over Concurrency Limit"),
        ("error_before", 500, "Internal server error"),
    ],
)
def test_a_refusal_creates_no_call(
    simulator: Simulator, fault: str, status: int, message: str
) -> None:
    simulator.set_faults(requests={fault: 1})
    answer = post(simulator, body())
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert "retry-after" not in answer.headers
    assert created(simulator) == 0
    assert simulator.ledger()["requests"] == {"POST /call": {str(status): 1}}


def test_an_empty_wallet_is_402(simulator: Simulator) -> None:
    simulator.set_faults(requests={"payment_required": 1})
    answer = post(simulator, body())
    assert answer.status_code == 402
    assert answer.json()["error"] == "Payment Required"


def test_a_rate_limit_may_have_a_retry_after(simulator: Simulator) -> None:
    simulator.set_faults(
        requests={"rate_limited_retry_after": 1}, retry_after_seconds=7
    )
    answer = post(simulator, body())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_an_error_after_acting_still_creates_the_call(simulator: Simulator) -> None:
    simulator.set_faults(requests={"error_after": 1})
    assert post(simulator, body()).status_code == 500
    assert created(simulator) == 1


@pytest.mark.parametrize(("fault", "calls"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_closes_the_connection(
    simulator: Simulator, fault: str, calls: int
) -> None:
    simulator.set_faults(requests={fault: 1})
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        post(simulator, body())
    assert created(simulator) == calls
    assert simulator.ledger()["requests"] == {"POST /call": {"reset": 1}}


@pytest.mark.parametrize(("fault", "calls"), [("hang_before", 0), ("hang_after", 1)])
def test_a_hang_never_answers(simulator: Simulator, fault: str, calls: int) -> None:
    simulator.set_faults(requests={fault: 1})
    with pytest.raises(httpx2.ReadTimeout):
        post(simulator, body(), timeout=httpx2.Timeout(10, read=0.3))
    assert eventually(lambda: created(simulator) == calls)


@pytest.mark.parametrize(
    ("fault", "calls"), [("garbage_before", 0), ("garbage_after", 1)]
)
def test_garbage_is_not_json(simulator: Simulator, fault: str, calls: int) -> None:
    simulator.set_faults(requests={fault: 1})
    answer = post(simulator, body())
    assert answer.is_success
    assert answer.text.startswith("<html>")
    assert created(simulator) == calls


def test_a_blocked_call_is_created_rings_nobody_and_ends(
    simulator: Simulator,
) -> None:
    simulator.set_faults(requests={"concurrency_blocked": 1})
    answer = post(simulator, body())
    assert answer.status_code == 201
    assert answer.json()["subscriptionLimits"]["concurrencyBlocked"] is True
    (row,) = simulator.ledger(calls=1, timeout=SECONDS)["calls"]
    assert row["endedReason"].startswith("call.start.error-subscription-concurrency")
    assert (row["ringingAt"], row["startedAt"]) == (None, None)
    assert simulator.ledger()["highWater"]["all"] == 0


def test_a_script_affects_one_request_of_one_number(simulator: Simulator) -> None:
    entry = {"fault": "answer_after", "number": DANA, "skip": 1, "status": 409}
    simulator.set_faults(script=[{**entry, "message": "Not now"}])
    statuses = [post(simulator, body(n)).status_code for n in (OTHER, DANA, OTHER)]
    assert statuses == [201, 201, 201]
    spoilt = post(simulator, body())
    assert (spoilt.status_code, spoilt.json()["message"]) == (409, "Not now")
    assert post(simulator, body()).status_code == 201
    assert created(simulator) == 5


def test_reads_have_their_own_rates_of_faults(simulator: Simulator) -> None:
    simulator.set_faults(reads={"error_before": 1})
    assert post(simulator, body()).status_code == 201
    assert get(simulator, "/call").status_code == 500
    simulator.set_faults()
    assert get(simulator, "/call").status_code == 200


def test_a_simulator_that_is_down_answers_nothing(simulator: Simulator) -> None:
    simulator.set_faults(down=True)
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        get(simulator, "/assistant")
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        post(simulator, body())
    assert created(simulator) == 0


def test_a_lagging_list_does_not_show_a_new_call(simulator: Simulator) -> None:
    simulator.set_faults(list_lag_seconds=3600)
    call_id = post(simulator, body()).json()["id"]
    assert get(simulator, "/call").json() == []
    assert get(simulator, f"/call/{call_id}").status_code == 200


def test_a_list_shows_the_call_when_the_lag_is_over(simulator: Simulator) -> None:
    simulator.set_faults(list_lag_seconds=0.2)
    made = monotonic()
    post(simulator, body())
    assert eventually(lambda: get(simulator, "/call").json())
    assert monotonic() - made >= 0.2


def test_a_lagging_call_is_not_found_at_first(simulator: Simulator) -> None:
    simulator.set_faults(get_lag_seconds=3600)
    call_id = post(simulator, body()).json()["id"]
    assert get(simulator, f"/call/{call_id}").status_code == 404
    assert len(get(simulator, "/call").json()) == 1


def test_a_script_hides_one_call_of_one_number(simulator: Simulator) -> None:
    lag = {"fault": "listed_late", "number": DANA, "seconds": 3600}
    simulator.set_faults(call_script=[lag], calls={"found_late": 0})
    for number in (OTHER, DANA, DANA):
        post(simulator, body(number)).raise_for_status()
    listed = [call["customer"]["number"] for call in get(simulator, "/call").json()]
    assert sorted(listed) == sorted([OTHER, DANA])


def test_a_share_of_the_calls_is_listed_late(simulator: Simulator) -> None:
    simulator.set_faults(calls={"listed_late": 0.5}, list_lag_seconds=3600)
    for number in numbers(8):
        post(simulator, body(number)).raise_for_status()
    assert 0 < len(get(simulator, "/call").json()) < 8


def test_a_stale_call_is_shown_in_an_older_state(simulator: Simulator) -> None:
    simulator.set_faults(
        endings={DANA: "customer-busy", OTHER: "customer-busy"},
        call_script=[{"fault": "shown_stale", "number": DANA, "seconds": 3600}],
    )
    for number in (DANA, OTHER):
        post(simulator, body(number)).raise_for_status()
    simulator.ledger(calls=2, timeout=SECONDS)
    other, dana = get(simulator, "/call").json()
    assert (other["status"], other["endedReason"]) == ("ended", "customer-busy")
    assert (dana["status"], dana["cost"]) == ("queued", 0)
    assert "endedReason" not in dana
    assert get(simulator, f"/call/{dana['id']}").json() == dana


def test_a_lost_message_never_comes(simulator: Simulator, receiver: Receiver) -> None:
    simulator.set_faults(
        endings={DANA: "customer-ended-call"},
        webhook_script=[{"fault": "lost", "label": "ended"}],
    )
    dial(simulator, receiver)
    ledger = simulator.ledger(calls=1, timeout=SECONDS)
    assert receiver.labels(3) == ["ringing", "in-progress", "end-of-call-report"]
    assert ledger["webhooks"] == {"attempts": 3, "delivered": 3, "lost": 1}


def test_a_message_may_come_twice(simulator: Simulator, receiver: Receiver) -> None:
    simulator.set_faults(
        endings={DANA: "customer-busy"},
        webhook_script=[{"fault": "twice", "label": "end-of-call-report"}],
    )
    dial(simulator, receiver)
    first, second = receiver.take(4)[2:]
    assert (first.label, second.label) == ("end-of-call-report",) * 2
    assert first.message["timestamp"] == second.message["timestamp"]


@pytest.mark.parametrize("fault", ["late", "reordered"])
def test_a_message_may_arrive_after_a_later_one(
    simulator: Simulator, receiver: Receiver, fault: str
) -> None:
    simulator.set_faults(
        endings={DANA: "customer-ended-call"},
        webhook_script=[{"fault": fault, "label": "ringing"}],
        late_seconds=1,
    )
    dial(simulator, receiver)
    labels = receiver.labels(4)
    assert labels[0] == "in-progress"
    assert "ringing" in labels


def test_a_message_may_come_before_the_answer(
    simulator: Simulator, receiver: Receiver
) -> None:
    simulator.set_faults(webhooks={"before_answer": 1})
    dial(simulator, receiver)
    assert receiver.queue.qsize() >= 1


def test_an_invalid_fault_plan_is_refused(simulator: Simulator) -> None:
    for plan in ({"requests": {"explode": 1}}, {"boom": 1}):
        refused = simulator.client.put("/simulator/faults", json=plan)
        assert refused.status_code == 400


def test_the_plan_in_force_can_be_read(simulator: Simulator) -> None:
    simulator.set_faults(requests={"hang_after": 0.25}, late_seconds=3)
    plan = get(simulator, "/simulator/faults").json()
    assert plan["requests"] == {"hang_after": 0.25}
    assert plan["late_seconds"] == 3


def test_faults_may_be_given_at_the_start() -> None:
    faults: dict[str, Any] = {"requests": {"rate_limited": 1}}
    with running_simulator(faults=faults) as simulator:
        assert post(simulator, body()).status_code == 429
        simulator.set_faults()
        assert post(simulator, body()).status_code == 201
        simulator.reset()
        assert post(simulator, body()).status_code == 429


def drawn(seed: int, subjects: list[str]) -> dict[str, list[RequestFault | None]]:
    rates = {RequestFault.RATE_LIMITED: 0.3, RequestFault.HANG_AFTER: 0.3}
    api = FaultDesk(seed, FaultPlan(requests=rates))
    drawn: dict[str, list[RequestFault | None]] = {}
    for subject in subjects:
        spoilt = api.for_request("POST /call", subject)
        drawn.setdefault(subject, []).append(spoilt.fault if spoilt else None)
    return drawn


def test_faults_depend_on_the_seed_and_not_on_the_order_of_requests() -> None:
    subjects = numbers(20) * 3
    assert drawn(1, subjects) == drawn(1, subjects[::-1])
    assert drawn(1, subjects) != drawn(2, subjects)


def test_faults_come_at_about_their_rates() -> None:
    faults = [fault for kinds in drawn(1, numbers(99) * 10).values() for fault in kinds]
    assert 0.25 < faults.count(RequestFault.RATE_LIMITED) / len(faults) < 0.35
    assert 0.35 < faults.count(None) / len(faults) < 0.45


def test_a_storm_refuses_all_requests_until_it_is_over() -> None:
    script = (ScriptedRequest(RequestFault.HANG_AFTER, number=OTHER),)
    storms = {RequestFault.RATE_LIMIT_STORM: 0.02}
    api = FaultDesk(1, FaultPlan(requests=storms, script=script, storm_requests=4))
    spoilt = [api.for_request("POST /call", number) for number in numbers(200)]
    refused = [one is not None and one.fault == "rate_limited" for one in spoilt]
    first = refused.index(True)
    assert refused[first : first + 4] == [True] * 4
    assert not all(refused[first : first + 40])


def test_a_script_has_priority_over_the_rates() -> None:
    script = (ScriptedRequest(RequestFault.HANG_AFTER, times=1),)
    plan = FaultPlan(requests={RequestFault.RATE_LIMITED: 1.0}, script=script)
    api = FaultDesk(1, plan)
    spoilt = [api.for_request("POST /call", DANA) for _ in range(2)]
    assert [one and one.fault for one in spoilt] == ["hang_after", "rate_limited"]


def test_one_message_may_have_several_faults() -> None:
    both = {WebhookFault.LATE: 1.0, WebhookFault.TWICE: 1.0}
    api = FaultDesk(1, FaultPlan(webhooks=both))
    assert api.for_message(f"{DANA}/1", DANA, "ended") == set(both)
    assert WebhookFault.BEFORE_ANSWER not in api.for_message("k", DANA, CREATION)


# --- Refusals that last -----------------------------------------------------

REFUSED = {"status": 403, "message": "No international calls", "retry_after": "30"}


def test_a_contact_is_refused_while_the_plan_is_in_force(
    simulator: Simulator,
) -> None:
    simulator.set_faults(refused=[REFUSED | {"number": DANA}])
    for _ in range(2):
        answer = post(simulator, body(DANA))
        assert (answer.status_code, answer.json()["message"]) == (
            403,
            "No international calls",
        )
        assert answer.headers["retry-after"] == "30"
    assert post(simulator, body(OTHER)).status_code == 201
    assert created(simulator) == 1


def test_the_same_share_of_the_contacts_is_always_refused(
    simulator: Simulator,
) -> None:
    simulator.set_faults(refused=[{"share": 0.3}])
    first, second = (
        [
            "international" in post(simulator, body(number)).text
            for number in numbers(60)
        ]
        for _ in range(2)
    )
    assert first == second
    assert 5 <= sum(first) <= 35


def test_a_call_ends_after_the_201_with_an_explanation(
    simulator: Simulator, receiver: Receiver
) -> None:
    end = {"reason": "call.start.error-get-transport", "message": "Authenticate"}
    simulator.set_faults(ended=[end | {"line": body()["phoneNumberId"]}])
    dial(simulator, receiver)
    messages = [one.message for one in receiver.take(2)]
    [row] = simulator.ledger(calls=1, timeout=SECONDS)["calls"]
    assert (row["endedReason"], row["ringingAt"]) == (end["reason"], None)
    shown = get(simulator, f"/call/{row['id']}").json()
    assert shown["endedMessage"] == "Authenticate"
    assert [one["endedMessage"] for one in messages] == ["Authenticate"] * 2


def test_calls_of_a_deleted_line_remain(simulator: Simulator) -> None:
    line = body()["phoneNumberId"]
    call_id = post(simulator, body()).json()["id"]
    simulator.set_faults(deleted_lines=[line])
    refused = post(simulator, body())
    assert refused.status_code == 400
    assert "Does Not Exist" in refused.json()["message"]
    assert get(simulator, "/phone-number").json() == []
    assert get(simulator, "/call", phoneNumberId=line).status_code == 404
    assert get(simulator, f"/call/{call_id}").status_code == 200
    assert [one["id"] for one in get(simulator, "/call").json()] == [call_id]
