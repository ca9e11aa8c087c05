"""Checks the rows of the vault against the digests in the events.

A row may be empty if its subject was erased, if the retention removed it, or if
`erased_row` records that it contained data of an erased person.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple

import orjson

from application.vault import (
    ContactRow,
    KeyRow,
    MessageRow,
    RejectRow,
    TextRow,
    VaultRow,
)
from storage.database import Conn

type Key = tuple[Any, ...]

EMPTIED = "is empty, and no erasure or retention explains it"


@dataclass(frozen=True, slots=True)
class Proof:
    """An event's reference to vault rows: their keys, and the digest of their leaves.

    `kind` is the class of the rows; `position` and `topic` are those of the event.
    """

    position: int
    topic: str
    kind: type[VaultRow]
    keys: Sequence[Key]
    digest: str


class _Kind(NamedTuple):
    """How a kind of row is read.

    `name` appears in messages. `columns` are those of `query`: the key, the leaf,
    whether the row may be empty, and the content. `documents` are columns with JSON.
    """

    name: str
    query: LiteralString
    columns: tuple[str, ...]
    documents: frozenset[str] = frozenset()


_OF_THE_ERASED: LiteralString = """
    exists (select from erased_subject e where e.subject_id = v.subject_id)
"""
_OF_RETENTION: LiteralString = """
    exists (
        select from autolynx_events first join retention_mark on true
        where first.originator_id = v.subject_id and first.originator_version = 1
            and first.notification_id <= retention_mark.up_to
    )
"""


_KINDS: dict[type[VaultRow], _Kind] = {
    ContactRow: _Kind(
        "contact",
        """
        select contact_id, list_id, leaf, salt is null and exists (
                select from autolynx_events e where e.originator_id = contact_id
                    and e.topic = 'contact.erased'
            ),
            salt, campaign_id, name, business_name, phone, extension, variables::text,
            attributes::text
        from contact_vault
        join unnest(%s::uuid[], %s::uuid[]) as wanted (contact_id, list_id)
            using (contact_id, list_id)
        """,
        (
            *("contact_id", "list_id", "leaf", "accounted_for", "salt", "campaign_id"),
            *("name", "business_name", "phone", "extension", "variables", "attributes"),
        ),
        frozenset({"variables", "attributes"}),
    ),
    MessageRow: _Kind(
        "message",
        f"""
        select id, leaf, salt is null and (
                {_OF_THE_ERASED} or {_OF_RETENTION} or exists (
                    select from erased_row e where e.kind = 'message' and e.id = v.id
                )
            ),
            salt, subject_id, campaign_id, document::text, recording_url,
            transcript::text, structured_outputs::text, summary, success_evaluation
        from message_vault v where id = any(%s)
        """,  # noqa: S608 - our own statement
        (
            *("id", "leaf", "accounted_for", "salt", "subject_id", "campaign_id"),
            *("document", "recording_url", "transcript", "structured_outputs"),
            *("summary", "success_evaluation"),
        ),
        frozenset({"document", "transcript", "structured_outputs"}),
    ),
    TextRow: _Kind(
        "text",
        f"""
        select id, leaf, salt is null and (
                {_OF_THE_ERASED} or exists (
                    select from erased_row e where e.kind = 'words' and e.id = v.id
                )
            ),
            salt, subject_id, words
        from words_vault v where id = any(%s)
        """,  # noqa: S608 - our own statement
        ("id", "leaf", "accounted_for", "salt", "subject_id", "words"),
    ),
    KeyRow: _Kind(
        "key",
        """
        select campaign_id, leaf, false, salt, key
        from key_vault where campaign_id = any(%s)
        """,
        ("campaign_id", "leaf", "accounted_for", "salt", "key"),
    ),
    RejectRow: _Kind(
        "skipped row",
        """
        select list_id, "row", leaf, salt is null and exists (
                select from erased_row e where e.kind = 'reject'
                    and e.id = list_id and e."row" = v."row"
            ),
            salt, reason, message, cells::text
        from reject_vault v
        join unnest(%s::uuid[], %s::int[]) as wanted (list_id, "row")
            using (list_id, "row")
        """,
        (
            *("list_id", "row", "leaf", "accounted_for", "salt"),
            *("reason", "message", "cells"),
        ),
        frozenset({"cells"}),
    ),
}


def faults(conn: Conn, proofs: Iterable[Proof]) -> Iterator[tuple[int, str]]:
    """Yield the position of an event and a message for each missing or changed row.

    Of an erased row, which has no salt any more, only the leaf is checked.
    """
    by_kind: defaultdict[type[VaultRow], list[Proof]] = defaultdict(list)
    for proof in proofs:
        by_kind[proof.kind].append(proof)
    for kind, of_kind in by_kind.items():
        stored = _stored(conn, kind, [key for proof in of_kind for key in proof.keys])
        for proof in of_kind:
            for message in _faults(proof, stored):
                yield proof.position, message


class _Stored(NamedTuple):
    """A row's leaf, and its `fault` if its content does not fit the leaf."""

    leaf: bytes
    fault: str | None


def _stored(
    conn: Conn, kind: type[VaultRow], keys: Sequence[Key]
) -> dict[Key, _Stored]:
    if not keys:
        return {}
    columns = [list(column) for column in zip(*keys, strict=True)]
    query, size = _KINDS[kind].query, len(columns)
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(query, columns)
        return {row[:size]: _of_row(kind, row) for row in rows}


def _of_row(kind: type[VaultRow], row: Sequence[Any]) -> _Stored:
    named = dict(zip(_KINDS[kind].columns, row, strict=True))
    leaf, accounted_for = named.pop("leaf"), named.pop("accounted_for")
    if named["salt"] is None:
        empty = all(named[name] is None for name in kind.PERSONAL)
        return _Stored(leaf, None if empty and accounted_for else EMPTIED)
    for name in _KINDS[kind].documents:
        named[name] = None if named[name] is None else orjson.loads(named[name])
    made: Any = kind
    return _Stored(leaf, None if made(**named).leaf == leaf else "was changed")


def _faults(proof: Proof, stored: dict[Key, _Stored]) -> Iterator[str]:
    of = f"of event {proof.position} ({proof.topic})"
    name = _KINDS[proof.kind].name
    found: list[str] = []
    for key in proof.keys:
        row = stored.get(key)
        fault = "is missing in the vault" if row is None else row.fault
        if fault:
            found.append(f"The {name} {_shown(key)} {of} {fault}.")
    yield from found
    if not found:
        leaves = b"".join(stored[key].leaf for key in proof.keys)
        if sha256(leaves).hexdigest() != proof.digest:
            yield f"The {name} {_shown(proof.keys[0])} {of} does not match its digest."


def _shown(key: Key) -> str:
    return " ".join(map(str, key))
