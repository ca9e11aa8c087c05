"""Webhooks: their content, authentication, order and repetition."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.provider.simulator.placing import DANA, body, numbers, post
from tests.provider.simulator.receiving import SECONDS, Received, Receiver
from tests.simulator import Simulator, running_simulator

EVERYTHING = ["ringing", "in-progress", "ended", "end-of-call-report"]


HMAC = {"type": "hmac", "secret": "s3cret", "message_id_header": "x-message-id"}
CREDENTIALS = {
    "bearer": {"type": "bearer", "secret": "s3cret"},
    "hex": HMAC,
    "base64": {**HMAC, "signature_encoding": "base64"},
}


@pytest.fixture(scope="module")
def one_simulator() -> Iterator[Simulator]:
    with running_simulator(speed=400, credentials=CREDENTIALS) as simulator:
        yield simulator


@pytest.fixture
def simulator(one_simulator: Simulator) -> Simulator:
    one_simulator.reset()
    one_simulator.set_faults(
        endings=dict.fromkeys([DANA, *numbers(5)], "customer-ended-call")
    )
    return one_simulator


def dial(
    simulator: Simulator, receiver: Receiver, number: str = DANA, **server: Any
) -> dict[str, Any]:
    overrides = {"server": {"url": receiver.url, **server}}
    answer = post(simulator, body(number, assistantOverrides=overrides))
    call: dict[str, Any] = answer.raise_for_status().json()
    return call


def test_messages_of_a_call_come_in_order(
    simulator: Simulator, receiver: Receiver
) -> None:
    dial(simulator, receiver)
    assert receiver.labels(4) == EVERYTHING


def test_every_message_contains_the_call_as_it_was_created(
    simulator: Simulator, receiver: Receiver
) -> None:
    created = dial(simulator, receiver)
    del created["subscriptionLimits"]
    assert [received.message["call"] for received in receiver.take(4)] == [created] * 4


def test_messages_carry_the_secrets_that_must_be_redacted(
    simulator: Simulator, receiver: Receiver
) -> None:
    dial(simulator, receiver, secret="s3cret")
    (received,) = receiver.take(1)
    assert received.message["phoneNumber"]["twilioAuthToken"]
    assert received.message["assistant"]["server"]["secret"] == "s3cret"
    assert received.message["assistant"]["id"] == DEFAULT_ASSISTANT_ID
    assert received.message["customer"]["number"] == DANA
    assert isinstance(received.message["timestamp"], int)


def test_only_the_types_that_were_asked_for_are_sent(
    simulator: Simulator, receiver: Receiver
) -> None:
    overrides = {
        "server": {"url": receiver.url},
        "serverMessages": ["end-of-call-report"],
    }
    post(simulator, body(assistantOverrides=overrides))
    simulator.ledger(calls=1, timeout=SECONDS)
    assert receiver.labels(receiver.queue.qsize()) == ["end-of-call-report"]


def test_the_assistants_server_is_used_where_the_call_names_none(
    receiver: Receiver,
) -> None:
    with running_simulator(
        speed=400, webhook_url=receiver.url, webhook_secret="s3cret"
    ) as simulator:
        post(simulator, body())
        (received,) = receiver.take(1)
    assert received.headers["X-Vapi-Secret"] == "s3cret"


def test_headers_of_the_server_are_sent_with_each_message(
    simulator: Simulator, receiver: Receiver
) -> None:
    dial(simulator, receiver, headers={"X-Ours": "1"}, secret="s3cret")
    for received in receiver.take(4):
        assert received.headers["X-Ours"] == "1"
        assert received.headers["X-Vapi-Secret"] == "s3cret"


def test_a_bearer_credential_is_sent(simulator: Simulator, receiver: Receiver) -> None:
    dial(simulator, receiver, credentialId="bearer")
    for received in receiver.take(4):
        assert received.headers["authorization"] == "Bearer s3cret"


def test_a_header_of_the_server_overrides_the_credential(
    simulator: Simulator, receiver: Receiver
) -> None:
    headers = {"authorization": "Basic ours"}
    dial(simulator, receiver, credentialId="bearer", headers=headers)
    for received in receiver.take(4):
        assert received.headers.get_all("authorization") == ["Basic ours"]


@pytest.mark.parametrize(
    ("credential", "encode"),
    [("hex", bytes.hex), ("base64", lambda digest: base64.b64encode(digest).decode())],
)
def test_an_hmac_credential_signs_time_and_raw_body(
    simulator: Simulator,
    receiver: Receiver,
    credential: str,
    encode: Callable[[bytes], str],
) -> None:
    dial(simulator, receiver, credentialId=credential)
    first, second = receiver.take(2)
    signed = first.headers["x-timestamp"].encode() + b"." + first.body
    digest = hmac.digest(b"s3cret", signed, hashlib.sha256)
    assert first.headers["x-signature"] == encode(digest)
    assert first.headers["x-message-id"] != second.headers["x-message-id"]


def test_a_refused_message_is_lost_without_a_back_off_plan(
    simulator: Simulator, receiver: Receiver
) -> None:
    receiver.answer = lambda received: 503 if received.label == "ended" else 200
    dial(simulator, receiver)
    ledger = simulator.ledger(calls=1, timeout=SECONDS)
    assert receiver.labels(4) == EVERYTHING
    assert ledger["webhooks"] == {"attempts": 4, "delivered": 3, "failed": 1}
    outcomes = [sent["outcome"] for sent in ledger["calls"][0]["webhooks"]]
    assert outcomes == ["delivered", "delivered", "failed", "delivered"]


def test_a_refused_message_is_repeated_with_a_back_off_plan(
    simulator: Simulator, receiver: Receiver
) -> None:
    answers = iter([503, 503, 200])

    def answer(received: Received) -> int:
        return next(answers) if received.label == "ended" else 200

    receiver.answer = answer
    plan = {"type": "exponential", "maxRetries": 3, "baseDelaySeconds": 1}
    dial(simulator, receiver, backoffPlan=plan)
    ledger = simulator.ledger(calls=1, timeout=SECONDS)
    assert ledger["webhooks"] == {"attempts": 6, "delivered": 4}
    assert receiver.labels(6).count("ended") == 3


def test_an_excluded_status_is_not_tried_again(
    simulator: Simulator, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 410
    plan = {"type": "fixed", "maxRetries": 3, "excludedStatusCodes": [410]}
    dial(simulator, receiver, backoffPlan=plan)
    ledger = simulator.ledger(calls=1, timeout=SECONDS)
    assert ledger["webhooks"] == {"attempts": 4, "failed": 4}


def test_a_slow_receiver_of_one_call_delays_no_other(
    simulator: Simulator, receiver: Receiver
) -> None:
    patience = Event()

    def answer(received: Received) -> int:
        if received.message["customer"]["number"] == DANA:
            patience.wait(SECONDS)
        return 200

    receiver.answer = answer
    dial(simulator, receiver)
    others = numbers(5)
    for number in others:
        dial(simulator, receiver, number)
    seen = [received.message["customer"]["number"] for received in receiver.take(21)]
    assert all(seen.count(number) == 4 for number in others)
    assert seen.count(DANA) == 1
    patience.set()
    assert simulator.ledger(calls=6, timeout=SECONDS)["webhooks"]["delivered"] == 24


def test_a_receiver_that_does_not_answer_in_time_has_failed(
    simulator: Simulator, receiver: Receiver
) -> None:
    patience = Event()

    def answer(_: Received) -> int:
        patience.wait(SECONDS)
        return 200

    receiver.answer = answer
    overrides = {
        "server": {"url": receiver.url, "timeoutSeconds": 1},
        "serverMessages": ["end-of-call-report"],
    }
    post(simulator, body(assistantOverrides=overrides))
    ledger = simulator.ledger(calls=1, timeout=SECONDS)
    patience.set()
    assert ledger["webhooks"] == {"attempts": 1, "failed": 1}
