"""The REST routes under generated requests, valid and invalid."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from starlette.testclient import TestClient

from interfaces.asgi import create_app
from tests.examples import examples
from tests.fakes import FakeProvider
from tests.interfaces.serving import ApiClient, configured, serve_api

INSIDES = ("Traceback", "psycopg", "/interfaces/", "site-packages")
STATUSES = {200, 201, 202, 204, 302, 400, 401, 403, 404, 405, 413, 415, 422, 429}


@pytest.fixture(scope="module")
def api(shared_database: str) -> Iterator[ApiClient]:
    with serve_api(shared_database) as api:
        yield api


def described(api: ApiClient) -> Any:
    # Test files are imported by every worker, and one of them needs it.
    schemathesis: Any = import_module("schemathesis")
    app = create_app(configured(api.database), provider=FakeProvider())
    with TestClient(app):
        return schemathesis.openapi.from_dict(app.openapi())


def test_every_route_answers_in_its_form(api: ApiClient) -> None:
    asked = set()
    result: Any
    for result in described(api).get_all_operations():
        operation = result.ok()
        asked.add(operation.label)
        prove(api, operation)
    assert "POST /uploads" in asked
    assert "GET /campaigns/{campaign_id}/export.csv" in asked


def prove(api: ApiClient, operation: Any) -> None:
    """Send requests that the route's description allows, and others."""

    @examples(
        8,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers(case: Any) -> None:
        answer = case.call(
            base_url=api.url, headers=api.header(), allow_redirects=False
        )
        assert answer.status_code in STATUSES, (answer.status_code, answer.text)
        assert not any(inside in answer.text for inside in INSIDES)
        if answer.status_code >= 400 and operation.path != "/graphql":
            assert set(answer.json()["error"]) == {"code", "message"}

    answers()
