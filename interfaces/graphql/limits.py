"""What one operation may ask for, and what is read anew for each."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    IntValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationRule,
    VariableNode,
)
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, SchemaExtension
from strawberry.types.execution import StreamExecutionResult
from strawberry.types.graphql import OperationType

from interfaces.graphql.documents import free_query
from interfaces.graphql.errors import bad_request, took_too_long
from interfaces.graphql.paging import LARGEST_PAGE

DEEPEST, MOST_ALIASES, MOST_TOKENS, MOST_NODES = 10, 30, 2_000, 5_000
LONGEST_SECONDS = 10.0

PAGES = {"campaigns": 50, "contacts": 50}
"""The lists in pages that hold further lists, with the size of one that names none."""

TAKE_THEIR_TIME = ("createCampaign", "importContacts")


@dataclass(frozen=True, slots=True)
class _Size:
    """`nodes` counts what the lists may hold, those within lists multiplied."""

    depth: int = 0
    aliases: int = 0
    nodes: int = 0

    def beside(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.nodes + other.nodes,
        )


class Size(ValidationRule):
    """Bounds depth, aliases and the product of nested pages.

    Each fragment is measured once: spread in one another, they would double with
    every step.
    """

    def enter_operation_definition(
        self, node: OperationDefinitionNode, *_: Any
    ) -> None:
        self._known: dict[str, _Size] = {}
        size = self._of(node.selection_set)
        for what, asked, most in (
            ("levels", size.depth, DEEPEST),
            ("aliases", size.aliases, MOST_ALIASES),
            ("nodes in lists", size.nodes, MOST_NODES),
        ):
            if asked > most:
                message = f"The operation asks for more than {most:,} {what}."
                self.report_error(bad_request(message))

    def _of(self, selected: SelectionSetNode | None) -> _Size:
        whole = _Size()
        for selection in selected.selections if selected else ():
            whole = whole.beside(self._selection(selection))
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
            self._known[name] = _Size()  # One that spreads itself is refused elsewhere.
            fragment = self.context.get_fragment(name)
            self._known[name] = self._of(fragment.selection_set if fragment else None)
        return self._known[name]


def _page(node: FieldNode) -> int:
    """Tell how many nodes a list may hold, 0 for what is no list in pages."""
    size = PAGES.get(node.name.value, 0)
    for argument in node.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, IntValueNode):
                return min(int(argument.value.value), LARGEST_PAGE)
            if isinstance(argument.value, VariableNode):
                return LARGEST_PAGE
    return size


class Limits(AddValidationRules):
    def __init__(self) -> None:
        # Made once: the cache of validated documents knows rules by identity.
        super().__init__([Size])


class Tokens(MaxTokensLimiter):
    def __init__(self) -> None:
        super().__init__(max_token_count=MOST_TOKENS)


class OwnOperationsOnly(ValidationRule):
    """Refuses the whole document; a rule, so that sockets are answered as well."""

    def enter_document(self, *_: Any) -> None:
        self.report_error(free_query())


class Entrance(SchemaExtension):
    """Reads who asks, and shows the schema only to members, in development."""

    async def on_operation(self) -> AsyncIterator[None]:
        execution = self.execution_context
        context = execution.context
        viewer = await context.begin()
        if viewer is None or not context.backend.development:
            execution.validation_rules += (NoSchemaIntrospectionCustomRule,)
        if not context.may_send(execution.query):
            execution.validation_rules += (OwnOperationsOnly,)
        yield


class TimeLimit(SchemaExtension):
    """Ends what takes too long, but for subscriptions and large imports."""

    async def on_execute(self) -> AsyncIterator[None]:
        if self._takes_its_time():
            yield
            return
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                yield
        except TimeoutError as error:
            raise took_too_long(LONGEST_SECONDS) from error

    def _takes_its_time(self) -> bool:
        execution = self.execution_context
        if execution.operation_type is OperationType.MUTATION:
            return any(name in (execution.query or "") for name in TAKE_THEIR_TIME)
        return execution.operation_type is OperationType.SUBSCRIPTION


class FreshLoaders(SchemaExtension):
    def on_execute(self) -> Iterator[None]:
        self.execution_context.context.loaders.forget()
        yield

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:  # noqa: ARG002 - the library's signature
        yield None
        self.execution_context.context.loaders.forget()
