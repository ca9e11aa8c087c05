"""VapiProvider reads, lists and hangs up calls."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from application.ports import (
    ProviderRefused,
    ProviderUnavailable,
)
from tests.provider.rawserver import (
    serving,
    trickle,
)
from tests.provider.vapi_client import LINE, NOW, at, fails_with, provider

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
def test_a_failed_read_distinguishes_refusal_and_unavailability(
    status: int, kind: type[Exception]
) -> None:
    client = provider(lambda _: httpx2.Response(status, json={"message": "Because."}))
    with pytest.raises(kind, match="Because"):
        client.call("call-1")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": "call-1"}'])
def test_an_unreadable_call_counts_as_unavailable(body: bytes) -> None:
    client = provider(lambda _: httpx2.Response(200, content=body))
    with pytest.raises(ProviderUnavailable):
        client.call("call-1")


def test_a_read_that_was_not_sent_is_tried_again() -> None:
    tries: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        tries.append(request.method)
        if len(tries) < 3:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, json=[])

    assert provider(answer).phone_numbers() == []
    assert len(tries) == 3


def test_a_read_is_tried_a_limited_number_of_times() -> None:
    with pytest.raises(ProviderUnavailable, match="refused"):
        provider(fails_with(httpx2.ConnectError("refused"))).phone_numbers()


def test_a_slow_stream_of_bytes_ends_at_the_deadline() -> None:
    with serving(trickle) as server, pytest.raises(ProviderUnavailable):
        at(server.url, timeout_seconds=0.5).phone_numbers()


def test_an_id_cannot_change_the_path() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.raw_path.decode())
        return httpx2.Response(404, json={})

    assert provider(answer).call("../assistant?x=1") is None
    assert asked == ["/call/..%2Fassistant%3Fx%3D1"]


def test_an_assistant_is_read_without_its_secrets() -> None:
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
def test_the_list_is_paged_until_it_is_complete(ages: list[float]) -> None:
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


def test_an_incomplete_list_counts_as_unavailable() -> None:
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
def test_an_unreadable_list_counts_as_unavailable(rows: Any) -> None:
    client = provider(lambda _: httpx2.Response(200, json=rows))
    with pytest.raises(ProviderUnavailable):
        client.calls(LINE, since=NOW)


# --- Hanging up -----------------------------------------------------------------------


def hung_up(
    document: dict[str, Any], control_status: int = 200
) -> list[httpx2.Request]:
    """Hang up a call with this document; return the requests posted."""
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


def test_the_api_key_is_not_sent_to_another_host() -> None:
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


def test_an_ended_call_is_not_hung_up() -> None:
    assert hung_up({"status": "ended"}) == []


def test_a_call_that_ends_during_the_hang_up_is_no_error() -> None:
    document = {"status": "ringing", "monitor": {"controlUrl": CONTROL}}
    assert len(hung_up(document, control_status=404)) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(500, ProviderUnavailable), (403, ProviderRefused)]
)
def test_a_failed_hang_up_raises_an_error(status: int, kind: type[Exception]) -> None:
    document = {"status": "ringing", "monitor": {"controlUrl": CONTROL}}
    with pytest.raises(kind):
        hung_up(document, control_status=status)


def test_a_call_without_a_control_url_cannot_be_hung_up() -> None:
    with pytest.raises(ProviderUnavailable):
        hung_up({"status": "queued"})
