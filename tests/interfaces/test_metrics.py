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
from tests.interfaces.serving import GRAPHQL_WS, SECRET, ApiClient

type Sample = tuple[str, tuple[tuple[str, str], ...]]


def scraped(api: ApiClient) -> dict[Sample, float]:
    answer = api.get("/metrics", role=None)
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


def hook(api: ApiClient, body: Any, secret: str = SECRET) -> httpx2.Response:
    headers = {"X-Vapi-Secret": secret}
    return asking.post(f"{api.url}/webhooks/vapi", json=body, headers=headers)


def test_messages_are_counted_by_type_and_result(api: ApiClient) -> None:
    body = {"message": {"type": "status-update", "call": {"id": "c1"}, "status": "x"}}
    made_up = {"message": {"type": "made-up-4711", "call": {"id": "c1"}}}
    for _ in range(2):
        assert hook(api, body).status_code == 200
    hook(api, made_up)
    hook(api, body, secret="wrong")
    found = scraped(api)
    name = "autolynx_webhooks_total"
    assert value(found, name, type="status-update", result="stored") == 1
    assert value(found, name, type="status-update", result="repeated") == 1
    assert value(found, name, type="other", result="stored") == 1
    assert value(found, name, type="unread", result="unauthenticated") == 1
    assert "4711" not in str(list(found))  # Values may have any digits.


def test_every_process_exposes_the_metrics_of_the_whole_system(api: ApiClient) -> None:
    api.caught_up()
    found = scraped(api)
    assert value(found, "autolynx_database_up") == 1
    assert value(found, "autolynx_call_slots") == 10
    assert value(found, "autolynx_active_calls") == 0
    assert value(found, "autolynx_campaigns", state="running") == 0
    assert value(found, "autolynx_projection_lag_seconds") == 0
    assert value(found, "autolynx_spend_today_dollars") == 0
    assert ("autolynx_scheduler_tick_age_seconds", ()) not in found


def test_the_api_exposes_every_metric_of_the_monitoring_page(api: ApiClient) -> None:
    with api.pool.connection() as connection:
        beat(connection, "scheduler", "host:1")
    api.caught_up()
    text = api.get("/metrics", role=None).text
    exposed = set(re.findall(r"^# TYPE (autolynx_\w+)", text, re.MULTILINE))
    page = (Path(__file__).parents[2] / "docs/operations/monitor.md").read_text()
    rows = re.findall(r"^\| `(autolynx_\w+)` \|[^|]*\| (.*) \|$", page, re.MULTILINE)
    named = {name for name, meaning in rows if "*scheduler*" not in meaning}
    exposed = {name for name in exposed if not name.endswith("_created")}
    assert exposed == named - {"autolynx_daily_budget_dollars"}  # No budget is set.


def test_requests_are_counted_by_route_not_by_path(api: ApiClient) -> None:
    api.get("/nobody/+12025550123", role=None)
    api.get("/healthz", role=None)
    found = scraped(api)
    labels = {"method": "GET", "route": "/healthz", "status": "200"}
    assert value(found, "autolynx_http_requests_total", **labels) >= 1
    assert "+12025550123" not in str(found)


def test_webhooks_are_measured_under_their_route(api: ApiClient) -> None:
    hook(api, {}, secret="wrong")
    labels = {"method": "POST", "route": "/webhooks/vapi", "status": "401"}
    assert value(scraped(api), "autolynx_http_requests_total", **labels) >= 1


def test_every_response_has_each_security_header_once(api: ApiClient) -> None:
    answers = [
        api.get("/", role=None),  # Has a policy of its own.
        api.get("/nowhere", role=None),
        hook(api, {}),
        hook(api, {}, secret="wrong"),
    ]
    for answer in answers:
        for name in DEFAULTS:
            assert len(answer.headers.get_list(name)) == 1, (answer.url, name)
    policies = [answer.headers["Content-Security-Policy"] for answer in answers]
    assert "script-src" in policies[0]
    assert set(policies[1:]) == {DEFAULTS["Content-Security-Policy"]}


def test_a_response_has_a_request_id_and_keeps_that_of_a_proxy(api: ApiClient) -> None:
    made = api.get("/healthz", role=None).headers["x-request-id"]
    assert len(made) == 32
    given = {"X-Request-Id": "proxy-0001"}
    answer = asking.get(f"{api.url}/healthz", headers=given)
    assert answer.headers["x-request-id"] == "proxy-0001"
    bad = asking.get(f"{api.url}/healthz", headers={"X-Request-Id": "a b\tc;" * 20})
    assert len(bad.headers["x-request-id"]) == 32


def test_open_sockets_are_counted(api: ApiClient) -> None:
    url = api.url.replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=[GRAPHQL_WS], additional_headers=api.header()):
        assert value(scraped(api), "autolynx_websocket_connections") == 1
