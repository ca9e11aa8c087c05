"""The tables of the vault: rows are inserted with their events, and read by id."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, LiteralString, override
from uuid import UUID

import orjson

from application.vault import (
    Callee,
    ContactRow,
    KeyRow,
    MessageRow,
    RejectRow,
    TextRow,
    VaultReader,
    VaultRow,
)
from domain.numbers.installation import INSTALLATION_ID
from storage.binary import ARRAYS, Packed, copy_into
from storage.database import Conn, Pool, Retry, RetryPolicy


@dataclass(frozen=True)
class _Table:
    """A table; its columns are the fields of the row's class, salt and leaf."""

    name: LiteralString
    keys: tuple[LiteralString, ...]
    types: dict[LiteralString, str]

    def cells(self, row: VaultRow) -> dict[str, Any]:
        """Return the values of a row by column."""
        return {column: getattr(row, column) for column in self.types}

    @cached_property
    def sort_key(self) -> Callable[[VaultRow], Any]:
        """Key of the common order of inserts; integers compare faster than UUIDs."""
        return attrgetter(
            *(f"{key}.int" if self.types[key] == "uuid" else key for key in self.keys)
        )


_END = {"salt": "bytea", "leaf": "bytea"}
_TABLES: dict[type[VaultRow], _Table] = {
    ContactRow: _Table(
        "contact_vault",
        ("contact_id", "list_id"),
        {
            "contact_id": "uuid",
            "list_id": "uuid",
            "campaign_id": "uuid",
            "name": "text",
            "business_name": "text",
            "phone": "text",
            "variables": "json",
            "extension": "text",
            "attributes": "json",
            **_END,
        },
    ),
    MessageRow: _Table(
        "message_vault",
        ("id",),
        {
            "id": "uuid",
            "subject_id": "uuid",
            "campaign_id": "uuid",
            "document": "json",
            "recording_url": "text",
            "transcript": "json",
            "structured_outputs": "json",
            "summary": "text",
            "success_evaluation": "text",
            **_END,
        },
    ),
    TextRow: _Table(
        "words_vault",
        ("id",),
        {"id": "uuid", "subject_id": "uuid", "words": "text", **_END},
    ),
    KeyRow: _Table(
        "key_vault", ("campaign_id",), {"campaign_id": "uuid", "key": "bytea", **_END}
    ),
    RejectRow: _Table(
        "reject_vault",
        ("list_id", "row"),
        {
            "list_id": "uuid",
            "row": "integer",
            "reason": "text",
            "message": "text",
            "cells": "json",
            **_END,
        },
    ),
}

_MESSAGE_TYPES = _TABLES[MessageRow].types
_MESSAGE_ARRAYS = tuple(ARRAYS[kind] for kind in _MESSAGE_TYPES.values())
_message_cells = attrgetter(*_MESSAGE_TYPES)


def as_json(rows: Iterable[VaultRow]) -> str | None:
    """Return rows as JSON for `autolynx_fill_vault`: a list for each table.

    None if there are no rows.
    """
    tables: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        table = _TABLES[type(row)]
        tables[table.name].append(table.cells(row))
    return orjson.dumps(tables, default=_bytea).decode() if tables else None


def messages_and_others(
    rows: Sequence[VaultRow],
) -> tuple[list[MessageRow], Sequence[VaultRow]]:
    """Separate the messages, which are stored by `autolynx_append_messages`.

    No messages are returned if there are rows other than messages and texts: the tables
    are always filled in the same order, to avoid deadlocks.
    """
    messages = [row for row in rows if type(row) is MessageRow]
    texts = [row for row in rows if type(row) is TextRow]
    if len(messages) + len(texts) < len(rows):
        return [], rows
    return messages, texts


def message_columns(rows: Sequence[MessageRow]) -> tuple[Packed, ...]:
    """Encode messages as one array for each column of their table."""
    columns = zip(*map(_message_cells, rows), strict=True)
    return tuple(
        array(column) for array, column in zip(_MESSAGE_ARRAYS, columns, strict=True)
    )


def _bytea(value: bytes) -> str:
    return "\\x" + value.hex()


def copy_rows(connection: Conn, rows: Sequence[VaultRow]) -> None:
    """Insert many rows by COPY, in the order of their keys to avoid deadlocks."""
    for kind, table in _TABLES.items():
        own = sorted((r for r in rows if type(r) is kind), key=table.sort_key)
        if own:
            copy_into(connection, table.name, table.types, own)


def subjects(rows: Iterable[VaultRow]) -> list[UUID]:
    """Return the subjects of messages and texts, which are withheld if erased."""
    return [r.subject_id for r in rows if isinstance(r, (MessageRow, TextRow))]


def _parsed(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


class Vault(VaultReader):
    """Reads the vault; an erased row, which has no salt any more, counts as missing."""

    def __init__(self, pool: Pool, retry_policy: RetryPolicy | None = None) -> None:
        self._pool, self._retry_policy = pool, retry_policy or RetryPolicy()

    @override
    def campaign_key(self, campaign_id: UUID) -> bytes | None:
        rows = self._select(
            "select key from key_vault where campaign_id = %s and salt is not null",
            campaign_id,
        )
        return bytes(rows[0][0]) if rows else None

    def installation_key(self) -> KeyRow | None:
        """Return the row with the installation's key, None if there is none."""
        rows = self._select(
            "select key, salt from key_vault"
            " where campaign_id = %s and salt is not null",
            INSTALLATION_ID,
        )
        if not rows:
            return None
        key, salt = map(bytes, rows[0])
        return KeyRow(salt=salt, campaign_id=INSTALLATION_ID, key=key)

    @override
    def contact(self, contact_id: UUID, list_id: UUID) -> ContactRow | None:
        rows = self._select(_CONTACT, contact_id, list_id)
        return _contact(*rows[0]) if rows else None

    @override
    def callee(self, contact_id: UUID, list_id: UUID) -> Callee | None:
        rows = self._select(_CALLEE, contact_id, list_id)
        if not rows:
            return None
        *person, versions, bits = rows[0]
        listed = dict(zip(versions or (), map(bool, bits or ()), strict=True))
        return Callee(_contact(*person), listed)

    @override
    def words(self, words_id: UUID) -> str | None:
        return self.words_of([words_id]).get(words_id)

    @override
    def words_of(self, words_ids: Collection[UUID]) -> dict[UUID, str]:
        return dict(
            self._select(
                "select id, words from words_vault"
                " where id = any(%s) and salt is not null",
                list(words_ids),
            )
        )

    @override
    def message(self, message_id: UUID) -> MessageRow | None:
        rows = self._select(
            _MESSAGES + " where id = %s and salt is not null",
            message_id,
        )
        return _message(*rows[0]) if rows else None

    @override
    def messages_of(self, subject_id: UUID) -> list[MessageRow]:
        rows = self._select(
            _MESSAGES + " where subject_id = %s and salt is not null order by id",
            subject_id,
        )
        return [_message(*row) for row in rows]

    @override
    def rejects(
        self, list_id: UUID, *, after_row: int = 0, limit: int = 1000
    ) -> list[RejectRow]:
        rows = self._select(
            'select "row", reason, message, cells::text, salt from reject_vault'
            ' where list_id = %s and "row" > %s and salt is not null'
            ' order by "row" limit %s',
            list_id,
            after_row,
            limit,
        )
        return [
            RejectRow(
                list_id=list_id,
                row=row,
                reason=reason,
                message=message,
                cells=tuple(_parsed(cells)),
                salt=salt,
            )
            for row, reason, message, cells, salt in rows
        ]

    def _select(self, statement: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        def work(connection: Conn, _: Retry) -> list[tuple[Any, ...]]:
            cursor = connection.cursor(binary=True)
            return cursor.execute(statement, values, prepare=True).fetchall()

        return self._retry_policy.run(self._pool, work)


_PERSON: LiteralString = """
    v.contact_id, v.list_id, v.campaign_id, v.name, v.business_name, v.phone,
    v.extension, v.variables::text, v.attributes::text, v.salt
"""
_WHICH: LiteralString = (
    "where v.contact_id = %s and v.list_id = %s and v.salt is not null"
)
_CONTACT: LiteralString = f"select {_PERSON} from contact_vault v {_WHICH}"  # noqa: S608 - our own text

# The look-up is part of this query, because one of its own takes another round trip.
# OFFSET 0 keeps the planner from reading the whole table of blocks.
_CALLEE: LiteralString = f"""
    select {_PERSON}, listed.versions, listed.bits
    from contact_vault v
    cross join lateral (
        select array_agg(s.version_id) as versions,
            array_agg(get_bit(b.bits, mod(n.number, 10000)::int)) as bits
        from (select substr(v.phone, 2)::bigint as number) n
        join suppression_version s on s.retired_at is null
        cross join lateral (
            select bits from suppression_block
            where version_id = s.version_id and block_id = n.number / 10000
                and octet_length(bits) = 1250 offset 0
        ) b
    ) listed
    {_WHICH}
"""  # noqa: S608 - our own text

_MESSAGES: LiteralString = """
    select id, subject_id, campaign_id, document::text, recording_url,
        transcript::text, structured_outputs::text, summary, success_evaluation, salt
    from message_vault
"""


def _contact(*cells: Any) -> ContactRow:
    *ids, name, business_name, phone, extension, variables, attributes, salt = cells
    contact_id, list_id, campaign_id = ids
    return ContactRow(
        contact_id=contact_id,
        list_id=list_id,
        campaign_id=campaign_id,
        name=name,
        business_name=business_name,
        phone=phone,
        extension=extension,
        variables=_parsed(variables),
        attributes=_parsed(attributes),
        salt=salt,
    )


def _message(*cells: Any) -> MessageRow:
    message_id, subject_id, campaign_id, document, url, transcript, *rest = cells
    structured_outputs, summary, success_evaluation, salt = rest
    return MessageRow(
        id=message_id,
        subject_id=subject_id,
        campaign_id=campaign_id,
        document=_parsed(document),
        recording_url=url,
        transcript=_parsed(transcript),
        structured_outputs=_parsed(structured_outputs),
        summary=summary,
        success_evaluation=success_evaluation,
        salt=salt,
    )
