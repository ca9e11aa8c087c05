"""Access control: each root field names its roles; a test finds fields that do not."""

import inspect
from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

from domain.values import Role
from interfaces.graphql.context import Info
from interfaces.graphql.descriptions import paragraph
from interfaces.graphql.errors import forbidden

EVERYBODY = frozenset(Role)
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
AUDITORS = frozenset({Role.AUDITOR, Role.ADMIN})


class Allowed(FieldExtension):
    """Allows a field for members with these roles only."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        """Resolve the field. Raises FORBIDDEN for members with another role."""
        if info.context.viewer.role not in self.roles:
            raise forbidden()
        result: Any = next_(source, info, **kwargs)
        return result if inspect.isasyncgen(result) else await result


def _root[F: Callable[..., Any]](
    make: Any, roles: frozenset[Role], description: str | None
) -> Callable[[F], F]:
    """Define a root field; without a description, its docstring describes it."""

    def made(resolver: F) -> F:
        text = description or paragraph(inspect.getdoc(resolver))
        defined: F = make(extensions=[Allowed(roles)], description=text)(resolver)
        return defined

    return made


def query[F: Callable[..., Any]](
    roles: frozenset[Role], description: str | None = None
) -> Callable[[F], F]:
    """Define a root field of Query for these roles."""
    return _root(strawberry.field, roles, description)


def mutation[F: Callable[..., Any]](
    roles: frozenset[Role], description: str | None = None
) -> Callable[[F], F]:
    """Define a root field of Mutation for these roles."""
    return _root(strawberry.mutation, roles, description)


def subscription[F: Callable[..., Any]](
    roles: frozenset[Role], description: str | None = None
) -> Callable[[F], F]:
    """Define a root field of Subscription for these roles."""
    return _root(strawberry.subscription, roles, description)


def must_be(roles: frozenset[Role], info: Info) -> None:
    """Raise FORBIDDEN unless the member has one of the roles; for single arguments."""
    if info.context.viewer.role not in roles:
        raise forbidden()


def field[F: Callable[..., Any]](description: str) -> Callable[[F], F]:
    """Define a field with a description; the root fields control access to it."""
    made: Callable[[F], F] = strawberry.field(description=description)
    return made
