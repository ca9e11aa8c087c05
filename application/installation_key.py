"""The installation's key, and the keyed digests of phone numbers made with it.

Numbers are digested with a key because E.164 has few enough numbers to try them all.
Whoever holds both the database and a guess can still test the guess.
"""

import hashlib
import hmac
import logging
from collections.abc import Iterable, Iterator
from typing import Protocol

from eventsourcing.persistence import IntegrityError

from application.app import AutoLynx
from application.errors import Failure
from application.event_context import EventContext
from application.vault import KeyRow, digest
from domain.numbers.installation import INSTALLATION_ID, Installation
from domain.numbers.number import number_ids_of

log = logging.getLogger(__name__)

KEY_BYTES = 32
_SHA256_BLOCK = 64
ACTOR = "installation"
RESTORE = (
    "Nobody is called, because suppressed numbers could not be recognised. Restore the"
    " table key_vault from the backup that belongs to this event log."
)


class KeyUnusable(Failure):
    """The installation's key is missing or is not the one that the log names."""


class KeyReader(Protocol):
    """Reads the installation's key from the vault."""

    def installation_key(self) -> KeyRow | None:
        """Return the row with the key, None if there is none."""


class InstallationKey:
    """Reads the key once, creating it at the first use of a new installation."""

    def __init__(self, app: AutoLynx, context: EventContext, vault: KeyReader) -> None:
        self._app, self._context, self._vault = app, context, vault
        self._known: KeyRow | None = None

    def of_number(self, phone: str) -> str:
        """Return the number's key: HMAC-SHA256 of the E.164 text, in hex.

        Raises:
            KeyUnusable: the key is missing or does not match the log.
        """
        return number_key(self._row().key, phone)

    def number_ids(self, phones: Iterable[str]) -> bytes:
        """Return the ids of the streams of many E.164 numbers, 16 bytes each, joined.

        Raises:
            KeyUnusable: the key is missing or does not match the log.
        """
        return number_ids_of(_number_keys(self._row().key, phones))

    def is_of(self, installation: object) -> bool:
        """Return whether the log still names the key that `of_number` uses."""
        known = self._known
        return (
            isinstance(installation, Installation)
            and known is not None
            and installation.key_digest == digest([known])
        )

    def prepare(self) -> None:
        """Create the key of a new installation; log it if the key cannot be used."""
        try:
            self._row()
        except KeyUnusable as fault:
            log.error("%s", fault)  # noqa: TRY400 - the message says it all

    def fault(self) -> str | None:
        """Return why the key cannot be used now; nothing is created or cached."""
        return key_fault(self._app, self._vault)

    def _row(self) -> KeyRow:
        if self._known is None:  # Threads that read it at the same time read the same.
            self._known = self._checked()
        return self._known

    def _checked(self) -> KeyRow:
        for _ in range(2):
            installation, row = _read(self._app, self._vault)
            if installation is None and row is None:
                self._create()
                continue  # Read what was stored: another process may have been first.
            fault = fault_of(installation, row)
            if fault is not None or row is None:
                raise KeyUnusable(fault)
            return row
        raise KeyUnusable(f"The installation's key cannot be created. {RESTORE}")

    def _create(self) -> None:
        row = KeyRow(
            salt=self._context.salt(),
            campaign_id=INSTALLATION_ID,
            key=self._context.random_bytes(KEY_BYTES),
        )
        created = Installation.create(
            key_digest=digest([row]), at=self._context.now(), by=ACTOR
        )
        try:
            self._app.append(created, vault=[row])
        except IntegrityError:
            return  # Another process created it at the same time.


def number_key(key: bytes, phone: str) -> str:
    """Return the keyed digest of an E.164 number, in hex."""
    return hmac.digest(key, phone.encode(), "sha256").hex()


def _number_keys(key: bytes, phones: Iterable[str]) -> Iterator[str]:
    """Yield the keys of numbers, as `of_number` returns them.

    This is HMAC as RFC 2104 defines it. Both blocks that depend on the key only are
    hashed once, so that it takes half of the time.
    """
    padded = key.ljust(_SHA256_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
    for phone in phones:
        first, second = inner.copy(), outer.copy()
        first.update(phone.encode())
        second.update(first.digest())
        yield second.hexdigest()


def key_fault(app: AutoLynx, vault: KeyReader) -> str | None:
    """Read the key; return why it may not be used, None if it may."""
    return fault_of(*_read(app, vault))


def _read(app: AutoLynx, vault: KeyReader) -> tuple[Installation | None, KeyRow | None]:
    """Read the event and the row, which one transaction stores, in two queries.

    The row is read first and, if it was stored in between, again: a row that is there
    has its event.
    """
    row = vault.installation_key()
    installation = app.find(Installation, INSTALLATION_ID)
    if row is None and installation is not None:
        row = vault.installation_key()
    return installation, row


def fault_of(installation: Installation | None, row: KeyRow | None) -> str | None:
    """Return why the key may not be used; None also before it is created."""
    if installation is None and row is None:
        return None
    if row is None:
        return f"The installation's key is missing in the vault. {RESTORE}"
    if installation is None:
        return f"The installation's key belongs to another event log. {RESTORE}"
    if installation.key_digest != digest([row]):
        return f"The installation's key is not the one that the log names. {RESTORE}"
    return None
