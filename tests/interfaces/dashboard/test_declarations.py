"""TypeScript declarations of the dashboard's operations."""

from graphql import build_schema, parse

from tools.dashboard_types import declarations

SCHEMA = build_schema("""
scalar DateTime
enum Mood { CALM WILD }
interface Animal { id: ID! }
type Cat implements Animal { id: ID! mood: Mood! born: DateTime lives: [Int!]! }
type Dog implements Animal { id: ID! name: String }
union Result = Cat | Dog
input Wish { mood: Mood! word: String }
type Query { cat: Cat any: Animal! found(wish: Wish!, first: Int = 5): Result! }
""")


def declared(operation: str) -> str:
    return declarations(SCHEMA, parse(operation))


def test_nullable_fields_are_declared_nullable() -> None:
    result = declared("query A { cat { id born lives mood } }")
    kinds = "id: string; born: string | null; lives: Array<number>; mood: Mood"
    assert f"export type AData = {{ cat: {{ {kinds} }} | null }};" in result


def test_union_members_are_discriminated_by_typename() -> None:
    result = declared(
        "query A($w: Wish!) { found(wish: $w) { __typename ... on Dog { name } } }"
    )
    assert (
        '{ __typename: "Cat" } | { __typename: "Dog"; name: string | null }' in result
    )


def test_a_fragment_on_an_interface_applies_to_all_its_types() -> None:
    result = declared("fragment F on Animal { id } query A { any { ...F } }")
    assert "{ any: ({ id: string } | { id: string }) }" in result


def test_nested_inputs_and_enums_are_declared_once() -> None:
    result = declared("query A($w: Wish!, $n: Int = 2) { found(wish: $w, first: $n) }")
    assert "export type AVars = { w: Wish; n?: number | null };" in result
    assert "export type Wish = { mood: Mood; word?: string | null };" in result
    assert result.count('export type Mood = "CALM" | "WILD";') == 1


def test_an_alias_is_the_key_of_its_field() -> None:
    assert "{ mine: { id: string } | null }" in declared("query A { mine: cat { id } }")
