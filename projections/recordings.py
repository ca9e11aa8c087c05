"""What the best report of a call left in the vault: its recording and transcript."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from projections.tables.queries import select
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Recording:
    """`transcript` is the provider's messages as received."""

    message_id: UUID
    recording_url: str | None
    transcript: Any | None


_RECORDINGS: LiteralString = """
    select id as message_id, recording_url, transcript
    from message_vault where id = any(%(ids)s) and salt is not null
"""


def of_messages(conn: Conn, message_ids: Collection[UUID]) -> dict[UUID, Recording]:
    """Read them by the reports' message ids; an erased one is missing."""
    found = select(conn, Recording, _RECORDINGS, ids=list(message_ids))
    return {recording.message_id: recording for recording in found}
