"""The spans that the API exports for requests."""

from collections.abc import Iterator

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from domain.values import Role
from tests.interfaces.serving import ApiClient, serve_api
from tests.support import eventually

TOLD = InMemorySpanExporter()


@pytest.fixture(scope="module")
def api(shared_database: str) -> Iterator[ApiClient]:
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(TOLD))
    with serve_api(shared_database, tracers=tracers) as api:
        yield api


@pytest.fixture(autouse=True)
def nothing_yet() -> None:
    TOLD.clear()


def spans(name: str) -> list[ReadableSpan]:
    eventually(lambda: any(one.name == name for one in TOLD.get_finished_spans()))
    return list(TOLD.get_finished_spans())


def test_a_request_s_span_is_named_by_its_route_within_the_sender_s_trace(
    api: ApiClient,
) -> None:
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    answer = httpx2.get(
        f"{api.url}/campaigns/nobody/export.csv",
        headers={**api.header(Role.AUDITOR), "traceparent": parent},
    )
    assert answer.status_code == 404
    name = "GET /campaigns/{campaign_id}/export.csv"
    (span,) = [one for one in spans(name) if one.name == name]
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == "ab" * 16
    assert (span.attributes or {})["http.response.status_code"] == 404


def test_a_webhook_s_span_is_named_by_its_route(api: ApiClient) -> None:
    httpx2.post(f"{api.url}/webhooks/vapi", content=b"{}")
    (span,) = spans("POST /webhooks/vapi")
    attributes = span.attributes or {}
    assert attributes["http.route"] == "/webhooks/vapi"
    assert attributes["http.response.status_code"] == 401
    httpx2.get(f"{api.url}/webhooks/vapi")
    assert "GET /webhooks/vapi" in {span.name for span in spans("GET /webhooks/vapi")}


def test_an_operation_s_span_is_named_after_it(api: ApiClient) -> None:
    api.execute("query Whoami { me { email } }")
    assert "graphql Whoami" in {span.name for span in spans("POST /graphql")}


def test_query_strings_are_not_traced_but_reach_the_routes(api: ApiClient) -> None:
    file = "name,business_name,phone\nAda,,2025550101\n"
    answer = httpx2.post(
        f"{api.url}/uploads?filename=Adas-friends.csv&defaultRegion=US",
        content=file,
        headers={**api.header(), "Content-Type": "text/csv"},
    )
    assert answer.json()["filename"] == "Adas-friends.csv"
    result = [span.to_json() for span in spans("POST /uploads")]
    assert [one for one in result if "friends" in one or "alx_" in one] == []


def test_health_checks_are_not_traced(api: ApiClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert api.get(path, role=None).status_code == 200
    api.execute("{ me { email } }")
    routes = {
        (span.attributes or {}).get("http.route") for span in spans("POST /graphql")
    }
    assert routes == {"/graphql", None}
