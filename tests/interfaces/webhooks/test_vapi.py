import asyncio
import gzip
import hmac
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
from eventsourcing.persistence import IntegrityError
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from application.calls.message_recorder import MessageReceipt
from application.calls.tool_answers import ToolAnswer
from application.errors import StoreUnavailable
from application.ports import CallPhase, ProviderMessage
from interfaces.http.request_ids import RequestIds
from interfaces.webhooks.authentication import SharedSecret, Signature
from interfaces.webhooks.inbox import open_inbox
from interfaces.webhooks.vapi import Webhooks, read_body
from provider.vapi.messages.reading import read_message
from tests.interfaces.webhooks.posting import PATH, SECRET, webhooks

RINGING: dict[str, dict[str, Any]] = {
    "message": {
        "type": "status-update",
        "status": "ringing",
        "call": {"id": "call-1"},
        "phoneNumber": {"twilioAuthToken": "hidden"},
    }
}


class RecordingService:
    """Records messages after calling `does`."""

    def __init__(self, does: Callable[[], object] = lambda: None) -> None:
        self.recorded: list[ProviderMessage] = []
        self.does = does

    def __call__(self, message: ProviderMessage) -> MessageReceipt:
        self.does()
        self.recorded.append(message)
        return MessageReceipt(None)

    def all(self, messages: Sequence[ProviderMessage]) -> list[MessageReceipt]:
        return [self(message) for message in messages]


@pytest.fixture
def service() -> RecordingService:
    return RecordingService()


def app(service: RecordingService, **limits: Any) -> ASGIApp:
    return webhooks(service, service.all, **limits)


@pytest.fixture
def client(service: RecordingService) -> Iterator[TestClient]:
    with TestClient(app(service)) as client:
        yield client


def raises(error: Exception) -> Callable[[], object]:
    def do() -> object:
        raise error

    return do


def code(answer: httpx2.Response) -> str:
    error = answer.json()["error"]
    assert set(error) == {"code", "message"}
    return str(error["code"])


def test_a_message_is_answered_once_it_is_stored(
    client: TestClient, service: RecordingService
) -> None:
    answer = client.post(PATH, json=RINGING, headers=SECRET)
    assert (answer.status_code, answer.json()) == (200, {})
    assert [message.phase for message in service.recorded] == [CallPhase.RINGING]


def test_secrets_in_messages_are_not_stored(
    client: TestClient, service: RecordingService
) -> None:
    client.post(PATH, json=RINGING, headers=SECRET)
    assert b"hidden" not in orjson.dumps(service.recorded[0].document)


@pytest.mark.parametrize(
    "body",
    [
        RINGING,
        {"message": {"type": "something-new", "call": {"id": "call-1"}}},
        {"message": {"type": "hang"}},
        {"message": 7},
        {},
    ],
)
def test_messages_of_every_type_are_accepted(
    client: TestClient, service: RecordingService, body: Any
) -> None:
    for _ in range(2):
        assert client.post(PATH, json=body, headers=SECRET).status_code == 200
    assert len(service.recorded) == 2


def test_a_transcript_cut_within_a_character_is_accepted(
    client: TestClient, service: RecordingService
) -> None:
    body = rb'{"message": {"type": "hang", "transcript": "so \ud83d"}}'
    answer = client.post(PATH, content=body, headers=SECRET)
    assert answer.status_code == 200
    assert service.recorded[0].document["message"]["transcript"] == "so \ufffd"


def test_large_numbers_beside_a_cut_character_are_read_as_floats() -> None:
    """The store accepts whole numbers of 64 bits only."""
    read: list[Any] = []
    numbers = f"[{2**63 - 1}, {2**63}, -{2**64}, 1{'0' * 400}]"
    raw = f'{{"cut": "\\ud83d", "numbers": {numbers}}}'.encode()

    def keep(body: Any) -> ProviderMessage:
        read.append(body["numbers"])
        return read_message(RINGING)

    read_body(keep, raw)
    assert read == [[2**63 - 1, float(2**63), float(-(2**64)), float("inf")]]
    assert [type(number) for number in read[0]] == [int, float, float, float]


@pytest.mark.parametrize("headers", [{}, {"X-Vapi-Secret": "another"}])
@pytest.mark.parametrize("body", [orjson.dumps(RINGING), b"not JSON", b""])
def test_a_message_without_the_secret_is_refused(
    client: TestClient, service: RecordingService, headers: dict[str, str], body: bytes
) -> None:
    answer = client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert service.recorded == []


def test_every_message_is_refused_if_no_secret_is_configured(
    service: RecordingService,
) -> None:
    with TestClient(app(service, secret=None)) as client:
        answer = client.post(PATH, json=RINGING, headers=SECRET)
    assert (answer.status_code, code(answer)) == (503, "NOT_CONFIGURED")
    assert service.recorded == []


@pytest.mark.parametrize(
    "body", [b"", b"not JSON", b"[]", b"7", b"null", b"\xff\xfe{", b"[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_refused(
    client: TestClient, service: RecordingService, body: bytes
) -> None:
    answer = client.post(PATH, content=body, headers=SECRET)
    assert (answer.status_code, code(answer)) == (400, "INVALID")
    assert service.recorded == []


def test_a_message_may_exceed_other_bodies_up_to_its_own_limit(
    service: RecordingService,
) -> None:
    fits = {"message": {"type": "hang", "transcript": "x" * (2 << 20)}}
    with TestClient(app(service, largest_body=3 << 20)) as client:
        assert client.post(PATH, json=fits, headers=SECRET).status_code == 200
        for body in (b"x" * (4 << 20), iter([b"x" * (1 << 20)] * 4)):
            answer = client.post(PATH, content=body, headers=SECRET)
            assert (answer.status_code, code(answer)) == (413, "TOO_LARGE")


def deflated_without_header(body: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(body) + made.flush()


COMPRESSIONS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", deflated_without_header),
    ("identity", bytes),
]


@pytest.mark.parametrize(("encoding", "compress"), COMPRESSIONS)
@pytest.mark.parametrize("words", [1, 100_000])
def test_a_compressed_message_is_accepted(
    client: TestClient,
    service: RecordingService,
    encoding: str,
    compress: Callable[[bytes], bytes],
    words: int,
) -> None:
    body = {"message": {"type": "hang", "transcript": "word " * words}}
    headers = SECRET | {"Content-Encoding": encoding}
    sent = compress(orjson.dumps(body))
    assert client.post(PATH, content=sent, headers=headers).status_code == 200
    assert service.recorded[0].document["message"]["transcript"] == "word " * words


@pytest.mark.parametrize(
    ("encoding", "compress"), [one for one in COMPRESSIONS if one[0] != "identity"]
)
def test_a_message_that_inflates_beyond_the_limit_is_refused(
    service: RecordingService, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    headers = SECRET | {"Content-Encoding": encoding}
    with TestClient(app(service, largest_body=1 << 20)) as client:
        sent = compress(b" " * (64 << 20))
        answer = client.post(PATH, content=sent, headers=headers)
    assert (answer.status_code, code(answer)) == (413, "TOO_LARGE")


@pytest.mark.parametrize(("encoding", "compress"), COMPRESSIONS)
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_damaged_compressed_message_is_refused(
    client: TestClient,
    service: RecordingService,
    encoding: str,
    compress: Callable[[bytes], bytes],
    size: int,
) -> None:
    whole = compress(orjson.dumps({"message": {"type": "x" * size}}))
    headers = SECRET | {"Content-Encoding": encoding}
    for sent in (whole[:-9], b"not compressed"):
        answer = client.post(PATH, content=sent, headers=headers)
        assert (answer.status_code, code(answer)) == (400, "INVALID")
    assert service.recorded == []


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_an_unknown_compression_is_refused_and_the_accepted_ones_are_listed(
    client: TestClient, service: RecordingService, encoding: str
) -> None:
    headers = SECRET | {"Content-Encoding": encoding}
    answer = client.post(PATH, content=b"...", headers=headers)
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.headers["Accept-Encoding"] == "gzip, deflate"
    assert "gzip, deflate" in answer.json()["error"]["message"]
    assert service.recorded == []


def test_a_signature_covers_the_compressed_bytes(service: RecordingService) -> None:
    sent = gzip.compress(orjson.dumps(RINGING))
    at = datetime.now(UTC)
    moment = at.isoformat()
    digest = hmac.digest(b"s", moment.encode() + b"." + sent, "sha256").hex()
    headers = {
        "x-signature": digest,
        "x-timestamp": moment,
        "Content-Encoding": "gzip",
    }
    judge = Signature(secret="s", now=lambda: at)
    with TestClient(webhooks(service, service.all, judge=judge)) as client:
        assert client.post(PATH, content=sent, headers=headers).status_code == 200
        plain = gzip.decompress(sent)
        answer = client.post(PATH, content=plain, headers=headers)
        assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert [message.phase for message in service.recorded] == [CallPhase.RINGING]


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "br"}])
def test_the_secret_is_checked_before_the_body_is_read(
    service: RecordingService, headers: dict[str, str]
) -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask() -> None:
        with open_inbox(
            partial(read_body, read_message), service, service.all
        ) as inbox:
            scope = {
                "type": "http",
                "method": "POST",
                "path": PATH,
                "headers": [
                    (name.lower().encode(), value.encode())
                    for name, value in {**headers, "Content-Length": "9"}.items()
                ],
            }
            await Webhooks(SharedSecret("s"), inbox)(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 401


@pytest.mark.parametrize("error", [StoreUnavailable("down"), IntegrityError("busy")])
def test_a_message_that_could_not_be_stored_is_answered_503(error: Exception) -> None:
    with TestClient(app(RecordingService(raises(error)))) as client:
        answer = client.post(PATH, json=RINGING, headers=SECRET)
    assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_answer_does_not_wait_for_a_store_that_does_not_answer() -> None:
    over = threading.Event()
    with TestClient(app(RecordingService(over.wait), store_seconds=0.05)) as client:
        try:
            answer = client.post(PATH, json=RINGING, headers=SECRET)
        finally:
            over.set()
    assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")


def test_an_internal_error_reveals_no_details() -> None:
    with TestClient(app(RecordingService(raises(RuntimeError("inside"))))) as client:
        answer = client.post(PATH, json=RINGING, headers=SECRET)
    assert (answer.status_code, code(answer)) == (500, "INTERNAL")
    assert "inside" not in answer.text


def test_other_methods_than_post_are_refused(
    client: TestClient, service: RecordingService
) -> None:
    answer = client.get(PATH, headers=SECRET)
    assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "POST"
    assert service.recorded == []


def test_other_paths_are_not_handled_as_webhooks(client: TestClient) -> None:
    assert client.post("/webhooks/another", json=RINGING).status_code == 404


@pytest.mark.parametrize("error", [StoreUnavailable("down"), RuntimeError("inside")])
def test_log_records_of_a_message_name_its_request_and_its_call(
    error: Exception,
) -> None:
    call = str(uuid4())
    logged = {"id": "call-1", "name": call}
    body = {"message": RINGING["message"] | {"call": logged}}
    named = RequestIds(app(RecordingService(raises(error))), uuid4)
    with TestClient(named) as client, capture_logs([merge_contextvars]) as lines:
        client.post(PATH, json=body, headers=SECRET | {"X-Request-Id": "request-1"})
    (line,) = lines
    assert (line["request"], line["call"]) == ("request-1", call)
    assert line["provider_call"] == "call-1"


def test_tool_calls_are_answered_in_the_response(service: RecordingService) -> None:
    answers = (ToolAnswer("call_1", "Recorded."), ToolAnswer("call_2", "Unknown."))

    def record(message: ProviderMessage) -> MessageReceipt:
        return replace(service(message), answers=answers)

    body = {"message": {"type": "tool-calls", "call": {"name": str(uuid4())}}}
    with TestClient(webhooks(record, service.all)) as client:
        response = client.post(PATH, json=body, headers=SECRET)
    assert response.json() == {
        "results": [
            {"toolCallId": "call_1", "result": "Recorded."},
            {"toolCallId": "call_2", "result": "Unknown."},
        ]
    }


def test_a_message_with_tool_calls_is_never_part_of_a_batch(
    service: RecordingService,
) -> None:
    function = {"name": "record_opt_out", "arguments": {}}
    listed = [{"id": "call_1", "function": function}]
    call = {"name": str(uuid4())}
    body = {"message": {"type": "tool-calls", "call": call, "toolCallList": listed}}

    def refuse(messages: Sequence[ProviderMessage]) -> list[MessageReceipt]:
        raise AssertionError(f"{len(messages)} messages were stored together")

    with TestClient(webhooks(service, refuse)) as client:
        assert client.post(PATH, json=body, headers=SECRET).status_code == 200
    assert [one.tool_calls[0].name for one in service.recorded] == ["record_opt_out"]
