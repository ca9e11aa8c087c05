"""The exposed Prometheus metrics, by name and label."""

import re
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from interfaces.auth.headers import DEFAULTS
from storage.process.decisions import beat
from tests import http_requests as asking
from tests.interfaces.serving import GRAPHQL_WS, SECRET, Desk

type Sample = tuple[str, tuple[tuple[str, str], ...]]


def scraped(desk: Desk) -> dict[Sample, float]:
    answer = desk.get("/metrics", role=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: dict[Sample, float], name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def hook(desk: Desk, body: Any, secret: str = SECRET) -> httpx2.Response:
    headers = {"X-Vapi-Secret": secret}
    return asking.post(f"{desk.url}/webhooks/vapi", json=body, headers=headers)


def test_messages_are_counted_by_type_and_result(desk: Desk) -> None:
    body = {"message": {"type": "status-update", "call": {"id": "c1"}, "status": "x"}}
    made_up = {"message": {"type": "made-up-4711", "call": {"id": "c1"}}}
    for _ in range(2):
        assert hook(desk, body).status_code == 200
    hook(desk, made_up)
    hook(desk, body, secret="wrong")
    found = scraped(desk)
    name = "autolynx_webhooks_total"
    assert value(found, name, type="status-update", result="stored") == 1
    assert value(found, name, type="status-update", result="repeated") == 1
    assert value(found, name, type="other", result="stored") == 1
    assert value(found, name, type="unread", result="unauthenticated") == 1
    assert "4711" not in str(list(found))  # Values may have any digits.


def test_every_process_exposes_the_metrics_of_the_whole_system(desk: Desk) -> None:
    desk.caught_up()
    found = scraped(desk)
    assert value(found, "autolynx_database_up") == 1
    assert value(found, "autolynx_call_slots") == 10
    assert value(found, "autolynx_active_calls") == 0
    assert value(found, "autolynx_campaigns", state="running") == 0
    assert value(found, "autolynx_projection_lag_seconds") == 0
    assert value(found, "autolynx_spend_today_dollars") == 0
    assert ("autolynx_scheduler_tick_age_seconds", ()) not in found


def test_the_api_exposes_every_metric_of_the_monitoring_page(desk: Desk) -> None:
    with desk.pool.connection() as connection:
        beat(connection, "scheduler", "host:1")
    desk.caught_up()
    text = desk.get("/metrics", role=None).text
    exposed = set(re.findall(r"^# TYPE (autolynx_\w+)", text, re.MULTILINE))
    page = (Path(__file__).parents[2] / "docs/operations/monitor.md").read_text()
    rows = re.findall(r"^\| `(autolynx_\w+)` \|[^|]*\| (.*) \|$", page, re.MULTILINE)
    named = {name for name, meaning in rows if "*scheduler*" not in meaning}
    exposed = {name for name in exposed if not name.endswith("_created")}
    assert exposed == named - {"autolynx_daily_budget_dollars"}  # No budget is set.


def test_requests_are_counted_by_route_not_by_path(desk: Desk) -> None:
    desk.get("/nobody/+12025550123", role=None)
    desk.get("/healthz", role=None)
    found = scraped(desk)
    labels = {"method": "GET", "route": "/healthz", "status": "200"}
    assert value(found, "autolynx_http_requests_total", **labels) >= 1
    assert "+12025550123" not in str(found)


def test_webhooks_are_measured_under_their_route(desk: Desk) -> None:
    hook(desk, {}, secret="wrong")
    labels = {"method": "POST", "route": "/webhooks/vapi", "status": "401"}
    assert value(scraped(desk), "autolynx_http_requests_total", **labels) >= 1


def test_every_response_has_each_security_header_once(desk: Desk) -> None:
    answers = [
        desk.get("/", role=None),  # Has a policy of its own.
        desk.get("/nowhere", role=None),
        hook(desk, {}),
        hook(desk, {}, secret="wrong"),
    ]
    for answer in answers:
        for name in DEFAULTS:
            assert len(answer.headers.get_list(name)) == 1, (answer.url, name)
    policies = [answer.headers["Content-Security-Policy"] for answer in answers]
    assert "script-src" in policies[0]
    assert set(policies[1:]) == {DEFAULTS["Content-Security-Policy"]}


def test_a_response_has_a_request_id_and_keeps_that_of_a_proxy(desk: Desk) -> None:
    made = desk.get("/healthz", role=None).headers["x-request-id"]
    assert len(made) == 32
    given = {"X-Request-Id": "proxy-0001"}
    answer = asking.get(f"{desk.url}/healthz", headers=given)
    assert answer.headers["x-request-id"] == "proxy-0001"
    bad = asking.get(f"{desk.url}/healthz", headers={"X-Request-Id": "a b\tc;" * 20})
    assert len(bad.headers["x-request-id"]) == 32


def test_open_sockets_are_counted(desk: Desk) -> None:
    url = desk.url.replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=[GRAPHQL_WS], additional_headers=desk.header()):
        assert value(scraped(desk), "autolynx_websocket_connections") == 1
