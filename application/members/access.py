"""Sign-in links and API tokens, which give members access.

Each command appends its event first and changes the credential afterwards. After a
crash in between, the log may name a link or token that does not work, but no credential
works that the log does not name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.event_context import EventContext
from domain.errors import Invalid, NotFound
from domain.member import LONGEST_SHOWN, Member
from domain.values import member_id_of

SECRET_BYTES = 32
DEFAULT_TOKEN_DAYS = 365
LONGEST_TOKEN_DAYS = 3650


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A stored token; times are UTC, None for events that have not happened.

    `expires_at` None: the token does not expire.
    """

    id: UUID
    email: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def may_be_managed_by(self, owner: str | None) -> bool:
        """Return whether this member may see and revoke it; None is an admin."""
        return owner is None or self.email == owner


class Tokens(Protocol):
    """Stores API tokens as hashes."""

    def create(
        self,
        *,
        token_id: UUID,
        email: str,
        secret: bytes,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> str:
        """Store a token made of 32 random bytes, and return its text."""

    def find(self, token_id: UUID) -> ApiToken | None:
        """Return a token, also if it is revoked; None if there is none."""

    def list(self) -> list[ApiToken]:
        """Return all tokens, also revoked and expired ones, oldest first."""

    def revoke(self, token_id: UUID, now: datetime) -> bool:
        """Revoke a token and return whether it exists; it may be repeated."""


class Links(Protocol):
    """Stores sign-in links as hashes."""

    def create(self, *, email: str, secret: bytes, now: datetime) -> str:
        """Store a link made of 32 random bytes, and return its text."""


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token with its text, which cannot be read again."""

    token: ApiToken
    secret: str


@dataclass(frozen=True, slots=True)
class CreatedLink:
    """The secret of a new sign-in link, which cannot be read again."""

    secret: str
    expires_at: datetime


class AccessService:
    """Creates sign-in links and tokens, and revokes tokens.

    `link_life` is the time after which a link no longer works.
    """

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        tokens: Tokens,
        links: Links,
        link_life: timedelta,
    ) -> None:
        self._app, self._context = app, context
        self._tokens, self._links, self._link_life = tokens, links, link_life

    def create_link(self, email: str, *, by: str) -> CreatedLink:
        """Create a link with which a member signs in once. Raises NotFound."""
        now = self._context.now()
        expires_at = now + self._link_life
        member = self._record(
            email,
            lambda one: one.create_sign_in_link(expires_at=expires_at, at=now, by=by),
        )
        secret = self._context.random_bytes(SECRET_BYTES)
        text = self._links.create(email=member.email, secret=secret, now=now)
        return CreatedLink(text, expires_at)

    def create_token(self, email: str, *, days: int | None, by: str) -> CreatedToken:
        """Create an API token of a member; `days` None: it expires after 365 days.

        Raises NotFound without such a member, Invalid if `days` is out of bounds.
        """
        now, token_id = self._context.now(), self._context.new_id()
        expires_at = now + timedelta(days=_checked_days(days))
        member = self._record(
            email,
            lambda one: one.create_token(
                token_id=token_id, expires_at=expires_at, at=now, by=by
            ),
        )
        secret = self._tokens.create(
            token_id=token_id,
            email=member.email,
            secret=self._context.random_bytes(SECRET_BYTES),
            now=now,
            expires_at=expires_at,
        )
        token = ApiToken(token_id, member.email, now, expires_at, None, None)
        return CreatedToken(token, secret)

    def revoke_token(
        self, token_id: UUID, *, by: str, owner: str | None = None
    ) -> ApiToken:
        """Revoke a token, and close the sockets that it opened; it may be repeated.

        With `owner`, raises NotFound for the tokens of other members, as without such
        a token.
        """
        token = self._tokens.find(token_id)
        if token is None or not token.may_be_managed_by(owner):
            raise NotFound("token", token_id)
        if token.revoked_at is None:
            self._revoke(token, by)
        return token

    def _revoke(self, token: ApiToken, by: str) -> None:
        now = self._context.now()
        self._record(
            token.email,
            lambda one: one.revoke_token(token_id=token.id, at=now, by=by),
        )
        self._tokens.revoke(token.id, now)

    def tokens(self, owner: str | None = None) -> list[ApiToken]:
        """Return the tokens that are not revoked, oldest first."""
        return [
            token
            for token in self._tokens.list()
            if token.revoked_at is None and token.may_be_managed_by(owner)
        ]

    def _record(self, email: str, act: Callable[[Member], None]) -> Member:
        def command() -> Member:
            member = self._app.find(Member, member_id_of(email))
            if member is None:
                raise NotFound("member", email[:LONGEST_SHOWN])
            act(member)
            self._app.append(member)
            return member

        return decide(command)


def _checked_days(days: int | None) -> int:
    if days is None:
        return DEFAULT_TOKEN_DAYS
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        message = f"A token is valid for 1 to {LONGEST_TOKEN_DAYS} days."
        raise Invalid(message, days=f"must be 1 to {LONGEST_TOKEN_DAYS}")
    return days
