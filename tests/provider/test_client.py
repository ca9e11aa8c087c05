import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest
from pydantic import SecretStr

from application.configuration import Configuration
from application.monotonic_clock import monotonic_now
from application.ports import (
    Accepted,
    NeverLeft,
    ProviderRefused,
    ProviderUnavailable,
    Unknown,
)
from provider.vapi.client import BACKOFF, VapiProvider, VapiSettings, vapi_settings
from provider.vapi.wire import Wire
from tests.fakes import an_order
from tests.provider.rawserver import (
    Behave,
    accept,
    close,
    cut_the_body,
    hang,
    nonsense,
    reset,
    reset_unread,
    serving,
    trickle,
    trickle_the_body,
)
from tests.support import eventually

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LINE = "c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"
KEY = "private-key"

type Answer = Callable[[httpx2.Request], httpx2.Response]


def soon() -> float:
    return monotonic_now() + 5


def provider(answer: Answer, **settings: Any) -> VapiProvider:
    return VapiProvider(
        VapiSettings(api_key=KEY, **settings),
        transport=httpx2.MockTransport(answer),
        now=lambda: NOW,
        wait=lambda _: None,
    )


def at(url: str, timeout_seconds: float = 1.0) -> VapiProvider:
    """Make a client of a real server."""
    settings = VapiSettings(url, KEY, timeout_seconds)
    return VapiProvider(settings, now=lambda: NOW, wait=lambda _: None)


def request_of(**settings: Any) -> tuple[httpx2.Request, dict[str, Any]]:
    """Return what is sent for an order."""
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={"id": "call-1"})

    order = an_order(name="N" * 50, variables={"plan": "gold"})
    provider(answer, **settings).create_call(order, send_before=soon())
    return sent[0], orjson.loads(sent[0].content)


# --- The request ----------------------------------------------------------------------


def test_the_request_has_exactly_what_the_provider_takes() -> None:
    order = an_order(attempt=2, request=3)
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={"id": "call-1"})

    done = provider(answer).create_call(order, send_before=soon())
    assert done == Accepted("call-1", NOW)
    assert str(sent[0].url) == "https://api.vapi.ai/call"
    assert sent[0].headers["authorization"] == f"Bearer {KEY}"
    assert orjson.loads(sent[0].content) == {
        "name": str(order.call_id),
        "assistantId": order.provider_assistant_id,
        "phoneNumberId": order.phone_number_id,
        "customer": {
            "number": "+12025550143",
            "name": "Dana Whitfield",
            "externalId": str(order.call_id),
        },
        "assistantOverrides": {
            "variableValues": {"name": "Dana Whitfield", "plan": "gold"},
            "metadata": {
                "autolynx_call_id": str(order.call_id),
                "autolynx_campaign_id": str(order.campaign_id),
                "autolynx_contact_id": str(order.contact_id),
                "attempt": 2,
                "request": 3,
            },
            "serverMessages": ["status-update", "end-of-call-report"],
        },
    }


def test_an_extension_is_sent_with_the_customer() -> None:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={"id": "call-1"})

    provider(answer).create_call(an_order(extension="0101"), send_before=soon())
    customer = orjson.loads(sent[0].content)["customer"]
    assert (customer["number"], customer["extension"]) == ("+12025550143", "0101")


def test_a_long_name_is_cut_for_the_provider_and_whole_for_the_assistant() -> None:
    _, body = request_of()
    assert body["customer"]["name"] == "N" * 40
    assert body["assistantOverrides"]["variableValues"]["name"] == "N" * 50


HOOK = "https://dialer.example.com/webhooks/vapi"


@pytest.mark.parametrize(
    ("settings", "proof"),
    [
        ({"webhook_secret": "s"}, {"headers": {"X-Vapi-Secret": "s"}}),
        (
            {"webhook_secret": "s", "webhook_header": "X-Ours"},
            {"headers": {"X-Ours": "s"}},
        ),
        (
            {"webhook_secret": "s", "webhook_auth": "bearer"},
            {"headers": {"Authorization": "Bearer s"}},
        ),
        (
            {"webhook_secret": "s", "webhook_auth": "bearer", "credential_id": "c"},
            {"credentialId": "c"},
        ),
        (
            {"webhook_secret": "s", "webhook_auth": "hmac", "credential_id": "c"},
            {"credentialId": "c"},
        ),
    ],
)
def test_the_provider_is_told_where_to_send_messages_and_how_to_prove_them(
    settings: dict[str, Any], proof: dict[str, Any]
) -> None:
    _, body = request_of(webhook_url=HOOK, **settings)
    assert body["assistantOverrides"]["server"] == {
        "url": HOOK,
        "timeoutSeconds": 20,
        "backoffPlan": BACKOFF,
        **proof,
    }


@pytest.mark.parametrize("auth", ["secret", "hmac"])
def test_without_a_proof_the_assistants_own_server_stands(auth: str) -> None:
    _, body = request_of(webhook_url=HOOK, webhook_auth=auth)
    assert "server" not in body["assistantOverrides"]


def test_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(VapiSettings(api_key="hidden-1", webhook_secret="hidden-2"))
    assert "hidden" not in shown


def test_the_environment_says_where_the_provider_is() -> None:
    configuration = Configuration(
        public_url="https://dialer.example.com/",
        vapi_api_key=SecretStr(KEY),
        webhook_secret=SecretStr("s"),
        vapi_timeout_seconds=3,
    )
    settings = vapi_settings(configuration)
    assert (settings.api_key, settings.webhook_secret) == (KEY, "s")
    assert (settings.webhook_url, settings.timeout_seconds) == (HOOK, 3)


# --- What the network does ------------------------------------------------------------


@pytest.mark.parametrize(
    "behave", [reset, close, hang, trickle, trickle_the_body, cut_the_body, nonsense]
)
def test_whatever_happens_after_sending_leaves_the_outcome_unknown(
    behave: Behave,
) -> None:
    with serving(behave) as server:
        done = at(server.url).create_call(an_order(), send_before=soon())
        assert isinstance(done, Unknown)
        assert server.connections == len(server.received) == 1


def test_a_reset_before_the_request_was_read_is_unknown_and_not_tried_again() -> None:
    with serving(reset_unread, read_first=False) as server:
        done = at(server.url).create_call(an_order(), send_before=soon())
        assert isinstance(done, Unknown)
        assert server.connections == 1


def test_an_answer_over_the_real_network_is_accepted() -> None:
    with serving(accept) as server:
        done = at(server.url).create_call(an_order(), send_before=soon())
        created = datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC)
        assert done == Accepted("call-1", created)
        assert server.received[0].startswith(b"POST /call HTTP/1.1\r\n")


def test_each_request_has_a_connection_of_its_own() -> None:
    with serving(accept) as server:
        client = at(server.url)
        for _ in range(2):
            client.create_call(an_order(), send_before=soon())
        assert server.connections == 2


def test_many_threads_may_call_at_once() -> None:
    with serving(accept) as server, ThreadPoolExecutor(8) as threads:
        client = at(server.url, timeout_seconds=10)
        orders = [an_order() for _ in range(24)]
        outcomes = threads.map(
            lambda order: client.create_call(order, send_before=monotonic_now() + 10),
            orders,
        )
        assert all(isinstance(done, Accepted) for done in outcomes)
        bodies = [request.partition(b"\r\n\r\n")[2] for request in server.received]
        names = sorted(orjson.loads(body)["name"] for body in bodies)
        assert names == sorted(str(order.call_id) for order in orders)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_refused_connection_is_a_request_that_never_left() -> None:
    client = at(f"http://127.0.0.1:{free_port()}")
    done = client.create_call(an_order(), send_before=soon())
    assert isinstance(done, NeverLeft)


def test_a_host_that_nobody_knows_is_a_request_that_never_left() -> None:
    client = at("http://nobody.invalid", timeout_seconds=5)
    done = client.create_call(an_order(), send_before=soon())
    assert isinstance(done, NeverLeft)


def test_a_failed_handshake_is_a_request_that_never_left() -> None:
    with serving(nonsense, read_first=False) as server:
        client = at(server.url.replace("http:", "https:"), timeout_seconds=5)
        done = client.create_call(an_order(), send_before=soon())
        assert isinstance(done, NeverLeft)


def test_a_handshake_that_takes_too_long_is_a_request_that_never_left() -> None:
    with serving(hang, read_first=False) as server:
        client = at(server.url.replace("http:", "https:"), timeout_seconds=30)
        done = client.create_call(an_order(), send_before=monotonic_now() + 0.3)
        assert isinstance(done, NeverLeft)


def test_nothing_is_connected_once_it_is_too_late() -> None:
    with serving(accept) as server:
        done = at(server.url).create_call(an_order(), send_before=monotonic_now())
        assert isinstance(done, NeverLeft)
        assert server.connections == 0


def test_the_time_is_looked_at_again_when_the_first_byte_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect_late(wire: Wire) -> float:
        wire.send_before = monotonic_now()
        return 5

    monkeypatch.setattr(Wire, "time_to_connect", connect_late)
    with serving(accept, read_first=False) as server:
        done = at(server.url).create_call(an_order(), send_before=soon())
        assert isinstance(done, NeverLeft)
        eventually(lambda: server.connections == 1)


def fails_with(error: Exception) -> Answer:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.ConnectError("refused"), NeverLeft),
        (httpx2.ConnectTimeout("timed out"), NeverLeft),
        (httpx2.WriteError("broken pipe"), Unknown),
        (httpx2.ReadTimeout("timed out"), Unknown),
        (httpx2.RemoteProtocolError("closed"), Unknown),
        (RuntimeError("a fault of ours"), Unknown),
    ],
)
def test_only_failures_before_sending_are_no_request(
    error: Exception, kind: type
) -> None:
    done = provider(fails_with(error)).create_call(an_order(), send_before=soon())
    assert type(done) is kind
    assert str(error) in repr(done)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_no_answer_makes_the_client_send_a_second_time(status: int) -> None:
    sent: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.method)
        return httpx2.Response(status, headers={"Retry-After": "0"}, json={})

    provider(answer).create_call(an_order(), send_before=soon())
    assert sent == ["POST"]


def test_without_a_key_nothing_is_sent() -> None:
    client = VapiProvider(VapiSettings(), transport=httpx2.MockTransport(never))
    assert isinstance(client.create_call(an_order(), send_before=soon()), NeverLeft)
    with pytest.raises(ProviderUnavailable, match="no API key"):
        client.phone_numbers()


def never(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError(request)


# --- Reading --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRefused),
        (401, ProviderRefused),
        (408, ProviderUnavailable),
        (429, ProviderUnavailable),
        (500, ProviderUnavailable),
        (302, ProviderUnavailable),
    ],
)
def test_a_read_says_whether_the_provider_refused_or_was_not_there(
    status: int, kind: type[Exception]
) -> None:
    client = provider(lambda _: httpx2.Response(status, json={"message": "Because."}))
    with pytest.raises(kind, match="Because"):
        client.call("call-1")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": "call-1"}'])
def test_a_call_that_makes_no_sense_is_no_answer(body: bytes) -> None:
    client = provider(lambda _: httpx2.Response(200, content=body))
    with pytest.raises(ProviderUnavailable):
        client.call("call-1")


def test_a_read_that_never_left_is_tried_again() -> None:
    tries: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        tries.append(request.method)
        if len(tries) < 3:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, json=[])

    assert provider(answer).phone_numbers() == []
    assert len(tries) == 3


def test_a_read_gives_up_in_the_end() -> None:
    with pytest.raises(ProviderUnavailable, match="refused"):
        provider(fails_with(httpx2.ConnectError("refused"))).phone_numbers()


def test_a_read_that_trickles_ends_with_the_deadline() -> None:
    with serving(trickle) as server, pytest.raises(ProviderUnavailable):
        at(server.url).phone_numbers()


def test_an_id_cannot_lead_elsewhere() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.raw_path.decode())
        return httpx2.Response(404, json={})

    assert provider(answer).call("../assistant?x=1") is None
    assert asked == ["/call/..%2Fassistant%3Fx%3D1"]


def test_an_assistant_comes_without_its_secrets() -> None:
    document = {
        "id": "a",
        "name": "Reminder",
        "model": {"provider": "openai"},
        "server": {"url": "https://h/x", "secret": "hidden"},
    }
    found = provider(lambda _: httpx2.Response(200, json=document)).assistant("a")
    assert found is not None
    assert found.name == "Reminder"
    assert found.config["model"] == {"provider": "openai"}
    assert found.config["server"] == {"url": "https://h/x"}


# --- The list -------------------------------------------------------------------------


class Listed:
    """A line's calls as the provider lists them: newest first, cut at the limit."""

    def __init__(self, ages: list[float]) -> None:
        self.rows = [
            {
                "id": str(uuid4()),
                "createdAt": (NOW - timedelta(seconds=age)).isoformat(),
            }
            for age in sorted(ages)
        ]
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        query = dict(request.url.params)
        self.asked.append(query)
        until = datetime.fromisoformat(query.get("createdAtLe", NOW.isoformat()))
        rows = [
            row
            for row in self.rows
            if datetime.fromisoformat(row["createdAt"]) <= until
        ]
        return httpx2.Response(200, json=rows[: int(query["limit"])])


@pytest.mark.parametrize(
    "ages",
    [
        [],
        [1.0],
        [float(age) for age in range(100)],
        [float(age) for age in range(350)],
        [1.0] * 100 + [2.0] * 100,
        [1.0] * 450 + [2.0],
        [float(age // 70) for age in range(700)],
    ],
)
def test_the_list_is_paged_until_it_is_whole(ages: list[float]) -> None:
    listed = Listed(ages)
    found = provider(listed).calls(LINE, since=NOW - timedelta(hours=1))
    assert {call.provider_call_id for call in found} == {r["id"] for r in listed.rows}
    times = [call.created_at for call in found]
    assert len(found) == len(ages)
    assert times == sorted(times, reverse=True)


def test_the_list_is_asked_for_by_line_and_time() -> None:
    listed = Listed([1.0])
    provider(listed).calls(LINE, since=NOW)
    assert listed.asked == [
        {"phoneNumberId": LINE, "createdAtGe": "2026-11-22T12:00:00Z", "limit": "100"}
    ]


def test_a_list_that_cannot_be_whole_is_no_answer() -> None:
    with pytest.raises(ProviderUnavailable, match="instant"):
        provider(Listed([1.0] * 1001)).calls(LINE, since=NOW)


@pytest.mark.parametrize(
    "rows",
    [
        {"results": []},
        [{"id": "no-time"}],
        ["call-1"],
        [
            {"id": "1", "createdAt": "2026-11-22T12:00:00Z"},
            {"id": "2", "createdAt": "2026-11-22T12:00:01Z"},
        ],
    ],
)
def test_a_list_that_makes_no_sense_is_no_answer(rows: Any) -> None:
    client = provider(lambda _: httpx2.Response(200, json=rows))
    with pytest.raises(ProviderUnavailable):
        client.calls(LINE, since=NOW)


# --- Hanging up -----------------------------------------------------------------------


def hung_up(
    document: dict[str, Any], control_status: int = 200
) -> list[httpx2.Request]:
    """Hang up a call that shows so; return what was posted."""
    posted: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"id": "call-1", **document})
        posted.append(request)
        return httpx2.Response(control_status, json={"message": "No."})

    provider(answer).hang_up("call-1")
    return posted


CONTROL = (
    "https://phone-call-websocket.aws-us-west-2-backend-production2.vapi.ai/1/control"
)


@pytest.mark.parametrize("url", [CONTROL, "https://api.vapi.ai/1/control"])
def test_a_live_call_is_ended_by_its_control_url(url: str) -> None:
    posted = hung_up({"status": "in-progress", "monitor": {"controlUrl": url}})
    assert [str(request.url) for request in posted] == [url]
    assert orjson.loads(posted[0].content) == {"type": "end-call"}


def test_the_key_does_not_go_to_another_host() -> None:
    posted = hung_up({"status": "ringing", "monitor": {"controlUrl": CONTROL}})
    assert "authorization" not in posted[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "https://vapi.ai.evil.example/1/control",
        "https://evilvapi.ai/1/control",
        "http://x.vapi.ai/1/control",
        "http://169.254.169.254/",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_posted_to_a_foreign_host(url: str) -> None:
    with pytest.raises(ProviderRefused, match="foreign"):
        hung_up({"status": "ringing", "monitor": {"controlUrl": url}})


def test_a_call_that_is_over_is_left_alone() -> None:
    assert hung_up({"status": "ended"}) == []


def test_a_call_that_ends_meanwhile_is_no_error() -> None:
    document = {"status": "ringing", "monitor": {"controlUrl": CONTROL}}
    assert len(hung_up(document, control_status=404)) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(500, ProviderUnavailable), (403, ProviderRefused)]
)
def test_a_hang_up_that_fails_is_told(status: int, kind: type[Exception]) -> None:
    document = {"status": "ringing", "monitor": {"controlUrl": CONTROL}}
    with pytest.raises(kind):
        hung_up(document, control_status=status)


def test_a_call_without_a_control_url_cannot_be_ended_now() -> None:
    with pytest.raises(ProviderUnavailable):
        hung_up({"status": "queued"})


def changing(
    now: dict[str, Any], config: dict[str, Any], name: str | None = None
) -> dict[str, Any] | None:
    """Return what is sent to change an assistant that is so now."""
    sent: list[dict[str, Any]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "PATCH":
            sent.append(orjson.loads(request.content))
        return httpx2.Response(200, json=now)

    provider(answer).update_assistant("a-1", name, config)
    return sent[0] if sent else None


SECRETIVE = {
    "id": "a-1",
    "orgId": "org",
    "name": "Ann",
    "firstMessage": "Hi",
    "server": {"url": "https://theirs.example", "headers": {"X-Key": "s"}},
}


def test_what_was_shown_and_comes_back_takes_no_secret_away() -> None:
    shown = {**SECRETIVE, "server": {"url": "https://theirs.example"}}
    assert changing(SECRETIVE, shown) is None
    assert changing(SECRETIVE, {**shown, "firstMessage": "Hey"}) == {
        "firstMessage": "Hey"
    }


def test_a_change_that_would_take_a_secret_away_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="server holds secrets"):
        changing(SECRETIVE, {"server": {"url": "https://other.example"}})
    given = {"url": "https://other.example", "headers": {"X-Key": "new"}}
    assert changing(SECRETIVE, {"server": given}) == {"server": given}


def test_an_assistant_keeps_what_only_the_provider_sets() -> None:
    sent: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(orjson.loads(request.content))
        return httpx2.Response(201, json={"id": "a-2", "name": "Bea"})

    provider(answer).create_assistant("Bea", {**SECRETIVE, "voice": {}})
    (document,) = sent
    assert document == {
        "firstMessage": "Hi",
        "name": "Bea",
        "server": SECRETIVE["server"],
        "voice": {},
    }


@pytest.mark.parametrize(
    ("location", "link"),
    [
        ("https://storage.example/x.wav?X=1", "https://storage.example/x.wav?X=1"),
        ("/storage/x.wav", "https://api.vapi.ai/storage/x.wav"),
    ],
)
def test_a_recording_is_a_link_that_is_not_followed(location: str, link: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/call/call-1/mono-recording"
        return httpx2.Response(302, headers={"location": location})

    assert provider(answer).recording_link("call-1") == link


@pytest.mark.parametrize(
    "location",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://storage.example/x.wav",
        "https://user@storage.example/x.wav",
        "https://169.254.169.254/latest/meta-data/",
        "https://[64:ff9b::a9fe:a9fe]/x.wav",
        "https://localhost/x.wav",
        "https://[::1",
        "https://storage.example:x/",
    ],
)
def test_a_redirect_to_a_hostile_url_is_not_a_recording_link(location: str) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={b"location": location.encode()})

    assert provider(answer).recording_link("call-1") is None


def test_no_link_is_no_recording_link() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"RIFF")

    with pytest.raises(ProviderUnavailable, match="no link"):
        provider(answer).recording_link("call-1")
