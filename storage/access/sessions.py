"""Sign-in links, browser sessions, and identities from OpenID Connect.

Secrets are 256 random bits, which are shown once and stored as a hash.
"""

import base64
import logging
import re
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, LiteralString

from psycopg import Error

from storage.database import CANNOT_WRITE, Conn, Pool, Retry, RetryPolicy

log = logging.getLogger(__name__)

SECRET_BYTES = 32
FORM = re.compile(r"[A-Za-z0-9_-]{43}")
LINK_LIFE = timedelta(minutes=15)
IDLE_LIFE = timedelta(hours=12)
"""A session without requests ends after this time."""

WHOLE_LIFE = timedelta(days=7)
"""Each session ends after this time."""

SEEN_NOTED_EVERY = timedelta(minutes=1)
"""How exact the time of a session's last request is."""

KEPT = timedelta(days=30)
"""How long links after their expiry, and sessions after their start, stay stored."""

STATE_KEPT = timedelta(hours=1)

ACCESS_CHANGED = "autolynx_access"
"""NOTIFY channel: the payload is the e-mail of a member whose access changed."""

CREATE_LINK = """
insert into sign_in_link (hash, email, created_at, expires_at) values (%s, %s, %s, %s)
"""
FORGET_LINKS = "delete from sign_in_link where expires_at < %s"
USE_LINK = """
update sign_in_link set used_at = %s
where hash = %s and used_at is null and expires_at > %s returning email
"""
OPEN = """
insert into browser_session (hash, email, created_at, last_seen_at)
values (%s, %s, %s, %s)
"""
FORGET_SESSIONS = "delete from browser_session where created_at < %s"
OWNER = """
select email, last_seen_at from browser_session
where hash = %s and revoked_at is null and created_at > %s and last_seen_at > %s
"""
NOTE_SEEN = "update browser_session set last_seen_at = %s where hash = %s"
END = """
update browser_session set revoked_at = %s
where hash = %s and revoked_at is null returning email
"""
PIN = """
insert into sign_in_identity (email, issuer, subject, first_seen_at)
values (%s, %s, %s, %s) on conflict (email) do nothing
"""
FORGET_STATES = "delete from sign_in_state where used_at < %s"
USE_STATE = """
insert into sign_in_state (hash, used_at) values (%s, %s)
on conflict (hash) do nothing returning hash
"""
PINNED = "select issuer, subject from sign_in_identity where email = %s"
REVOKE = (
    "update {} set revoked_at = %(at)s where email = %(email)s and revoked_at is null"
)
WITHDRAW = (
    REVOKE.format("api_token"),
    REVOKE.format("browser_session"),
    "delete from sign_in_link where email = %(email)s",
    "delete from sign_in_identity where email = %(email)s",
)
NOTIFY = "select pg_notify(%s, %s)"


def _encoded(secret: bytes) -> str:
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret consists of 32 random bytes")
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _address(email: str) -> str:
    return email.strip().lower()


def notify_access_changed(connection: Conn, email: str) -> None:
    """Make every API process check that member's open sockets at once."""
    connection.execute(NOTIFY, (ACCESS_CHANGED, email))


def note_use(connection: Conn, update: LiteralString, values: tuple[Any, ...]) -> None:
    """Record when a token or session was last used, if the database accepts writes.

    On a standby, a read-only database or a full disk the use is not recorded, so that
    members can still read.
    """
    with suppress(*CANNOT_WRITE):
        connection.execute(update, values)


class SignInLinks:
    """Links with which a member signs in once, within 15 minutes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def create(self, *, email: str, secret: bytes, now: datetime) -> str:
        """Create a link for a member; return its secret, which is stored as a hash.

        `secret` are 32 random bytes.
        """
        text = _encoded(secret)
        values = (_hash(text), _address(email), now, now + LINK_LIFE)
        with self._pool.connection() as connection:
            connection.execute(FORGET_LINKS, (now - KEPT,))
            connection.execute(CREATE_LINK, values)
        return text

    def use(self, text: str, now: datetime) -> str | None:
        """Return the member's address, once; None for an unknown, old or used link."""
        if not FORM.fullmatch(text):
            return None
        with self._pool.connection() as connection:
            row = connection.execute(USE_LINK, (now, _hash(text), now)).fetchone()
        return None if row is None else str(row[0])


class SessionStore:
    """Browser sessions. Each ends after 12 idle hours, after 7 days, or by `end`."""

    def __init__(self, pool: Pool, retry_policy: RetryPolicy | None = None) -> None:
        self._pool, self._retry_policy = pool, retry_policy or RetryPolicy()

    def open(self, *, email: str, secret: bytes, now: datetime) -> str:
        """Create a session of a member; return the value of its cookie.

        `secret` are 32 random bytes.
        """
        text = _encoded(secret)
        with self._pool.connection() as connection:
            connection.execute(FORGET_SESSIONS, (now - KEPT,))
            connection.execute(OPEN, (_hash(text), _address(email), now, now))
        return text

    def authenticate(self, text: str, now: datetime) -> str | None:
        """Return the address of the session's owner; None if it has ended.

        Raises StoreUnavailable if the database does not answer in time.
        """
        if not FORM.fullmatch(text):
            return None

        def work(connection: Conn, _: Retry) -> str | None:
            return _owner(connection, _hash(text), now)

        return self._retry_policy.run(self._pool, work)

    def end(self, text: str, now: datetime) -> None:
        """End a session, and make its open sockets be checked."""
        with self._pool.connection() as connection:
            row = connection.execute(END, (now, _hash(text))).fetchone()
            if row is not None:
                notify_access_changed(connection, str(row[0]))


def _owner(connection: Conn, hash_: bytes, now: datetime) -> str | None:
    limits = (hash_, now - WHOLE_LIFE, now - IDLE_LIFE)
    row = connection.execute(OWNER, limits).fetchone()
    if row is None:
        return None
    email, seen_at = row
    if now - seen_at > SEEN_NOTED_EVERY:
        note_use(connection, NOTE_SEEN, (now, hash_))
    return str(email)


class Identities:
    """Sign-ins by OpenID Connect: identities of members, and used states.

    An address belongs to the identity (issuer and subject) that used it first.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def same_person(
        self, email: str, *, issuer: str, subject: str, now: datetime
    ) -> bool:
        """Return whether the address belongs to this identity, or to none so far."""
        address = _address(email)
        with self._pool.connection() as connection, connection.transaction():
            connection.execute(PIN, (address, issuer, subject, now))
            row = connection.execute(PINNED, (address,)).fetchone()
        return row == (issuer, subject)

    def use_state(self, state: str, now: datetime) -> bool:
        """Mark a state as used; return False if it was used before.

        States are kept for `STATE_KEPT`, which must exceed the life of the cookie that
        holds them.
        """
        with self._pool.connection() as connection:
            connection.execute(FORGET_STATES, (now - STATE_KEPT,))
            row = connection.execute(USE_STATE, (_hash(state), now)).fetchone()
        return row is not None


class Credentials:
    """All credentials of members: tokens, sessions, links and identities."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def revoke(self, email: str, at: datetime) -> None:
        """Revoke all credentials of a member, and make open sockets be checked."""
        address = _address(email)
        with self._pool.connection() as connection, connection.transaction():
            for statement in WITHDRAW:
                connection.execute(statement.encode(), {"email": address, "at": at})
            notify_access_changed(connection, address)

    def role_changed(self, email: str) -> None:
        """Make every API process check that member's open sockets at once.

        Errors of the database are only logged: the API processes also check all sockets
        at intervals of `RECHECK_SECONDS`.
        """
        try:
            with self._pool.connection() as connection:
                notify_access_changed(connection, _address(email))
        except Error as error:
            log.warning(
                "open sockets are not checked before their next recheck: %s", error
            )
