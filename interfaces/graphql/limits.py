"""What one operation may ask for, and what is read anew for each."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphql import NoSchemaIntrospectionCustomRule, ValidationRule
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, SchemaExtension
from strawberry.extensions.max_aliases import create_validator as aliases_rule
from strawberry.extensions.query_depth_limiter import create_validator as depth_rule
from strawberry.types.execution import StreamExecutionResult

from interfaces.graphql.documents import free_query

DEEPEST, MOST_ALIASES, MOST_TOKENS = 10, 30, 2_000

# Made once: the cache of validated documents knows rules by identity.
RULES = (depth_rule(DEEPEST, None, None), aliases_rule(MOST_ALIASES))


class Limits(AddValidationRules):
    def __init__(self) -> None:
        super().__init__([*RULES])


class Tokens(MaxTokensLimiter):
    def __init__(self) -> None:
        super().__init__(max_token_count=MOST_TOKENS)


class OwnOperationsOnly(ValidationRule):
    """Refuses the whole document; a rule, so that sockets are answered as well."""

    def enter_document(self, *_: Any) -> None:
        self.report_error(free_query())


class Entrance(SchemaExtension):
    """Reads who asks, and shows the schema only to members."""

    async def on_operation(self) -> AsyncIterator[None]:
        execution = self.execution_context
        context = execution.context
        if await context.begin() is None:
            execution.validation_rules += (NoSchemaIntrospectionCustomRule,)
        if not context.may_send(execution.query):
            execution.validation_rules += (OwnOperationsOnly,)
        yield


class FreshLoaders(SchemaExtension):
    def on_execute(self) -> Iterator[None]:
        self.execution_context.context.loaders.forget()
        yield

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:  # noqa: ARG002 - the library's signature
        yield None
        self.execution_context.context.loaders.forget()
