"""Every input gets a well-formed answer in time, without internal details."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from graphql import (
    GraphQLInputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from interfaces.graphql.schema import make_schema
from tests import http_requests as asking
from tests.examples import examples
from tests.interfaces.serving import ApiClient

SECONDS = 20.0
CLOSING = {4400, 4401, 4409, 4429}
CODES = {"BAD_REQUEST", "FORBIDDEN", "UNAUTHENTICATED"}
INSIDES = (
    "Traceback",
    "psycopg",
    "/interfaces/",
    "site-packages",
    "SELECT ",
    "select ",
)

ODD_TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "\x00",
            "a\x00b",
            "\U0001f680" * 9,
            "\ud800",
            "%s%n",
            "'; drop table members; --",
            "00000000-0000-0000-0000-000000000000",
            "../../etc/passwd",
            "x" * 1_000,
            "\u202e\u2066",
            "999999999999999999999999",
        ]
    ),
)
ODD_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(width=32) | ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner),
    max_leaves=8,
)


ODD_OPERATION = st.fixed_dictionaries(
    {},
    optional={
        "query": st.just("{ me { email } }") | ODD_VALUE,
        "variables": ODD_VALUE,
        "operationName": ODD_VALUE,
        "extensions": ODD_VALUE,
        "documentId": ODD_VALUE,
        "type": st.sampled_from(["subscribe", "connection_init", "ping"]),
        "payload": ODD_VALUE,
        "id": ODD_VALUE,
    },
)


def schema() -> GraphQLSchema:
    return make_schema()._schema


def operations() -> Iterator[tuple[str, dict[str, GraphQLInputType]]]:
    """Write each query and mutation with a variable for every argument."""
    for root in (schema().query_type, schema().mutation_type):
        assert root is not None
        for name, field in root.fields.items():
            kinds = {arg: one.type for arg, one in field.args.items()}
            declared = ", ".join(f"${arg}: {kind}" for arg, kind in kinds.items())
            passed = ", ".join(f"{arg}: ${arg}" for arg in kinds)
            inner = (
                "{ __typename }"
                if is_composite_type(get_named_type(field.type))
                else ""
            )
            head = f"{root.name.lower()} fuzz{f'({declared})' if declared else ''}"
            body = f"{name}{f'({passed})' if passed else ''} {inner}"
            yield f"{head} {{ {body} }}", kinds


def fitting(kind: Any) -> st.SearchStrategy[Any]:
    """Generate values of this type, or nearly, so that resolvers are called."""
    if is_non_null_type(kind):
        return fitting(kind.of_type).filter(lambda value: value is not None)
    if is_list_type(kind):
        return st.none() | st.lists(fitting(kind.of_type), max_size=3)
    if is_enum_type(kind):
        return st.none() | st.sampled_from(sorted(kind.values))
    if is_input_object_type(kind):
        parts = {name: fitting(field.type) for name, field in kind.fields.items()}
        return st.fixed_dictionaries({}, optional=parts)
    plain = {
        "Int": st.integers(-(2**31), 2**31 - 1),
        "BigInt": st.integers(-(2**63), 2**63),
        "Float": st.floats(allow_nan=False, allow_infinity=False),
        "Boolean": st.booleans(),
        "Decimal": st.sampled_from(["1", "-1", "1e999", "NaN", "0.000000001", "x"]),
        "DateTime": st.sampled_from(
            [
                *("2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31", "x"),
                *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"),
            ]
        ),
        "JSON": ODD_VALUE,
    }
    return st.none() | plain.get(kind.name, ODD_TEXT)


OPERATIONS = list(operations())


def post(api: ApiClient, body: Any) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {**api.header(), "Content-Type": "application/json"}
    url = f"{api.url}/graphql"
    return asking.post(url, content=content, headers=headers, timeout=SECONDS)


def checked(answer: httpx2.Response) -> dict[str, Any]:
    """Assert that the answer is well-formed; return its data."""
    assert answer.status_code in {200, 400, 413, 422}, (answer.status_code, answer.text)
    data: dict[str, Any] = answer.json()
    for error in data.get("errors") or []:
        assert error["extensions"]["code"] in CODES, error
    assert not any(inside in answer.text for inside in INSIDES), answer.text
    return data


FUZZ = examples(
    25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(data=st.data())
def test_values_of_the_right_types_are_answered(
    shared_api: ApiClient, data: st.DataObject
) -> None:
    query, kinds = data.draw(st.sampled_from(OPERATIONS))
    variables = {name: data.draw(fitting(kind)) for name, kind in kinds.items()}
    checked(post(shared_api, {"query": query, "variables": variables}))


@FUZZ
@given(data=st.data())
def test_values_of_wrong_types_are_answered(
    shared_api: ApiClient, data: st.DataObject
) -> None:
    query, kinds = data.draw(st.sampled_from(OPERATIONS))
    variables = {name: data.draw(ODD_VALUE) for name in kinds}
    checked(post(shared_api, {"query": query, "variables": variables}))


@FUZZ
@given(body=st.one_of(ODD_VALUE, st.binary(max_size=60), ODD_OPERATION))
def test_requests_that_are_no_operation_are_answered(
    shared_api: ApiClient, body: Any
) -> None:
    checked(post(shared_api, body))


LOOP = "{ me { ...f } } fragment f on Viewer { email ...f }"
HUGE = {
    "deep nesting": "{" + "campaigns{nodes{contacts{nodes{" * 200 + "id" + "}}}}" * 200,
    "deep braces": "{" * 50_000,
    "deep lists": "{ campaigns(states: " + "[" * 20_000 + ") { totalCount } }",
    "2,000 aliases": "{" + " ".join(f"a{n}: me {{ email }}" for n in range(2000)) + "}",
    "many directives": "{ me " + "@skip(if: false) " * 1_500 + "{ email } }",
    "a loop": LOOP,
    "a huge page": "{ campaigns(first: 2147483647) { totalCount } }",
    "a page beyond numbers": "{ campaigns(first: 99999999999999) { totalCount } }",
    "a long name": "{ " + "x" * 500_000 + " }",
    "emoji": "{ \U0001f680 }",
    "NUL": "{ me { email } }\x00",
    "nothing": "",
}


@pytest.mark.parametrize("query", HUGE.values(), ids=HUGE.keys())
def test_hostile_operations_are_refused(shared_api: ApiClient, query: str) -> None:
    result = checked(post(shared_api, {"query": query}))
    assert result.get("errors")


@pytest.mark.parametrize("size", [900_000, 3_000_000])
def test_a_string_of_a_megabyte_is_answered(shared_api: ApiClient, size: int) -> None:
    query = "query($s: String) { campaigns(search: $s) { totalCount } }"
    answer = post(shared_api, {"query": query, "variables": {"s": "x" * size}})
    result = checked(answer)
    assert (answer.status_code == 413) is (size > 1 << 20)
    assert ("errors" in result) is (size > 1 << 20)


@FUZZ
@given(messages=st.lists(ODD_OPERATION | ODD_VALUE, min_size=1, max_size=4))
def test_a_socket_answers_or_closes_after_malformed_messages(
    shared_api: ApiClient, messages: list[Any]
) -> None:
    with shared_api.socket(shared_api.header()["Authorization"].split()[1]) as socket:
        socket.acknowledged()
        try:
            for message in messages:
                socket.connection.send(json.dumps(message))
            socket.subscribe("{ me { email } }", "the last")
            while (frame := socket.receive()).get("id") != "the last":
                assert not any(inside in str(frame) for inside in INSIDES)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            if code not in CLOSING:
                pytest.fail(f"closed with {closed}")
