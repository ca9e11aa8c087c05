"""The served schema fulfils the contract, equals its file, and is access-controlled."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    is_object_type,
)

from interfaces.graphql.descriptions import ARGUMENTS, FIELDS
from interfaces.graphql.field_descriptions import (
    calls,
    campaigns,
    contacts,
    installation,
    planning,
    values,
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


def test_every_type_field_input_field_and_argument_has_a_description() -> None:
    named = _types(make_schema()._schema)
    missing = [name for name, kind in named.items() if not kind.description]
    for name, kind in named.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            at = f"{name}.{field_name}"
            missing += [] if field.description else [at]
            missing += [
                f"{at}({argument_name})"
                for argument_name, argument in getattr(field, "args", {}).items()
                if not argument.description
            ]
    assert missing == []
    signatures = [n for n, kind in named.items() if f"{n}(" in (kind.description or "")]
    assert signatures == [], "write a docstring: these show their constructor"


def test_every_value_of_an_enumeration_has_a_description() -> None:
    enumerations = [
        kind
        for kind in _types(make_schema()._schema).values()
        if isinstance(kind, GraphQLEnumType)
    ]
    assert len(enumerations) > 15
    missing = [
        f"{kind.name}.{name}"
        for kind in enumerations
        for name, value in kind.values.items()
        if not value.description
    ]
    assert missing == []


def test_each_separate_description_is_that_of_a_field_in_the_schema() -> None:
    named = _types(make_schema()._schema)
    unused = [
        f"{name}.{field_name}"
        for name, described in FIELDS.items()
        for field_name, description in described.items()
        if _description(named.get(name), field_name) != description
    ]
    assert unused == [], "the field is gone, or its class describes it"


def test_each_type_is_described_in_one_module_only() -> None:
    modules = (calls, campaigns, contacts, installation, planning, values)
    assert sum(len(module.FIELDS) for module in modules) == len(FIELDS)


def test_each_description_is_a_sentence_on_one_line() -> None:
    wrong = [
        f"{name}.{field_name}"
        for name, described in FIELDS.items()
        for field_name, text in described.items()
        if not text.endswith(".") or "  " in text or "\n" in text
    ]
    assert wrong == []


def _types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {name: kind for name, kind in schema.type_map.items() if name[:2] != "__"}


def _description(kind: GraphQLNamedType | None, field_name: str) -> str | None:
    parts = getattr(kind, "fields", None) or getattr(kind, "values", {})
    field = parts.get(field_name)
    return field.description if field else None


def test_descriptions_of_arguments_that_no_field_has_are_removed() -> None:
    schema = make_schema()._schema
    used = {
        name
        for kind in schema.type_map.values()
        for field in getattr(kind, "fields", {}).values()
        for name in getattr(field, "args", {})
    }
    assert ARGUMENTS.keys() <= used


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
