"""Recording, transcript and analysis of a call, from the vault."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from projections.tables.queries import select
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Recording:
    """Recording, transcript and analysis from the best report of a call.

    `transcript` is the list of the provider's messages as received, or a text.
    `structured_outputs` are the results of the analysis by name.
    """

    message_id: UUID
    recording_url: str | None
    transcript: Any | None
    structured_outputs: dict[str, Any] | None
    summary: str | None


_RECORDINGS: LiteralString = """
    select id as message_id, recording_url, transcript, structured_outputs, summary
    from message_vault where id = any(%(ids)s) and salt is not null
"""


def of_messages(conn: Conn, message_ids: Collection[UUID]) -> dict[UUID, Recording]:
    """Return the recordings by the ids of their reports, without erased ones."""
    found = select(conn, Recording, _RECORDINGS, ids=list(message_ids))
    return {recording.message_id: recording for recording in found}
