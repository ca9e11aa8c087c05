"""Authentication: the member who sent a request, with the current role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.values import Role

BEARER = "bearer"
COOKIE = "autolynx_session"
SECURE_COOKIE = "__Host-autolynx"
"""Name over https; browsers accept a cookie with this prefix from the host only."""


def cookie_name(*, secure: bool) -> str:
    """Return the name of the session's cookie; `secure` if it is sent over https."""
    return SECURE_COOKIE if secure else COOKIE


@dataclass(frozen=True, slots=True)
class Viewer:
    """A member; `in_browser` if authenticated by a session cookie, not by a token."""

    email: str
    role: Role
    in_browser: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials in a request."""

    authorization: str | None = None
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


class Tokens(Protocol):
    """Checks API tokens."""

    def authenticate(self, token: str, now: datetime) -> str | None:
        """Return the e-mail address of the token's owner, None if it is invalid."""


class Sessions(Protocol):
    """Checks sessions of browsers."""

    def authenticate(self, text: str, now: datetime) -> str | None:
        """Return the e-mail address of the session's owner, None if it has ended."""


class Allowlisted(Protocol):
    """A member of the allowlist."""

    @property
    def email(self) -> str:
        """The member's e-mail address."""

    @property
    def role(self) -> Role:
        """The member's present role."""


class Authenticator:
    """Authenticates requests. Nothing is cached, so a removal takes effect at once."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        sessions: Sessions,
        member: Callable[[str], Allowlisted | None],
        now: Callable[[], datetime],
        cookie: str = COOKIE,
    ) -> None:
        self._tokens, self._sessions, self._cookie = tokens, sessions, cookie
        self._member, self._now = member, now

    def viewer(self, given: Credentials) -> Viewer | None:
        """Return the authenticated member, None if the credentials are invalid.

        If there is an Authorization header, cookies are ignored.
        """
        email = self._email(given)
        member = self._member(email) if email else None
        if member is None:
            return None
        in_browser = given.authorization is None
        return Viewer(member.email, member.role, in_browser=in_browser)

    def _email(self, given: Credentials) -> str | None:
        if given.authorization is not None:
            token = bearer_token(given.authorization)
            return token and self._tokens.authenticate(token, self._now())
        session = given.cookies.get(self._cookie)
        return session and self._sessions.authenticate(session, self._now())


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an Authorization header, None for other schemes."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == BEARER else None
