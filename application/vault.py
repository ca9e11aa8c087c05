"""Rows of the vault: personal data and texts outside the log, and their digests.

A row is stored in the same transaction as the event that refers to it. The event
contains `digest(rows)`. The erasure of a person empties the row except for its leaf, so
that the digest can still be verified.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

import orjson

OPTIONAL_FIELDS = ("extension", "attributes")
"""Personal fields of a contact that were added after release 1."""

PHONE_AS_GIVEN = "phone_as_given"
"""The attribute with the phone cell of the file, where it is not the E.164 number."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def canonical(value: Any) -> bytes:
    """Encode as JSON with sorted keys and without spaces, the form that is hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=bytes.hex)


def storable(value: Any) -> Any:
    """Replace characters that Postgres cannot store: NUL and lone surrogates."""
    return value if is_storable(value) else _replaced(value)


def is_storable(value: Any) -> bool:
    """Return whether Postgres can store the JSON of `value`.

    False for texts with NUL or lone surrogates, and for integers of more than 64 bits.
    """
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
    """Base class; `repr` leaves out personal fields, because it appears in logs."""

    PERSONAL: ClassVar[tuple[str, ...]] = ()

    salt: bytes
    """32 random bytes of this row."""

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
    """The personal data of a contact, as one contact list has it.

    `phone` is E.164; `extension` is the digits to dial once the call is answered.
    `attributes` are values by the names in `contact_values`, and PHONE_AS_GIVEN; None
    if there are none.
    """

    PERSONAL = ("name", "business_name", "phone", "variables", *OPTIONAL_FIELDS)

    contact_id: UUID
    list_id: UUID
    campaign_id: UUID
    name: str
    business_name: str
    phone: str
    variables: dict[str, str]
    extension: str | None = None
    attributes: dict[str, str] | None = None

    def _hashed(self) -> dict[str, Any]:
        """Leave out fields that are None: release 1 did not have them."""
        personal = super()._hashed()
        for name in OPTIONAL_FIELDS:
            if personal[name] is None:
                del personal[name]
        return personal


@dataclass(frozen=True, slots=True)
class Callee:
    """A contact who may be called.

    `listed` maps versions of suppression lists to whether they contain the number.
    Versions without a readable block for the number are left out.
    """

    person: ContactRow
    listed: Mapping[UUID, bool]


@dataclass(frozen=True, repr=False)
class MessageRow(_Row):
    """A message of the provider about a subject (a call), without secrets.

    Of a report, the row also has what the provider's analysis found: the structured
    outputs by name, a summary, and an evaluation of the call's success.
    """

    ANALYSIS = ("structured_outputs", "summary", "success_evaluation")
    PERSONAL = ("document", "recording_url", "transcript", *ANALYSIS)

    id: UUID
    subject_id: UUID
    campaign_id: UUID | None
    document: Any
    recording_url: str | None
    transcript: Any | None
    structured_outputs: dict[str, Any] | None = None
    summary: str | None = None
    success_evaluation: str | None = None

    def _hashed(self) -> dict[str, Any]:
        """Leave out a missing analysis, because release 1 had none in its leaves."""
        personal = super()._hashed()
        for name in self.ANALYSIS:
            if personal[name] is None:
                del personal[name]
        return personal

    def in_campaign(self, campaign_id: UUID) -> Self:
        """Return a copy that belongs to the campaign and shares the computed leaf."""
        # `copy.copy` takes more than twice as long, which each webhook would pay.
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__, campaign_id=campaign_id)
        return found


@dataclass(frozen=True, repr=False)
class TextRow(_Row):
    """A text that a person or the provider wrote: an error, a reason, a file name.

    The field is called `words` because the leaf includes the names of the fields.
    """

    PERSONAL = ("words",)

    id: UUID
    subject_id: UUID
    words: str


@dataclass(frozen=True, repr=False)
class KeyRow(_Row):
    """A secret key for numbers: contacts' ids are derived from a campaign's key.

    The streams of numbers are named with the installation's key.
    """

    PERSONAL = ("key",)

    campaign_id: UUID
    key: bytes


@dataclass(frozen=True, repr=False)
class RejectRow(_Row):
    """A row of a file that was not accepted, unchanged; the header is row 1."""

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
    """Reads the vault; an erased row is treated as missing."""

    def campaign_key(self, campaign_id: UUID) -> bytes | None:
        """Return a campaign's secret key."""

    def contact(self, contact_id: UUID, list_id: UUID) -> ContactRow | None:
        """Return a contact as this list has it."""

    def callee(self, contact_id: UUID, list_id: UUID) -> Callee | None:
        """Return a contact as this list has it, looked up in suppression lists."""

    def words(self, words_id: UUID) -> str | None:
        """Return one text."""

    def words_of(self, words_ids: Collection[UUID]) -> dict[UUID, str]:
        """Return several texts by id; missing ones are left out."""

    def message(self, message_id: UUID) -> MessageRow | None:
        """Return one message."""

    def messages_of(self, subject_id: UUID) -> list[MessageRow]:
        """Return the messages about a subject, ordered by id."""

    def rejects(
        self, list_id: UUID, *, after_row: int = 0, limit: int = 1000
    ) -> list[RejectRow]:
        """Return up to `limit` rejected rows after `after_row`, in file order."""
