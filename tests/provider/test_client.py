"""VapiProvider places calls: its requests, and the outcomes of network failures."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import SecretStr

from application.configuration import Configuration
from application.ports import (
    Accepted,
    NeverLeft,
    ProviderUnavailable,
    Unknown,
)
from application.process.monotonic_clock import monotonic_now
from provider.vapi.client import VapiProvider
from provider.vapi.requests.call_request import call_request
from provider.vapi.settings import BACKOFF, VapiSettings, vapi_settings
from provider.vapi.wire import Wire
from tests.fakes import an_order
from tests.ports import free_port
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
from tests.provider.vapi_client import (
    KEY,
    NOW,
    at,
    fails_with,
    provider,
    request_of,
    soon,
)
from tests.support import eventually

# --- The request ----------------------------------------------------------------------


def test_the_request_contains_exactly_the_allowed_fields() -> None:
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
            "serverMessages": ["status-update", "end-of-call-report", "tool-calls"],
        },
    }


def test_a_call_names_the_pinned_version_of_its_assistant() -> None:
    request = call_request(an_order(assistant_version="v3"), {})
    assert request["assistantVersion"] == "v3"
    assert "assistantVersion" not in call_request(an_order(), {})


def test_without_a_voicemail_message_the_provider_hangs_up_on_a_machine() -> None:
    overrides = [
        call_request(an_order(voicemail_allowed=allowed), {})["assistantOverrides"]
        for allowed in (True, False)
    ]
    assert [each.get("voicemailMessage") for each in overrides] == [None, ""]


def test_an_extension_is_sent_with_the_customer() -> None:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={"id": "call-1"})

    provider(answer).create_call(an_order(extension="0101"), send_before=soon())
    customer = orjson.loads(sent[0].content)["customer"]
    assert (customer["number"], customer["extension"]) == ("+12025550143", "0101")


def test_a_long_name_is_shortened_except_for_the_assistant() -> None:
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
def test_the_request_names_our_webhook_and_its_authentication(
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
def test_without_authentication_the_assistants_server_applies(auth: str) -> None:
    _, body = request_of(webhook_url=HOOK, webhook_auth=auth)
    assert "server" not in body["assistantOverrides"]


def test_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(VapiSettings(api_key="hidden-1", webhook_secret="hidden-2"))
    assert "hidden" not in shown


def test_the_settings_come_from_the_environment() -> None:
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


PATIENT, WAITING = 60, 3
"""Time limits in seconds: a client that waits for the whole of WAITING must connect
within that time."""


@pytest.mark.parametrize(
    ("behave", "seconds"),
    [
        *((behave, PATIENT) for behave in (reset, close, cut_the_body, nonsense)),
        *((behave, WAITING) for behave in (hang, trickle, trickle_the_body)),
    ],
)
def test_any_failure_after_sending_gives_an_unknown_outcome(
    behave: Behave, seconds: float
) -> None:
    with serving(behave) as server:
        client = at(server.url, timeout_seconds=seconds)
        done = client.create_call(an_order(), send_before=soon())
        assert isinstance(done, Unknown)
        assert server.connections == len(server.received) == 1


def test_a_connection_reset_gives_an_unknown_outcome_and_no_second_try() -> None:
    with serving(reset_unread, read_first=False) as server:
        done = at(server.url).create_call(an_order(), send_before=soon())
        assert isinstance(done, Unknown)
        assert server.connections == 1


def test_a_call_is_placed_over_a_real_connection() -> None:
    with serving(accept) as server:
        done = at(server.url).create_call(an_order(), send_before=soon())
        created = datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC)
        assert done == Accepted("call-1", created)
        assert server.received[0].startswith(b"POST /call HTTP/1.1\r\n")


def test_each_request_uses_its_own_connection() -> None:
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


def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    client = at(f"http://127.0.0.1:{free_port()}")
    done = client.create_call(an_order(), send_before=soon())
    assert isinstance(done, NeverLeft)


def test_an_unknown_host_means_that_nothing_was_sent() -> None:
    client = at("http://nobody.invalid", timeout_seconds=5)
    done = client.create_call(an_order(), send_before=soon())
    assert isinstance(done, NeverLeft)


def test_a_failed_handshake_means_that_nothing_was_sent() -> None:
    with serving(nonsense, read_first=False) as server:
        client = at(server.url.replace("http:", "https:"), timeout_seconds=5)
        done = client.create_call(an_order(), send_before=soon())
        assert isinstance(done, NeverLeft)


def test_a_slow_handshake_means_that_nothing_was_sent() -> None:
    with serving(hang, read_first=False) as server:
        client = at(server.url.replace("http:", "https:"), timeout_seconds=30)
        done = client.create_call(an_order(), send_before=monotonic_now() + 0.3)
        assert isinstance(done, NeverLeft)


def test_no_connection_is_opened_after_send_before() -> None:
    with serving(accept) as server:
        done = at(server.url).create_call(an_order(), send_before=monotonic_now())
        assert isinstance(done, NeverLeft)
        assert server.connections == 0


def test_send_before_is_checked_again_before_the_first_byte(
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
def test_only_failures_before_sending_prove_that_nothing_was_sent(
    error: Exception, kind: type
) -> None:
    done = provider(fails_with(error)).create_call(an_order(), send_before=soon())
    assert type(done) is kind
    assert str(error) in repr(done)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_call_is_never_requested_twice(status: int) -> None:
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
