"""Extreme times and numbers are bad requests, never internal errors."""

from typing import Any
from uuid import UUID

import pytest

from tests.interfaces.serving import ApiClient

ID = str(UUID(int=1))
TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00.000001+00:00",
    "1899-12-31T23:59:59Z",
    "3000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999-23:59",
    "+275760-09-13T00:00:00Z",
    "-infinity",
    "infinity",
    "0000-00-00T00:00:00Z",
    "2026-01-01T00:00:00+99:99",
)
OF_TIMES = (
    "query($x: DateTime) { events(filter: {since: $x}) { nodes { position } } }",
    "query($x: DateTime) { events(filter: {until: $x}) { nodes { position } } }",
    f'query($x: DateTime) {{ campaign(id: "{ID}", asOf: $x) {{ id }} }}',
    f'query($x: DateTime) {{ call(id: "{ID}", asOf: $x) {{ id }} }}',
)
BEYOND = "9" * 5_000
"""More digits than Python converts to a number."""

NUMBERS = (
    "{ campaigns(first: %s) { totalCount } }",
    "{ events(first: %s) { nodes { position } } }",
    "{ campaigns { nodes { contacts(first: %s) { totalCount } } } }",
    "{ campaigns { nodes { activity(bucketSeconds: %s) { startedAt } } } }",
    "mutation { updateSettings(input: {globalCap: %s}) { __typename } }",
)


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("query", OF_TIMES)
def test_an_extreme_time_is_a_bad_request(
    shared_api: ApiClient, query: str, time: str
) -> None:
    assert shared_api.ask(query, x=time).code == "BAD_REQUEST"
    literal = query.replace("query($x: DateTime) ", "").replace("$x", f'"{time}"')
    assert shared_api.ask(literal).code == "BAD_REQUEST"


@pytest.mark.parametrize("time", ["1900-01-01T00:00:00Z", "2999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("query", OF_TIMES)
def test_times_within_the_bounds_are_answered(
    shared_api: ApiClient, query: str, time: str
) -> None:
    assert shared_api.ask(query, x=time).code is None


@pytest.mark.parametrize("number", ["2147483648", "-99999999999999999999", BEYOND])
@pytest.mark.parametrize("query", NUMBERS)
def test_an_extreme_number_is_a_bad_request(
    shared_api: ApiClient, query: str, number: str
) -> None:
    assert shared_api.ask(query % number).code == "BAD_REQUEST"


@pytest.mark.parametrize("number", ["1e400", "-1e400", BEYOND])
def test_an_extreme_fraction_is_refused(shared_api: ApiClient, number: str) -> None:
    asked = """mutation { updateSettings(input: {dialsPerSecond: %s}) {
      ... on UserError { code } } }"""
    data = shared_api.execute(asked % number)
    assert data == {"updateSettings": {"code": "INVALID"}}


FEED = "subscription($after: BigInt) { eventAppended(after: $after) { position } }"


@pytest.mark.parametrize("after", [2**63, -(2**63) - 1, 10**18 * 10, BEYOND, 1.5])
def test_a_position_beyond_64_bits_is_a_bad_request(
    shared_api: ApiClient, after: Any
) -> None:
    with shared_api.socket(shared_api.token()) as socket:
        socket.acknowledged().subscribe(
            FEED.replace("($after: BigInt)", "").replace("$after", str(after))
        )
        message = socket.receive()
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_position_that_is_far_ahead_is_waited_for(shared_api: ApiClient) -> None:
    with shared_api.socket(shared_api.token()) as socket:
        socket.acknowledged().subscribe(FEED, after=2**63 - 1)
        socket.subscribe("{ me { role } }", "2")
        assert socket.receive()["id"] == "2"
