"""API tokens: random, shown once, and stored as hashes.

A token consists of `alx_`, 43 URL-safe characters, `_`, and the CRC-32 of all before it
in hex. Scanners for leaked secrets recognise this form, and a mistyped token is refused
without a query.
"""

import base64
import re
import zlib
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from application.members.access import ApiToken
from storage.access.sessions import note_use, notify_access_changed
from storage.database import Conn, Pool, Retry, RetryPolicy

SECRET_BYTES = 32
FORM = re.compile(r"(alx_[A-Za-z0-9_-]{43})_([0-9a-f]{8})")
USE_NOTED_EVERY = timedelta(minutes=1)
"""How exact the time of the last use is."""

CREATE = """
insert into api_token (id, email, hash, created_at, expires_at)
values (%s, %s, %s, %s, %s)
"""
TOKENS = """
select id, email, created_at, expires_at, last_used_at, revoked_at from api_token
"""
LIST = TOKENS + "order by created_at, id"
FIND = TOKENS + "where id = %s"
REVOKE = """
update api_token set revoked_at = coalesce(revoked_at, %s) where id = %s returning email
"""
OWNER = """
select id, email, last_used_at from api_token
where hash = %s and revoked_at is null and (expires_at is null or expires_at > %s)
"""
NOTE_USE = "update api_token set last_used_at = %s where id = %s"


def make_token(secret: bytes) -> str:
    """Return the token with these 32 random bytes. Raises ValueError for others."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("a token is made of 32 random bytes")
    body = "alx_" + base64.urlsafe_b64encode(secret).decode().rstrip("=")
    return f"{body}_{_checksum(body)}"


def is_token(text: str) -> bool:
    """Return whether a text has the form and the checksum of a token."""
    found = FORM.fullmatch(text)
    return found is not None and _checksum(found[1]) == found[2]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _hash(token: str) -> bytes:
    # A fast hash suffices: unlike passwords, 256 random bits cannot be guessed.
    return sha256(token.encode()).digest()


class TokenStore:
    """Creates, lists, revokes and checks API tokens."""

    def __init__(self, pool: Pool, retry_policy: RetryPolicy | None = None) -> None:
        self._pool, self._retry_policy = pool, retry_policy or RetryPolicy()

    def create(
        self,
        *,
        token_id: UUID,
        email: str,
        secret: bytes,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> str:
        """Create a token of a member and return it; only its hash is stored.

        `secret` are 32 random bytes. `expires_at` None: it does not expire.
        """
        token = make_token(secret)
        values = (token_id, email.strip().lower(), _hash(token), now, expires_at)
        with self._pool.connection() as connection:
            connection.execute(CREATE, values)
        return token

    def find(self, token_id: UUID) -> ApiToken | None:
        """Return a token, also if it is revoked; None if there is none."""
        with self._pool.connection() as connection:
            row = connection.execute(FIND, (token_id,)).fetchone()
        return None if row is None else ApiToken(*row)

    def list(self) -> list[ApiToken]:
        """Return all tokens, also revoked and expired ones, oldest first."""
        with self._pool.connection() as connection:
            return [ApiToken(*row) for row in connection.execute(LIST)]

    def revoke(self, token_id: UUID, now: datetime) -> bool:
        """Revoke a token and close the sockets opened with it; return if it exists."""
        with self._pool.connection() as connection, connection.transaction():
            row = connection.execute(REVOKE, (now, token_id)).fetchone()
            if row is not None:
                notify_access_changed(connection, str(row[0]))
        return row is not None

    def authenticate(self, token: str, now: datetime) -> str | None:
        """Return the address of the token's owner; None if the token is not valid.

        Raises StoreUnavailable if the database does not answer in time.
        """
        if not is_token(token):
            return None

        def work(connection: Conn, _: Retry) -> str | None:
            return _owner(connection, _hash(token), now)

        return self._retry_policy.run(self._pool, work)


def _owner(connection: Conn, hash_: bytes, now: datetime) -> str | None:
    row = connection.execute(OWNER, (hash_, now)).fetchone()
    if row is None:
        return None
    token_id, email, used_at = row
    if used_at is None or now - used_at > USE_NOTED_EVERY:
        note_use(connection, NOTE_USE, (now, token_id))
    return str(email)
