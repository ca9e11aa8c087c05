"""The served schema fulfils the contract, equals its file, and is access-controlled."""

from pathlib import Path

from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    is_object_type,
)

from interfaces.graphql.permissions import Allowed
from interfaces.graphql.schema import make_schema, sdl
from tests.contracts.not_built_yet import CONTRACT, LISTED, missing_parts

WRITTEN = Path("interfaces/graphql/schema.graphql")


def test_the_schema_file_equals_the_served_schema() -> None:
    assert WRITTEN.read_text("utf-8") == sdl(), "run: python -m interfaces.graphql"


def test_exactly_the_listed_parts_of_the_contract_are_missing() -> None:
    missing = missing_parts(CONTRACT.read_text("utf-8"), sdl())
    listed = LISTED.read_text("utf-8").splitlines()
    assert missing == listed, "run: python -m tests.contracts.not_built_yet"


def test_the_list_of_missing_parts_would_show_a_lost_field() -> None:
    contract = "type Query { calls: Int! campaigns: Int! }"
    served = "type Query { calls: Int! }"
    assert missing_parts(contract, served) == ["Field Query.campaigns was removed."]


def test_each_root_field_declares_its_roles() -> None:
    schema: GraphQLSchema = make_schema()._schema
    roots = [schema.query_type, schema.mutation_type, schema.subscription_type]
    open_to_all = [
        f"{root.name}.{name}"
        for root in filter(None, roots)
        for name, field in root.fields.items()
        if not _rules(field.extensions["strawberry-definition"].extensions)
    ]
    assert open_to_all == []


def _rules(extensions: list[object]) -> list[Allowed]:
    rules = [one for one in extensions if isinstance(one, Allowed)]
    return [rule for rule in rules if rule.roles]


def test_every_object_names_its_fields_as_the_contract_does() -> None:
    schema = make_schema()._schema
    names = [
        f"{kind.name}.{field}"
        for kind in schema.type_map.values()
        if is_object_type(kind) and not kind.name.startswith("__")
        for field in _fields(kind)
    ]
    assert [name for name in names if "_" in name] == []


def _fields(kind: GraphQLObjectType) -> list[str]:
    return list(kind.fields)
