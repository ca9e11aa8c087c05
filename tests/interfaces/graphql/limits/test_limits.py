"""Limits of an operation: its size, its nested pages and its time."""

import asyncio
from typing import Any

import pytest
import strawberry

from interfaces.graphql.errors import PublicErrors
from interfaces.graphql.extensions import limits
from interfaces.graphql.extensions.limits import TimeLimit
from tests.interfaces.serving import (
    ApiClient,
)

# --- Size ---


def test_operations_beyond_the_size_limits_are_refused(shared_api: ApiClient) -> None:
    deep = "{campaigns{nodes{contacts{edges{node{calls" + "{id}" + "}}}}}}"
    assert not shared_api.ask(deep).errors
    aliases = "{" + " ".join(f"a{n}: me {{ email }}" for n in range(31)) + "}"
    assert shared_api.ask(aliases).code == "BAD_REQUEST"
    long = "{" + " ".join("me { email }" for _ in range(600)) + "}"
    assert shared_api.ask(long).code == "BAD_REQUEST"
    deeper = "{campaigns{nodes{contacts{edges{node{call{events{payload}}}}}}}}"
    assert not shared_api.ask(deeper).errors
    too_deep = "{a{b{c{d{e{f{g{h{i{j{k}}}}}}}}}}}"
    assert "levels" in str(shared_api.ask(too_deep).errors)


def nested(campaigns: str, contacts: str, variables: str = "") -> str:
    inner = f"contacts{contacts} {{ totalCount }}"
    return f"query{variables} {{ campaigns{campaigns} {{ nodes {{ {inner} }} }} }}"


def test_nested_page_sizes_are_multiplied(shared_api: ApiClient) -> None:
    assert not shared_api.ask(nested("(first: 49)", "(first: 100)")).errors
    for query in (
        nested("(first: 50)", "(first: 100)"),
        nested("(first: 100)", ""),
        nested("(first: 9999)", "(first: 9999)"),
        nested("(first: $n)", "(first: $n)", "($n: Int)"),
    ):
        answer = shared_api.ask(query, n=1)
        assert "nodes in lists" in str(answer.errors)
    split = "{ campaigns(first: 100) { edges { node { ...F } } nodes { ...F } } }"
    part = "fragment F on Campaign { contacts(first: 30) { totalCount } }"
    assert shared_api.ask(f"{split} {part}").code == "BAD_REQUEST"


def test_fragments_that_spread_each_other_are_measured_in_linear_time(
    shared_api: ApiClient,
) -> None:
    steps = 100
    fragments = " ".join(
        f"fragment f{n} on Viewer {{ ...f{n + 1} ...f{n + 1} }}" for n in range(steps)
    )
    last = f"fragment f{steps} on Viewer {{ email }}"
    assert not shared_api.ask(f"{{ me {{ ...f0 }} }} {fragments} {last}").errors
    loop = "fragment f on Viewer { email ...f }"
    assert shared_api.ask(f"{{ me {{ ...f }} }} {loop}").code == "BAD_REQUEST"


# --- Time ---


async def _ask_slowly(
    query: str, operation: str | None = None
) -> tuple[Any, list[Any]]:
    """Run an operation whose field never resolves, with a very short limit."""

    @strawberry.type
    class Query:
        @strawberry.field
        async def stuck(self) -> int:
            return await asyncio.Future()

    @strawberry.type
    class Mutation:
        @strawberry.field
        async def create_campaign(self) -> int:
            await asyncio.sleep(0)
            return 1

        @strawberry.mutation
        async def stuck(self, words: str = "") -> int:
            return await asyncio.Future()

    schema = strawberry.Schema(Query, Mutation, extensions=[TimeLimit, PublicErrors])
    result = await schema.execute(query, operation_name=operation)
    return result.data, [error.extensions for error in result.errors or []]


def test_an_operation_that_takes_too_long_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 0.05)
    answer = asyncio.run(_ask_slowly("{ stuck }"))
    assert answer == (None, [{"code": "BAD_REQUEST"}])


def test_imports_may_exceed_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 0.0)
    answer = asyncio.run(_ask_slowly("mutation { createCampaign }"))
    assert answer == ({"createCampaign": 1}, [])


BYPASSES = {
    "a comment": "mutation { stuck } # createCampaign",
    "a string": 'mutation { stuck(words: "createCampaign") }',
    "an alias": "mutation { createCampaign: stuck }",
    "the operation's name": "mutation createCampaign { stuck }",
    "a fragment's name": """mutation { ...createCampaign }
        fragment createCampaign on Mutation { stuck }""",
    "a variable": "mutation($createCampaign: String) { stuck(words: $createCampaign) }",
    "a field that is skipped": "mutation { createCampaign @skip(if: true) stuck }",
    "another operation": "mutation A { stuck } mutation B { createCampaign }",
}


@pytest.mark.parametrize("query", BYPASSES.values(), ids=BYPASSES)
def test_the_time_limit_holds_if_an_import_is_only_named_elsewhere(
    monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 0.05)
    operation = "A" if query.startswith("mutation A") else None

    async def within_a_minute() -> tuple[Any, list[Any]]:
        async with asyncio.timeout(60):
            return await _ask_slowly(query, operation)

    answer = asyncio.run(within_a_minute())
    assert answer == (None, [{"code": "BAD_REQUEST"}])


@pytest.mark.parametrize(
    "query",
    [
        "mutation { first: createCampaign __typename }",
        "mutation { ...F } fragment F on Mutation { ... { createCampaign } }",
    ],
)
def test_an_import_has_no_time_limit_however_it_is_selected(
    monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 0.0)
    answer, errors = asyncio.run(_ask_slowly(query))
    assert not errors
    assert 1 in answer.values()
