"""Access control of REST routes, as FastAPI dependencies."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header, HTTPException, Request

from domain.values import Role
from interfaces.auth.rates import GUESSES_A_MINUTE, RateLimit, address_of
from interfaces.auth.viewer import Authenticator, Credentials, Viewer

MEMBERS = frozenset(Role)
AUDITORS = frozenset({Role.AUDITOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})

UNAUTHENTICATED = "Sign in, or send a valid API token: Authorization: Bearer alx_..."
FORBIDDEN = "Your role does not allow this."


def viewer_with(
    authenticator: Authenticator, roles: frozenset[Role]
) -> Callable[..., Viewer]:
    """Return a dependency that yields the member.

    It raises HTTPException 401 without valid credentials, 403 for other roles, and 429
    after too many wrong tokens from one address.
    """
    guesses = RateLimit(GUESSES_A_MINUTE)

    def dependency(
        request: Request, authorization: Annotated[str | None, Header()] = None
    ) -> Viewer:
        given = Credentials(authorization, request.cookies)
        viewer = authenticator.viewer(given)
        if viewer is None:
            if authorization is not None:
                guesses.require(address_of(request))
            challenge = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, UNAUTHENTICATED, headers=challenge)
        if viewer.role not in roles:
            raise HTTPException(403, FORBIDDEN)
        return viewer

    return dependency


def email_with(
    authenticator: Authenticator, roles: frozenset[Role]
) -> Callable[..., str]:
    """Return a dependency like that of `viewer_with` that yields the e-mail address."""
    viewer = viewer_with(authenticator, roles)

    def dependency(
        request: Request, authorization: Annotated[str | None, Header()] = None
    ) -> str:
        return viewer(request, authorization).email

    return dependency
