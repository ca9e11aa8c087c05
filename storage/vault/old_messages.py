"""Statements that empty messages in the vault; their leaves remain as proof."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from storage.database import Conn

EMPTY: LiteralString = """
    update message_vault set document = null, recording_url = null, transcript = null,
        structured_outputs = null, summary = null, success_evaluation = null,
        salt = null
    where salt is not null
"""
OF_SUBJECTS: LiteralString = " and subject_id = any(%(subjects)s)"

_OF_ERASED: LiteralString = """
    and id in (
        select m.id from erased_subject join message_vault m using (subject_id)
        where m.salt is not null
    )
"""
_ADD_ERASED: LiteralString = """
    insert into erased_subject
    select unnest(%(subjects)s::uuid[]) on conflict do nothing
"""
_READ_POSITION: LiteralString = "select up_to from retention_mark where id = 1"
_WRITE_POSITION: LiteralString = """
    insert into retention_mark (id, up_to) values (1, %s)
    on conflict (id) do update set up_to = excluded.up_to
"""


def empty(conn: Conn, subject_ids: Sequence[UUID]) -> int:
    """Empty the messages about these subjects; return how many had content."""
    values = {"subjects": list(subject_ids)}
    return conn.execute(EMPTY + OF_SUBJECTS, values).rowcount


def empty_erased(conn: Conn) -> int:
    """Empty the messages about all erased subjects; return how many had content."""
    return conn.execute(EMPTY + _OF_ERASED).rowcount


def add_erased(conn: Conn, subject_ids: Sequence[UUID]) -> None:
    """Mark subjects as erased: later messages about them are stored empty."""
    conn.execute(_ADD_ERASED, {"subjects": list(subject_ids)})


def read_retention_position(conn: Conn) -> int:
    """Return the position up to which the retention has emptied messages, or 0."""
    row = conn.execute(_READ_POSITION).fetchone()
    return 0 if row is None else int(row[0])


def write_retention_position(conn: Conn, up_to: int) -> None:
    """Store the position up to which the retention has emptied messages."""
    conn.execute(_WRITE_POSITION, (up_to,))
