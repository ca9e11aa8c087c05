"""Who asks: the member behind a request, with the role that the allowlist gives now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.values import Role

BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Viewer:
    email: str
    role: Role


class Tokens(Protocol):
    def authenticate(self, token: str, now: datetime) -> str | None:
        """Return the e-mail of the token's owner, None where it is good for nothing."""


class Allowlisted(Protocol):
    @property
    def email(self) -> str: ...

    @property
    def role(self) -> Role: ...


class Authenticator:
    """Nothing is cached: whoever is removed, or whose token is revoked, is out."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        member: Callable[[str], Allowlisted | None],
        now: Callable[[], datetime],
    ) -> None:
        self._tokens, self._member, self._now = tokens, member, now

    def viewer(self, authorization: str | None) -> Viewer | None:
        """Return the member whom an Authorization header proves, None for nobody."""
        token = bearer_token(authorization)
        email = None if token is None else self._tokens.authenticate(token, self._now())
        member = None if email is None else self._member(email)
        return None if member is None else Viewer(member.email, member.role)


def bearer_token(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == BEARER else None
