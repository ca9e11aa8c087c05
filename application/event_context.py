"""Time, ids, random bytes and actors, which services need to create events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.vault import TextRow, digest
from domain.values import VaultText

SCHEDULER = "scheduler"
"""The actor of events that the scheduler causes."""


@dataclass(frozen=True, slots=True)
class EventContext:
    """Sources of time, ids and randomness, set by the composition root.

    `now` returns aware UTC times. `random_bytes` takes the number of bytes.
    `provider_actor` is the actor of events that the provider's messages cause.
    """

    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    random_bytes: Callable[[int], bytes]
    provider_actor: str

    def salt(self) -> bytes:
        """Return a new salt of 32 bytes for one vault row."""
        return self.random_bytes(32)

    def vault_text(self, subject_id: UUID, text: str) -> tuple[VaultText, TextRow]:
        """Return a reference for an event, and the vault row with the text."""
        row = TextRow(
            salt=self.salt(), id=self.new_id(), subject_id=subject_id, words=text
        )
        return VaultText(words_id=row.id, digest=digest([row])), row
