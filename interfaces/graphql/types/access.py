"""API tokens and sign-in links."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from application.members import access
from domain.values import Role
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import EVERYBODY, query


@strawberry.type
class ApiToken:
    """An API token that is not revoked; its secret cannot be read again."""

    id: strawberry.ID
    email: str
    created_at: datetime
    expires_at: datetime | None = strawberry.field(
        description="Null if the token does not expire."
    )
    last_used_at: datetime | None = strawberry.field(
        description="Exact to a minute; null if the token was never used."
    )

    @classmethod
    def of(cls, token: access.ApiToken) -> Self:
        """Build it from a stored token."""
        return cls(
            id=strawberry.ID(str(token.id)),
            email=token.email,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


@strawberry.type
class NewToken:
    """A new API token with its secret, which is returned only once."""

    token: ApiToken
    secret: str


@strawberry.type
class SignInLink:
    """The address with which a member signs in once, until it expires."""

    url: str
    expires_at: datetime


SignInLinkResult = Annotated[
    SignInLink | UserError, strawberry.union("SignInLinkResult")
]
NewTokenResult = Annotated[NewToken | UserError, strawberry.union("NewTokenResult")]
TokenResult = Annotated[ApiToken | UserError, strawberry.union("TokenResult")]


@strawberry.type
class TokenQueries:
    """Queries of API tokens."""

    @query(EVERYBODY, "The viewer's API tokens; admins see all tokens.")
    async def tokens(self, info: Info) -> list[ApiToken]:
        """Return the tokens that are not revoked, oldest first."""
        backend = info.context.backend
        found = await backend.run_reader(
            backend.services.access.tokens, visible_owner(info)
        )
        return [ApiToken.of(token) for token in found]


def visible_owner(info: Info) -> str | None:
    """Return the only owner whose tokens the viewer may see; None for all owners."""
    viewer = info.context.viewer
    return None if viewer.role is Role.ADMIN else viewer.email
