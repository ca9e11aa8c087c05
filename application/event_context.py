"""What services write with: the clock, the dice, vault rows for words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.vault import TextRow, digest
from domain.values import VaultText

# Who did it, where no person did.
SCHEDULER, PROVIDER = "scheduler", "vapi"


@dataclass(frozen=True, slots=True)
class EventContext:
    """Time, identity and randomness, given by the composition root."""

    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    random_bytes: Callable[[int], bytes]

    def salt(self) -> bytes:
        return self.random_bytes(32)

    def vault_text(self, subject_id: UUID, text: str) -> tuple[VaultText, TextRow]:
        """Put words into the vault; the event keeps their id and digest."""
        row = TextRow(
            salt=self.salt(), id=self.new_id(), subject_id=subject_id, words=text
        )
        return VaultText(words_id=row.id, digest=digest([row])), row
