"""The whole application: health, limits, the form of refusals, the first admin."""

import gzip
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from domain.values import Role
from interfaces.monitoring.health import health_routes
from storage.database import connect, open_pool
from tests import http_requests as asking
from tests.child_process import child, ended, join, run
from tests.interfaces.serving import ApiClient, serve_api
from tests.ports import free_port
from tests.support import eventually


def error(answer: httpx2.Response) -> str:
    return str(answer.json()["error"]["code"])


def test_a_running_api_is_alive_and_ready(shared_api: ApiClient) -> None:
    assert shared_api.get("/healthz", role=None).json() == {"status": "ok"}
    ready = shared_api.get("/readyz", role=None)
    assert ready.status_code == 200
    assert set(ready.json()["checks"].values()) == {"ok"}


def test_readiness_names_a_lagging_projector(api: ApiClient) -> None:
    api.caught_up()
    api.projector.stop()
    api.members.add("late@example.com", Role.ADMIN, by="test")
    with api.pool.connection() as connection:
        connection.execute(
            "update autolynx_events set state = convert_to(jsonb_set("
            "convert_from(state, 'utf8')::jsonb, '{timestamp}',"
            " '\"2026-01-01T00:00:00+00:00\"')::text, 'utf8')"
        )
    answer = api.get("/readyz", role=None)
    assert answer.status_code == 503
    assert "projector" in answer.json()["error"]["message"]
    assert answer.json()["checks"]["database"] == "ok"
    api.projector.start()


def test_readiness_without_a_database_reports_the_other_checks_as_unknown(
    shared_api: ApiClient,
) -> None:
    with open_pool(shared_api.database, name="closed") as closed:
        pass
    app = FastAPI()
    now = shared_api.context.now
    app.include_router(health_routes(pool=closed, url=shared_api.database, now=now))
    answer = TestClient(app).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"]["message"].startswith("database: ")
    checks = answer.json()["checks"]
    assert checks.pop("database") != "unknown"
    assert set(checks.values()) == {"unknown"}
    assert TestClient(app).get("/healthz").json() == {"status": "ok"}


def test_readiness_names_the_migration_that_is_missing(api: ApiClient) -> None:
    with api.pool.connection() as connection:
        connection.execute("delete from autolynx_migration where number = 3")
    answer = api.get("/readyz", role=None)
    assert answer.status_code == 503
    assert "0003_access" in answer.json()["error"]["message"]


def test_readiness_names_the_read_tables_of_another_version(api: ApiClient) -> None:
    with api.pool.connection() as connection:
        connection.execute("comment on table read.contact_log is 'form of old'")
    answer = api.get("/readyz", role=None)
    assert answer.status_code == 503
    assert "contact_log" in answer.json()["checks"]["read tables"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/uploads", 401, "UNAUTHENTICATED"),
        ("GET", "/docs", 404, "NOT_FOUND"),
    ],
)
def test_every_refusal_has_one_form(
    shared_api: ApiClient, method: str, path: str, status: int, code: str
) -> None:
    answer = asking.request(method, f"{shared_api.url}{path}")
    assert (answer.status_code, error(answer)) == (status, code)
    assert "server" not in answer.headers


def graphql(api: ApiClient, **given: Any) -> tuple[int, str]:
    answer = asking.post(f"{api.url}/graphql", headers=api.header(), **given)
    data = answer.json()["errors"][0]["extensions"]["code"]
    return answer.status_code, data


def test_refusals_of_graphql_have_the_form_of_graphql_errors(
    shared_api: ApiClient,
) -> None:
    assert graphql(shared_api, content=b"{")[1] == "BAD_REQUEST"
    assert graphql(shared_api, json=[{"query": "{ me { email } }"}])[1] == "BAD_REQUEST"
    assert graphql(shared_api, data={"query": "{ me { email } }"})[1] == "BAD_REQUEST"
    status, code = graphql(shared_api, content=b" " * (2 << 20))
    assert (status, code) == (413, "BAD_REQUEST")


def test_graphql_refuses_get(shared_api: ApiClient) -> None:
    answer = shared_api.get("/graphql?query={me{email}}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_the_configured_admin_is_added_if_there_are_no_members(database: str) -> None:
    with serve_api(database, admin_email="First@example.com") as api:
        member = api.members.member("first@example.com")
        assert member is not None
        assert member.role is Role.ADMIN
    with serve_api(database, admin_email="second@example.com") as api:
        assert api.members.member("second@example.com") is None


def test_the_process_serves_and_exits_after_sigterm(
    empty_database: str, tmp_path: Path
) -> None:
    environment = {
        "AUTOLYNX_DATABASE_URL": empty_database,
        "AUTOLYNX_PORT": str(free_port()),
        "PATH": "",
    }
    url = f"http://127.0.0.1:{environment['AUTOLYNX_PORT']}"
    with (
        collecting() as (collector, result),
        child(
            [sys.executable, "-m", "interfaces.asgi"],
            log=tmp_path / "log",
            env=environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector},
        ) as process,
    ):
        eventually(lambda: _answers(f"{url}/readyz"), within=120, what="the API")
        asking.get(f"{url}/campaigns/nobody/export.csv")
        process.terminate()
        assert ended(process, tmp_path / "log") == 0
    assert b"GET /campaigns/{campaign_id}/export.csv" in result["/v1/traces"]
    with connect(empty_database, name="test") as connection:
        row = connection.execute("select count(*) from api_token").fetchone()
    assert row == (0,)


def test_the_process_names_a_missing_variable() -> None:
    process = run([sys.executable, "-m", "interfaces.asgi"], env={"PATH": ""})
    assert (process.returncode, "AUTOLYNX_DATABASE_URL" in process.stderr) == (2, True)


@contextmanager
def collecting() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Receive OpenTelemetry's exports; yield the URL, and the bodies by path."""
    result: dict[str, bytes] = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            result[self.path] = result.get(self.path, b"") + body
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", result
        finally:
            server.shutdown()
            join(thread)


def _answers(url: str) -> bool:
    try:
        return asking.get(url).status_code == 200
    except httpx2.TransportError:
        return False


PEOPLE = b"name,business_name,phone\nAda,,+12025550101\n"


def test_an_upload_with_too_large_a_content_length_is_refused_early(
    shared_api: ApiClient,
) -> None:
    with begun_upload(shared_api, 600 << 20, b"") as connection:
        answer = connection.makefile("rb").readline()
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_truncated_upload_stores_nothing(
    shared_api: ApiClient,
) -> None:
    before = broken_off(shared_api)
    with begun_upload(shared_api, len(PEOPLE) + 100, PEOPLE):
        pass
    eventually(lambda: broken_off(shared_api) == before + 1, what="the refusal")
    assert uploads(shared_api) == 0


def broken_off(api: ApiClient) -> float:
    """Count the uploads that were answered with 400."""
    text = api.get("/metrics", role=None).text
    metric = 'requests_total{method="POST",route="/uploads",status="400"} '
    return float(text.partition(metric)[2].partition("\n")[0] or 0)


@contextmanager
def begun_upload(api: ApiClient, declared: int, sent: bytes) -> Iterator[socket.socket]:
    head = (
        "POST /uploads?filename=x.csv HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {api.header()['Authorization']}\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {declared}\r\n\r\n"
    )
    found = urlsplit(api.url)
    address = (found.hostname or "", found.port or 0)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head.encode() + sent)
        yield connection


def uploads(api: ApiClient) -> int:
    query = "select (select count(*) from upload) + (select count(*) from upload_row)"
    with api.pool.connection() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
