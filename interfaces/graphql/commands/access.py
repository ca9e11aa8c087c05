"""Mutations of sign-in links and API tokens."""

from functools import partial

import strawberry

from interfaces.auth.links import sign_in_address
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, EVERYBODY, mutation
from interfaces.graphql.types.access import (
    ApiToken,
    NewToken,
    NewTokenResult,
    SignInLink,
    SignInLinkResult,
    TokenResult,
    visible_owner,
)
from interfaces.graphql.types.paging import as_uuid


@strawberry.type
class AccessCommands:
    """Mutations of sign-in links and API tokens."""

    @mutation(ADMINS, "For admins: creates a one-time sign-in link for a member.")
    async def create_sign_in_link(self, info: Info, email: str) -> SignInLinkResult:
        """Create a link that works once; the event names the admin."""
        backend, by = info.context.backend, info.context.viewer.email
        create = partial(backend.services.access.create_link, email, by=by)
        link = await backend.run_command(create)
        url = sign_in_address(backend.own_url, link.secret)
        return SignInLink(url=url, expires_at=link.expires_at)

    @mutation(
        EVERYBODY,
        "Creates an API token for the viewer. The secret is returned only once.",
    )
    async def create_token(self, info: Info, days: int | None = None) -> NewTokenResult:
        """Create a token that expires after `days`, 365 if they are not stated."""
        backend, email = info.context.backend, info.context.viewer.email
        create = partial(
            backend.services.access.create_token, email, days=days, by=email
        )
        created = await backend.run_command(create)
        return NewToken(token=ApiToken.of(created.token), secret=created.secret)

    @mutation(EVERYBODY, "Revokes a token of the viewer; admins may revoke all tokens.")
    async def revoke_token(self, info: Info, id: strawberry.ID) -> TokenResult:  # noqa: A002 - the contract's name
        """Revoke a token and close the sockets that were opened with it."""
        backend, by = info.context.backend, info.context.viewer.email
        revoke = partial(
            backend.services.access.revoke_token,
            as_uuid("token", id),
            by=by,
            owner=visible_owner(info),
        )
        return ApiToken.of(await backend.run_command(revoke))
