"""Personal data beside the log: its rows, and the proof that events keep of them.

A row is written in the transaction of the event that refers to it. The event holds
`digest(rows)`; erasing a person empties the row but for its leaf, so that the digest
can still be checked.
"""

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

import orjson

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def canonical(value: Any) -> bytes:
    """Write JSON in the one form that is hashed: sorted keys, no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=bytes.hex)


def storable(value: Any) -> Any:
    """Replace what no text column takes: NUL and lone surrogates."""
    return value if is_storable(value) else _replaced(value)


def is_storable(value: Any) -> bool:
    try:
        return b"\\u0000" not in orjson.dumps(value, default=bytes.hex)
    except TypeError:
        return False


def _replaced(value: Any) -> Any:
    match value:
        case str():
            text = "".join(
                REPLACEMENT if "\ud800" <= c <= "\udfff" else c for c in value
            )
            return text.replace("\0", REPLACEMENT)
        case dict():
            return {_replaced(key): _replaced(item) for key, item in value.items()}
        case list():
            return [_replaced(item) for item in value]
        case tuple():
            return tuple(_replaced(item) for item in value)
        case _:
            return value


@dataclass(frozen=True, kw_only=True, repr=False)
class _Row:
    """Shown without what is personal, since logs and tracebacks are no vault."""

    PERSONAL: ClassVar[tuple[str, ...]] = ()

    salt: bytes
    """32 random bytes, the row's own."""

    def __post_init__(self) -> None:
        known = self.__dict__
        personal = [known[name] for name in self.PERSONAL]
        if not is_storable(personal):
            for name, value in zip(self.PERSONAL, personal, strict=True):
                object.__setattr__(self, name, storable(value))

    def __repr__(self) -> str:
        hidden = {"salt", *self.PERSONAL}
        shown = (f.name for f in fields(self) if f.name not in hidden)
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__name__}({values})"

    @cached_property
    def leaf(self) -> bytes:
        """SHA-256 over the salt and the canonical JSON of the personal fields."""
        return sha256(self.salt + canonical(self._hashed())).digest()

    def _hashed(self) -> dict[str, Any]:
        known = self.__dict__
        return {name: known[name] for name in self.PERSONAL}


@dataclass(frozen=True, repr=False)
class ContactRow(_Row):
    """Who a contact is, as one list of contacts named them.

    `phone` is E.164; `extension` is the digits to dial once the call is answered.
    """

    PERSONAL = ("name", "business_name", "phone", "variables", "extension")

    contact_id: UUID
    list_id: UUID
    campaign_id: UUID
    name: str
    business_name: str
    phone: str
    variables: dict[str, str]
    extension: str | None = None

    def _hashed(self) -> dict[str, Any]:
        """Leave out an extension that is not there: release 1 knew none."""
        personal = super()._hashed()
        if self.extension is None:
            del personal["extension"]
        return personal


@dataclass(frozen=True, repr=False)
class MessageRow(_Row):
    """What the provider said about a subject; secrets are taken out before."""

    PERSONAL = ("document", "recording_url", "transcript")

    id: UUID
    subject_id: UUID
    campaign_id: UUID | None
    document: Any
    recording_url: str | None
    transcript: Any | None

    def in_campaign(self, campaign_id: UUID) -> Self:
        """Say whose it is; its leaf, which took long for a long document, stays."""
        found = copy(self)
        object.__setattr__(found, "campaign_id", campaign_id)
        return found


@dataclass(frozen=True, repr=False)
class TextRow(_Row):
    """Other people's words: an error's text, a reason, the name of a file."""

    PERSONAL = ("words",)

    id: UUID
    subject_id: UUID
    words: str


@dataclass(frozen=True, repr=False)
class KeyRow(_Row):
    """The key that turns a campaign's phone numbers into contact ids."""

    PERSONAL = ("key",)

    campaign_id: UUID
    key: bytes


@dataclass(frozen=True, repr=False)
class RejectRow(_Row):
    """A row of a file that was not accepted, as it was; the header is row 1."""

    PERSONAL = ("reason", "message", "cells")

    list_id: UUID
    row: int
    reason: str
    message: str
    cells: tuple[str, ...]


type VaultRow = ContactRow | MessageRow | TextRow | KeyRow | RejectRow


def digest(rows: Sequence[VaultRow]) -> str:
    """Return the hex SHA-256 over the rows' leaves in their order."""
    return sha256(b"".join(row.leaf for row in rows)).hexdigest()


class VaultReader(Protocol):
    """What may be asked of the vault; an erased row reads as one that never was."""

    def campaign_key(self, campaign_id: UUID) -> bytes | None: ...

    def contact(self, contact_id: UUID, list_id: UUID) -> ContactRow | None: ...

    def words(self, words_id: UUID) -> str | None: ...

    def words_of(self, words_ids: Collection[UUID]) -> dict[UUID, str]: ...

    def message(self, message_id: UUID) -> MessageRow | None: ...

    def messages_of(self, subject_id: UUID) -> list[MessageRow]: ...

    def rejects(
        self, list_id: UUID, *, after_row: int = 0, limit: int = 1000
    ) -> list[RejectRow]: ...
