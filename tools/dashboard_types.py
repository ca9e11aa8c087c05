"""Generates TypeScript declarations (ops.d.ts) of the dashboard's operations.

`tools/check_dashboard.py` checks the JavaScript sources against them.
"""

from collections.abc import Iterable, Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
)

from interfaces.dashboard.documents import fragments_of, name_of, operations_of

SCALARS = {
    "Int": "number",
    "Float": "number",
    "BigInt": "number",
    "Boolean": "boolean",
    "JSON": "any",
}
HEAD = "export interface Doc<D, V> { id: string; kind: string; __d?: D; __v?: V }\n"

type Part = FragmentDefinitionNode | InlineFragmentNode


def declarations(schema: GraphQLSchema, source: DocumentNode) -> str:
    """Declare each operation of the source with its data and its variables."""
    return HEAD + "\n".join(_Declarations(schema, source).lines()) + "\n"


class _Declarations:
    def __init__(self, schema: GraphQLSchema, source: DocumentNode) -> None:
        self._schema = schema
        self._source = source
        self._fragments = fragments_of(source)
        self._named: dict[str, GraphQLNamedType] = {}

    def lines(self) -> Iterator[str]:
        for operation in operations_of(self._source):
            yield from self._operation(operation)
        declared = set[str]()
        while left := sorted(self._named.keys() - declared):
            for name in left:
                declared.add(name)
                yield self._named_type(self._named[name])

    def _operation(self, operation: OperationDefinitionNode) -> Iterator[str]:
        name = name_of(operation)
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        variables = operation.variable_definitions or ()
        yield f"export type {name}Vars = {_record(map(self._variable, variables))};"
        yield f"export type {name}Data = {self._object(root, operation.selection_set)};"
        yield f"export declare const {name}: Doc<{name}Data, {name}Vars>;"

    def _variable(self, node: VariableDefinitionNode) -> tuple[str, str]:
        kind = type_from_ast(self._schema, node.type)
        assert kind is not None
        needed = is_non_null_type(kind) and node.default_value is None
        mark = "" if needed else "?"
        return f"{node.variable.name.value}{mark}", self._leaf(kind)

    def _selected(self, kind: GraphQLType, selection: SelectionSetNode | None) -> str:
        if selection is None:
            return self._leaf(kind)
        named = get_named_type(kind)
        if is_abstract_type(named):
            possible = self._schema.get_possible_types(named)
            inner = " | ".join(self._object(one, selection) for one in possible)
            return _wrapped(kind, f"({inner})")
        assert isinstance(named, GraphQLObjectType)
        return _wrapped(kind, self._object(named, selection))

    def _object(self, parent: GraphQLObjectType, selection: SelectionSetNode) -> str:
        return _record(self._fields(parent, selection))

    def _fields(
        self, parent: GraphQLObjectType, selection: SelectionSetNode
    ) -> Iterator[tuple[str, str]]:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                yield self._field(parent, node)
                continue
            part = self._part(node)
            if self._applies(part, parent):
                yield from self._fields(parent, part.selection_set)

    def _part(self, node: SelectionNode) -> Part:
        if isinstance(node, FragmentSpreadNode):
            return self._fragments[node.name.value]
        assert isinstance(node, InlineFragmentNode)
        return node

    def _applies(self, part: Part, parent: GraphQLObjectType) -> bool:
        if part.type_condition is None:
            return True
        kind = self._schema.get_type(part.type_condition.name.value)
        if is_abstract_type(kind):
            return self._schema.is_sub_type(kind, parent)
        return kind is parent

    def _field(self, parent: GraphQLObjectType, node: FieldNode) -> tuple[str, str]:
        key = node.alias.value if node.alias else node.name.value
        if node.name.value == "__typename":
            return key, f'"{parent.name}"'
        return key, self._selected(
            parent.fields[node.name.value].type, node.selection_set
        )

    def _leaf(self, kind: GraphQLType) -> str:
        named = get_named_type(kind)
        if is_enum_type(named) or is_input_object_type(named):
            self._named[named.name] = named
            return _wrapped(kind, named.name)
        return _wrapped(kind, SCALARS.get(named.name, "string"))

    def _named_type(self, kind: GraphQLNamedType) -> str:
        if isinstance(kind, GraphQLEnumType):
            values = " | ".join(f'"{value}"' for value in kind.values)
            return f"export type {kind.name} = {values};"
        assert isinstance(kind, GraphQLInputObjectType)
        fields = (
            (
                name if is_non_null_type(field.type) else f"{name}?",
                self._leaf(field.type),
            )
            for name, field in kind.fields.items()
        )
        return f"export type {kind.name} = {_record(fields)};"


def _record(fields: Iterable[tuple[str, str]]) -> str:
    return "{ " + "; ".join(f"{name}: {kind}" for name, kind in fields) + " }"


def _wrapped(kind: GraphQLType, inner: str) -> str:
    if is_non_null_type(kind):
        return _bare(kind.of_type, inner)
    return f"{_bare(kind, inner)} | null"


def _bare(kind: GraphQLType, inner: str) -> str:
    return f"Array<{_wrapped(kind.of_type, inner)}>" if is_list_type(kind) else inner
