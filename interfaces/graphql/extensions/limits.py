"""Schema extensions: authentication, limits of one operation, parsing and caching."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    NameNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationRule,
    VariableNode,
    get_operation_ast,
)
from graphql import OperationType as GraphQLOperationType
from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.types.execution import StreamExecutionResult
from strawberry.types.graphql import OperationType

from interfaces.graphql.documents import free_query
from interfaces.graphql.errors import bad_request, took_too_long
from interfaces.graphql.types.paging import LARGEST_PAGE

DEEPEST, MOST_ALIASES, MOST_TOKENS, MOST_NODES = 10, 30, 2_000, 5_000
LONGEST_SECONDS = 10.0

PAGES = {"campaigns": 50, "contacts": 50}
"""Paged lists that contain further lists, with their default page size."""

IMPORTS = frozenset({"createCampaign", "importContacts"})
"""Mutations that read a whole file and may take longer than LONGEST_SECONDS."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Size of a selection; `nodes` is the product of nested page sizes."""

    depth: int = 0
    aliases: int = 0
    nodes: int = 0

    def plus(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.nodes + other.nodes,
        )


class SizeLimit(ValidationRule):
    """Limits depth, aliases and the product of nested page sizes.

    Each fragment is measured once. Measuring it at each spread would take exponential
    time if fragments spread each other.
    """

    def enter_operation_definition(
        self, node: OperationDefinitionNode, *_: Any
    ) -> None:
        """Measure one operation and report each limit that it exceeds."""
        self._known: dict[str, _Size] = {}
        size = self._of(node.selection_set)
        for what, asked, most in (
            ("levels", size.depth, DEEPEST),
            ("aliases", size.aliases, MOST_ALIASES),
            ("nodes in lists", size.nodes, MOST_NODES),
        ):
            if asked > most:
                message = f"The operation requests more than {most:,} {what}."
                self.report_error(bad_request(message))

    def _of(self, selected: SelectionSetNode | None) -> _Size:
        whole = _Size()
        for selection in selected.selections if selected else ():
            whole = whole.plus(self._selection(selection))
        return whole

    def _selection(self, node: SelectionNode) -> _Size:
        if isinstance(node, FieldNode):
            return self._field(node)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return self._of(getattr(node, "selection_set", None))

    def _field(self, node: FieldNode) -> _Size:
        inner, page = self._of(node.selection_set), _page(node)
        nodes = page * (1 + inner.nodes) if page else inner.nodes
        return _Size(inner.depth + 1, inner.aliases + bool(node.alias), nodes)

    def _fragment(self, name: str) -> _Size:
        if name not in self._known:
            self._known[name] = _Size()  # Cycles are refused by another rule.
            fragment = self.context.get_fragment(name)
            self._known[name] = self._of(fragment.selection_set if fragment else None)
        return self._known[name]


def _page(node: FieldNode) -> int:
    """Return the page size of a list, 0 if the field is no paged list."""
    size = PAGES.get(node.name.value, 0)
    for argument in node.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, IntValueNode):
                return _bounded(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return LARGEST_PAGE
    return size


def _bounded(digits: str) -> int:
    """Parse a page size; Python refuses integers of more than 4,300 digits."""
    is_short = len(digits) <= len(str(LARGEST_PAGE))
    return min(int(digits), LARGEST_PAGE) if is_short else LARGEST_PAGE


class Limits(AddValidationRules):
    """Adds `SizeLimit` to the validation of every document."""

    def __init__(self) -> None:
        # One list of rules: the validation cache compares rules by identity.
        super().__init__([SizeLimit])


class Tokens(MaxTokensLimiter):
    """Refuses documents of more than MOST_TOKENS lexical tokens."""

    def __init__(self) -> None:
        super().__init__(max_token_count=MOST_TOKENS)


class OwnOperationsOnly(ValidationRule):
    """Refuses every document. As a validation rule it works for sockets as well."""

    def enter_document(self, *_: Any) -> None:
        """Report the refusal once per document."""
        self.report_error(free_query())


class Authentication(SchemaExtension):
    """Authenticates before parsing, so that only members' documents are parsed.

    Introspection is allowed in development only.
    """

    async def on_operation(self) -> AsyncIterator[None]:
        """Authenticate, and choose the validation rules for this member."""
        execution = self.execution_context
        context = execution.context
        refusal = await context.refusal()
        if refusal is not None:
            execution.graphql_document = _placeholder(execution.operation_name)
            execution.pre_execution_errors = [_as_graphql(refusal)]
        if not context.backend.development:
            execution.validation_rules += (NoSchemaIntrospectionCustomRule,)
        if not context.may_send(execution.query):
            execution.validation_rules += (OwnOperationsOnly,)
        yield


def _placeholder(operation_name: str | None) -> DocumentNode:
    """Return `query NAME { __typename }`, to replace a document that is not parsed."""
    field = FieldNode(name=NameNode(value="__typename"))
    query = OperationDefinitionNode(
        operation=GraphQLOperationType.QUERY,
        name=None if operation_name is None else NameNode(value=operation_name),
        selection_set=SelectionSetNode(selections=(field,)),
    )
    return DocumentNode(definitions=(query,))


def _as_graphql(error: Exception) -> GraphQLError:
    if isinstance(error, GraphQLError):
        return error
    return GraphQLError(str(error), original_error=error)


class Parsing(ParserCache):
    """Parses documents that `Authentication` admits, each text once."""

    def on_parse(self) -> Iterator[None]:
        """Skip documents that `Authentication` has already replaced."""
        if self.execution_context.graphql_document is not None:
            yield
        else:
            yield from super().on_parse()


class Validation(ValidationCache):
    """Validates documents that `Authentication` admits, each document once."""

    def on_validate(self) -> Iterator[None]:
        """Skip operations that `Authentication` has refused."""
        execution = self.execution_context
        if execution.pre_execution_errors is None:
            errors = self.cached_validate_document(
                execution.schema._schema,  # noqa: SLF001 - as the library's own cache
                execution.graphql_document,
                execution.validation_rules,
            )
            execution.pre_execution_errors = [_of_client(error) for error in errors]
        yield


def _of_client(error: GraphQLError) -> GraphQLError:
    """Report an integer literal that Python cannot convert as the client's error."""
    if isinstance(error.original_error, ValueError):
        return bad_request("A number has too many digits.")
    return error


class TimeLimit(SchemaExtension):
    """Ends operations that take too long, except subscriptions and large imports."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Cancel the execution after LONGEST_SECONDS; raises BAD_REQUEST."""
        if self._is_exempt():
            yield
            return
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                yield
        except TimeoutError as error:
            raise took_too_long(LONGEST_SECONDS) from error

    def _is_exempt(self) -> bool:
        """Return whether it is a subscription, or all its root fields are imports."""
        execution = self.execution_context
        if execution.operation_type is OperationType.MUTATION:
            names = _root_fields(execution.graphql_document, execution.operation_name)
            return set() < names - {"__typename"} <= IMPORTS
        return execution.operation_type is OperationType.SUBSCRIPTION


def _root_fields(document: DocumentNode | None, operation: str | None) -> set[str]:
    """Return the names of the fields that the operation selects on its root type."""
    assert document is not None  # It was parsed and validated before.
    chosen = get_operation_ast(document, operation)
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }

    def names(selected: SelectionSetNode) -> Iterator[str]:
        for node in selected.selections:
            match node:
                case FieldNode():
                    yield node.name.value
                case FragmentSpreadNode():
                    yield from names(fragments[node.name.value].selection_set)
                case InlineFragmentNode():
                    yield from names(node.selection_set)

    return set(names(chosen.selection_set)) if chosen else set()


class FreshLoaders(SchemaExtension):
    """Clears the data loaders before each operation and each subscription event."""

    def on_execute(self) -> Iterator[None]:
        """Clear the loaders before an operation is executed."""
        self.execution_context.context.loaders.forget()
        yield

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:  # noqa: ARG002 - the library's signature
        """Clear the loaders after each event of a subscription."""
        yield None
        self.execution_context.context.loaders.forget()
