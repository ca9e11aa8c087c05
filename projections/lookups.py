"""The read model as the application's ports ask it."""

from collections.abc import Collection
from uuid import UUID

from application.vault import ContactRow, VaultReader
from projections import call_log, contact_log, dial_queue
from storage.database import Pool


class Lookups:
    """Answers CallFinder and ContactBook from the read tables and the vault."""

    def __init__(self, pool: Pool, vault: VaultReader) -> None:
        self._pool, self._vault = pool, vault

    def by_provider_call_id(self, provider_call_id: str) -> UUID | None:
        with self._pool.connection() as conn:
            call = call_log.by_provider_call_id(conn, provider_call_id)
        return call.id if call else None

    def live_calls(self, campaign_id: UUID) -> list[UUID]:
        with self._pool.connection() as conn:
            return dial_queue.live_calls(conn, campaign_id)

    def known(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        with self._pool.connection() as conn:
            return contact_log.known(conn, campaign_id, contact_ids)

    def contact(self, contact_id: UUID) -> ContactRow | None:
        with self._pool.connection() as conn:
            contact = contact_log.get(conn, contact_id)
        if contact is None:
            return None
        return self._vault.contact(contact_id, contact.list_id)
