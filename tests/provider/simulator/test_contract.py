"""The simulator speaks the provider's API as the provider's own SDK knows it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    NEVER_ENDS,
)
from tests import http_requests as asking
from tests.provider.simulator.placing import (
    DANA,
    body,
    eventually,
    get,
    numbers,
    post,
)
from tests.provider.simulator.receiving import Receiver
from tests.provider.simulator.sdk import ONCE, SECOND_LINE, api_error, sdk, vapi
from tests.simulator import Simulator, running_simulator


def place(simulator: Simulator, number: str = DANA, **overrides: Any) -> Any:
    """Create a call through the SDK; the overrides are the assistant's."""
    return sdk(simulator).calls.create(
        name="our-call-id",
        assistant_id=DEFAULT_ASSISTANT_ID,
        phone_number_id=DEFAULT_PHONE_NUMBER_ID,
        customer={"number": number, "name": "Dana"},
        assistant_overrides=overrides or None,
        request_options=ONCE,
    )


def test_a_created_call_is_queued_and_echoes_what_was_sent(
    simulator: Simulator,
) -> None:
    metadata = {"autolynx_call_id": "our-call-id", "attempt": 1}
    call = place(simulator, metadata=metadata, variableValues={"plan": "gold"})
    assert (call.status, call.name, call.cost) == ("queued", "our-call-id", 0)
    assert (call.type, call.started_at) == ("outboundPhoneCall", None)
    assert call.customer is not None
    assert (call.customer.number, call.customer.name) == (DANA, "Dana")
    assert call.assistant_overrides is not None
    assert call.assistant_overrides.metadata == metadata
    assert call.assistant_overrides.variable_values == {"plan": "gold"}
    assert call.created_at == call.updated_at


def test_creation_answers_201_with_the_remaining_capacity(simulator: Simulator) -> None:
    answer = post(simulator, body())
    assert answer.status_code == 201
    assert answer.json()["subscriptionLimits"] == {
        "concurrencyBlocked": False,
        "concurrencyLimit": 10,
        "remainingConcurrentCalls": 9,
    }


def test_a_finished_call_shows_its_outcome(simulator: Simulator) -> None:
    simulator.set_faults(endings={DANA: "customer-ended-call"})
    made = place(simulator)
    simulator.ledger(calls=1, timeout=10)
    call = sdk(simulator).calls.get(made.id, request_options=ONCE)
    vapi().Call.model_validate(get(simulator, f"/call/{made.id}").json())
    assert (call.status, call.ended_reason) == ("ended", "customer-ended-call")
    assert call.started_at is not None
    assert call.ended_at is not None
    assert call.created_at < call.started_at < call.ended_at
    assert call.artifact is not None
    assert call.artifact.transcript is not None
    assert "Dana" in call.artifact.transcript
    assert call.artifact.recording is not None
    assert call.artifact.recording.mono is not None
    assert call.artifact.recording.mono.combined_url is not None


def test_the_parts_of_a_cost_add_up(simulator: Simulator) -> None:
    simulator.set_faults(endings={DANA: "assistant-ended-call"})
    made = place(simulator)
    simulator.ledger(calls=1, timeout=10)
    call = get(simulator, f"/call/{made.id}").json()
    split = call["costBreakdown"]
    parts = sum(split[part] for part in ("transport", "stt", "llm", "tts", "vapi"))
    assert 0.05 <= call["cost"] <= 0.4
    assert call["cost"] == split["total"] == pytest.approx(parts)
    assert sum(item["cost"] for item in call["costs"]) == pytest.approx(parts)


@pytest.mark.parametrize(
    "reason", ["customer-did-not-answer", "customer-busy", "call.start.error-get-org"]
)
def test_an_unanswered_call_never_started_and_costs_nothing(
    simulator: Simulator, reason: str
) -> None:
    simulator.set_faults(endings={DANA: reason})
    made = place(simulator)
    simulator.ledger(calls=1, timeout=10)
    call = get(simulator, f"/call/{made.id}").json()
    assert (call["endedReason"], call["cost"]) == (reason, 0)
    assert "startedAt" not in call
    assert "recordingUrl" not in call["artifact"]


def test_an_ended_call_has_no_artifact_before_its_report() -> None:
    slow_reports = {"speed": 400, "report_seconds": [1e6, 1e6]}
    with running_simulator(**slow_reports) as simulator:
        simulator.set_faults(endings={DANA: NEVER_ENDS})
        call = post(simulator, body()).json()
        asking.post(call["monitor"]["controlUrl"], json={"type": "end-call"})
        found = eventually(lambda: _ended(simulator, call["id"]))
    assert found["endedReason"] == "manually-canceled"
    assert "artifact" not in found
    assert found["cost"] == 0


def _ended(simulator: Simulator, call_id: str) -> dict[str, Any] | None:
    call: dict[str, Any] = get(simulator, f"/call/{call_id}").json()
    return call if call["status"] == "ended" else None


def test_a_list_pages_back_by_the_oldest_creation_seen(simulator: Simulator) -> None:
    made = [place(simulator, number).id for number in numbers(7)]
    listed: list[str] = []
    before = datetime(2100, 1, 1, tzinfo=UTC)
    while len(listed) < 7:
        page = sdk(simulator).calls.list(
            limit=3, created_at_le=before, request_options=ONCE
        )
        fresh = [call for call in page if call.id not in listed]
        assert fresh
        listed += [call.id for call in fresh]
        before = fresh[-1].created_at
    assert listed == made[::-1]


def test_a_list_takes_every_time_filter(simulator: Simulator) -> None:
    made = [post(simulator, body(number)).json() for number in numbers(3)]
    middle = made[1]["createdAt"]
    listed = {
        name: {call["id"] for call in get(simulator, "/call", **{name: middle}).json()}
        for name in ("createdAtGt", "createdAtGe", "createdAtLt", "createdAtLe")
    }
    every = {call["id"] for call in made}
    assert listed["createdAtGe"] | listed["createdAtLt"] == every
    assert listed["createdAtGt"] | listed["createdAtLe"] == every
    assert made[1]["id"] in listed["createdAtGe"] & listed["createdAtLe"]
    assert made[1]["id"] not in listed["createdAtGt"] | listed["createdAtLt"]


def test_a_list_is_for_one_line_or_one_assistant() -> None:
    line = {"id": SECOND_LINE, "number": "+12025550101", "name": "Second line"}
    with running_simulator(phone_numbers=[line]) as simulator:
        first = post(simulator, body()).json()["id"]
        second = post(simulator, body(phoneNumberId=SECOND_LINE)).json()["id"]
        calls = sdk(simulator).calls
        on_second = calls.list(phone_number_id=SECOND_LINE, request_options=ONCE)
        of_both = calls.list(assistant_id=DEFAULT_ASSISTANT_ID, request_options=ONCE)
        of_none = calls.list(assistant_id=SECOND_LINE, request_options=ONCE)
        by_id = calls.list(id=first, request_options=ONCE)
    assert [call.id for call in on_second] == [second]
    assert {call.id for call in of_both} == {first, second}
    assert of_none == []
    assert [call.id for call in by_id] == [first]


def test_a_list_of_more_than_a_thousand_is_refused(simulator: Simulator) -> None:
    answer = get(simulator, "/call", limit=1001)
    assert answer.status_code == 400
    assert answer.json()["message"] == ["limit must be between 0 and 1000"]


def test_an_unknown_call_is_not_found(simulator: Simulator) -> None:
    with pytest.raises(api_error()) as refused:
        sdk(simulator).calls.get(SECOND_LINE, request_options=ONCE)
    assert refused.value.status_code == 404
    assert refused.value.body["error"] == "Not Found"


def test_a_wrong_key_is_refused_with_the_recorded_text(simulator: Simulator) -> None:
    with pytest.raises(api_error()) as refused:
        sdk(simulator, token="wrong").calls.list(request_options=ONCE)
    assert refused.value.status_code == 401
    assert refused.value.body == {
        "message": "Invalid Key. Hot tip, you may be using the private key instead of "
        "the public key, or vice versa.",
        "error": "Unauthorized",
        "statusCode": 401,
    }


def test_the_ledger_shows_the_extension_that_a_call_dials(simulator: Simulator) -> None:
    customer = {"number": DANA, "extension": "0101"}
    assert post(simulator, body(DANA) | {"customer": customer}).status_code == 201
    [call] = simulator.ledger()["calls"]
    assert (call["number"], call["extension"]) == (DANA, "0101")


def test_a_number_that_is_not_e164_is_refused_by_name(simulator: Simulator) -> None:
    with pytest.raises(api_error()) as refused:
        place(simulator, "0202 555 0143")
    assert refused.value.status_code == 400
    assert "customer.number" in refused.value.body["message"][0]
    assert simulator.ledger()["calls"] == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"idempotencyKey": "x"}, "property idempotencyKey should not exist"),
        ({"metadata": {}}, "property metadata should not exist"),
        (
            {"customer": {"number": DANA, "extension": "1" * 11}},
            "customer.extension must be shorter than or equal to 10 characters",
        ),
        ({"name": "n" * 41}, "name must be shorter than or equal to 40 characters"),
        (
            {"customer": {"number": DANA, "name": "n" * 41}},
            "customer.name must be shorter than or equal to 40 characters",
        ),
        (
            {"customer": {"number": DANA, "phone": 1}},
            "customer.property phone should not exist",
        ),
        (
            {"assistantOverrides": {"silenceTimeoutSeconds": 10}},
            "assistantOverrides.property silenceTimeoutSeconds should not exist",
        ),
        (
            {"assistantOverrides": {"maxDurationSeconds": 5}},
            "assistantOverrides.maxDurationSeconds must be between 10 and 43200",
        ),
        (
            {"assistantOverrides": {"server": {"backoffPlan": {"maxRetries": 11}}}},
            "assistantOverrides.server.backoffPlan.maxRetries must be between 0 and 10",
        ),
    ],
)
def test_a_request_that_is_not_in_the_contract_is_refused(
    simulator: Simulator, changes: dict[str, Any], text: str
) -> None:
    answer = post(simulator, body(**changes))
    assert answer.status_code == 400
    assert answer.json() == {
        "message": [text],
        "error": "Bad Request",
        "statusCode": 400,
    }
    assert simulator.ledger()["calls"] == []


@pytest.mark.parametrize("party", ["assistantId", "phoneNumberId"])
def test_an_unknown_assistant_or_line_is_refused_with_one_string(
    simulator: Simulator, party: str
) -> None:
    answer = post(simulator, body(**{party: SECOND_LINE}))
    assert answer.status_code == 400
    assert SECOND_LINE in answer.json()["message"]
    assert isinstance(answer.json()["message"], str)


def test_a_recording_is_fetched_only_through_a_signed_url(
    simulator: Simulator,
) -> None:
    simulator.set_faults(endings={DANA: "customer-ended-call"})
    call_id = place(simulator).id
    (row,) = simulator.ledger(calls=1, timeout=10)["calls"]
    redirect = get(simulator, f"/call/{call_id}/mono-recording")
    assert redirect.status_code == 302
    sound = asking.get(redirect.headers["location"])
    assert sound.headers["content-type"] == "audio/wav"
    assert sound.content[:4] == b"RIFF"
    assert redirect.headers["location"].startswith(row["recordingUrl"])
    assert asking.get(row["recordingUrl"]).status_code == 403
    assert asking.get(redirect.headers["location"] + "0").status_code == 403


def test_a_call_without_an_answer_has_no_recording(simulator: Simulator) -> None:
    simulator.set_faults(endings={DANA: "customer-busy"})
    call_id = place(simulator).id
    simulator.ledger(calls=1, timeout=10)
    assert get(simulator, f"/call/{call_id}/mono-recording").status_code == 404


def test_a_live_call_ends_at_its_control_url_without_a_key(
    simulator: Simulator,
) -> None:
    simulator.set_faults(endings={DANA: NEVER_ENDS})
    call = place(simulator)
    assert call.monitor is not None
    control_url = str(call.monitor.control_url)
    assert asking.post(control_url, json={"type": "end-call"}).status_code == 200
    (row,) = simulator.ledger(calls=1, timeout=10)["calls"]
    assert row["endedReason"] == "manually-canceled"
    assert asking.post(control_url, json={"type": "end-call"}).status_code == 404


def test_an_unknown_control_message_changes_nothing(
    simulator: Simulator,
) -> None:
    simulator.set_faults(endings={DANA: NEVER_ENDS})
    call = post(simulator, body()).json()
    control_url = call["monitor"]["controlUrl"]
    assert asking.post(control_url, json={"type": "stop"}).status_code == 400
    assert simulator.ledger()["live"] == 1


def test_a_body_that_is_not_json_is_refused(simulator: Simulator) -> None:
    answer = simulator.client.post("/call", content=b"{")
    assert answer.status_code == 400


def test_every_message_of_a_call_fits_the_sdk(
    simulator: Simulator, receiver: Receiver
) -> None:
    simulator.set_faults(endings={DANA: "customer-ended-call"})
    made = place(simulator, server={"url": receiver.url})
    *updates, report = [received.message for received in receiver.take(4)]
    read = [
        vapi().ServerMessageStatusUpdate.model_validate(update) for update in updates
    ]
    assert [update.status for update in read] == ["ringing", "in-progress", "ended"]
    assert [update.ended_reason for update in read] == [
        None,
        None,
        "customer-ended-call",
    ]
    final = vapi().ServerMessageEndOfCallReport.model_validate(report)
    (row,) = simulator.ledger(calls=1, timeout=10)["calls"]
    assert final.call is not None
    assert (final.call.id, final.call.status) == (made.id, "queued")
    assert (final.cost, final.ended_reason) == (row["cost"], row["endedReason"])
    assert final.artifact.transcript == row["transcript"]
    assert final.artifact.recording is not None
    assert final.artifact.recording.mono is not None
    assert final.artifact.recording.mono.combined_url == row["recordingUrl"]


def test_the_messages_of_an_unanswered_call_fit_the_sdk(
    simulator: Simulator, receiver: Receiver
) -> None:
    simulator.set_faults(endings={DANA: "customer-did-not-answer"})
    place(simulator, server={"url": receiver.url})
    *updates, report = [received.message for received in receiver.take(3)]
    assert [
        vapi().ServerMessageStatusUpdate.model_validate(update).status
        for update in updates
    ] == ["ringing", "ended"]
    final = vapi().ServerMessageEndOfCallReport.model_validate(report)
    assert (final.cost, final.started_at) == (0, None)
