"""Default deny: each root field names who may use it; a test finds those that don't."""

import inspect
from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

from domain.values import Role
from interfaces.graphql.context import Info
from interfaces.graphql.errors import forbidden

EVERYBODY = frozenset(Role)
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
AUDITORS = frozenset({Role.AUDITOR, Role.ADMIN})


class Allowed(FieldExtension):
    """Lets members of these roles pass."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        if info.context.viewer.role not in self.roles:
            raise forbidden()
        result: Any = next_(source, info, **kwargs)
        return result if inspect.isasyncgen(result) else await result


def query[F: Callable[..., Any]](
    roles: frozenset[Role], description: str | None = None
) -> Callable[[F], F]:
    """Make a root field of Query that these roles may ask."""
    made: Callable[[F], F] = strawberry.field(
        extensions=[Allowed(roles)], description=description
    )
    return made


def mutation[F: Callable[..., Any]](
    roles: frozenset[Role], description: str | None = None
) -> Callable[[F], F]:
    """Make a root field of Mutation that these roles may use."""
    made: Callable[[F], F] = strawberry.mutation(
        extensions=[Allowed(roles)], description=description
    )
    return made


def subscription[F: Callable[..., Any]](
    roles: frozenset[Role], description: str | None = None
) -> Callable[[F], F]:
    """Make a root field of Subscription that these roles may listen to."""
    made: Callable[[F], F] = strawberry.subscription(
        extensions=[Allowed(roles)], description=description
    )
    return made


def must_be(roles: frozenset[Role], info: Info) -> None:
    """Hold an argument back from members of other roles."""
    if info.context.viewer.role not in roles:
        raise forbidden()


def field[F: Callable[..., Any]](description: str) -> Callable[[F], F]:
    """Make a field of what was already let pass."""
    made: Callable[[F], F] = strawberry.field(description=description)
    return made
