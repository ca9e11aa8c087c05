"""Browsers' ways in: one-time links, sessions, and whom an identity provider named.

What proves anything is 256 random bits, shown once and kept as a hash.
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
WHOLE_LIFE = timedelta(days=7)
SEEN_NOTED_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=30)
"""So long links and sessions that are over can be looked at."""

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


def _written(secret: bytes) -> str:
    if len(secret) != SECRET_BYTES:
        raise ValueError("a way in is made of 32 random bytes")
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _address(email: str) -> str:
    return email.strip().lower()


def notify_access_changed(connection: Conn, email: str) -> None:
    """Make every API process check that member's open sockets at once."""
    connection.execute(NOTIFY, (ACCESS_CHANGED, email))


def note_use(connection: Conn, update: LiteralString, values: tuple[Any, ...]) -> None:
    """Record when a token or session was last used, if the database takes writes.

    On a standby, a read-only database or a full disk the use goes unrecorded: who may
    read goes on reading.
    """
    with suppress(*CANNOT_WRITE):
        connection.execute(update, values)


class SignInLinks:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def create(self, *, email: str, secret: bytes, now: datetime) -> str:
        """Store a link's secret for 15 minutes; return it, for the only time."""
        text = _written(secret)
        values = (_hash(text), _address(email), now, now + LINK_LIFE)
        with self._pool.connection() as connection:
            connection.execute(FORGET_LINKS, (now - KEPT,))
            connection.execute(CREATE_LINK, values)
        return text

    def use(self, text: str, now: datetime) -> str | None:
        """Return whom it lets in; None for one that is unknown, old or used."""
        if not FORM.fullmatch(text):
            return None
        with self._pool.connection() as connection:
            row = connection.execute(USE_LINK, (now, _hash(text), now)).fetchone()
        return None if row is None else str(row[0])


class SessionStore:
    """A session ends when it was idle for 12 hours, after 7 days, or by `end`."""

    def __init__(self, pool: Pool, retry_policy: RetryPolicy | None = None) -> None:
        self._pool, self._retry_policy = pool, retry_policy or RetryPolicy()

    def open(self, *, email: str, secret: bytes, now: datetime) -> str:
        """Store a new session; return what its cookie holds."""
        text = _written(secret)
        with self._pool.connection() as connection:
            connection.execute(FORGET_SESSIONS, (now - KEPT,))
            connection.execute(OPEN, (_hash(text), _address(email), now, now))
        return text

    def authenticate(self, text: str, now: datetime) -> str | None:
        """Return the e-mail of the session's owner, None where it is over.

        Raises StoreUnavailable when the database does not answer in time.
        """
        if not FORM.fullmatch(text):
            return None

        def work(connection: Conn, _: Retry) -> str | None:
            return _owner(connection, _hash(text), now)

        return self._retry_policy.run(self._pool, work)

    def end(self, text: str, now: datetime) -> None:
        """End one session, its open sockets too."""
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
    """What is stored about sign-ins by OpenID Connect.

    An address belongs to the person whom the identity provider first named for it.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def same_person(
        self, email: str, *, issuer: str, subject: str, now: datetime
    ) -> bool:
        """Say whether it is who first came in by that address; the first one is."""
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
    """Everything that a member may come in by."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def revoke(self, email: str, at: datetime) -> None:
        """Make tokens, sessions and links useless, and let open sockets end."""
        address = _address(email)
        with self._pool.connection() as connection, connection.transaction():
            for statement in WITHDRAW:
                connection.execute(statement.encode(), {"email": address, "at": at})
            notify_access_changed(connection, address)

    def role_changed(self, email: str) -> None:
        """Make every API process check that member's open sockets at once.

        It never fails: without a database the API processes check by themselves, after
        `RECHECK_SECONDS`.
        """
        try:
            with self._pool.connection() as connection:
                notify_access_changed(connection, _address(email))
        except Error as error:
            log.warning("sockets are checked at their next recheck only: %s", error)
