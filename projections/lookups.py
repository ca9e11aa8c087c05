"""Implements the application's lookup ports with the read tables and the vault."""

from collections.abc import Collection
from uuid import UUID

from application.vault import Callee, ContactRow, VaultReader
from domain.values import Role
from projections.calls import call_log, dial_queue
from projections.contacts import contact_log
from projections.deliveries import delivery_log
from projections.registers import directory, webhook_endpoints
from storage.database import Pool


class Lookups:
    """Lookups over one pool; each method reads what the read tables show now."""

    def __init__(self, pool: Pool, vault: VaultReader) -> None:
        self._pool, self._vault = pool, vault

    def by_provider_call_id(self, provider_call_id: str) -> UUID | None:
        """Return the id of our call with this provider's id, or None."""
        with self._pool.connection() as conn:
            call = call_log.by_provider_call_id(conn, provider_call_id)
        return call.id if call else None

    def live_calls(self, campaign_id: UUID) -> list[UUID]:
        """Return the ids of the campaign's live calls."""
        with self._pool.connection() as conn:
            return dial_queue.live_calls(conn, campaign_id)

    def campaigns_using(self, assistant_id: UUID) -> int:
        """Return how many unfinished campaigns use the assistant."""
        with self._pool.connection() as conn:
            known = directory.assistant(conn, assistant_id)
        return known.active_campaigns if known else 0

    def admins(self) -> list[str]:
        """Return the addresses of all admins."""
        with self._pool.connection() as conn:
            members = directory.members(conn)
        return [member.email for member in members if member.role is Role.ADMIN]

    def known(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the ids that are contacts of the campaign."""
        with self._pool.connection() as conn:
            return contact_log.known(conn, campaign_id, contact_ids)

    def erased(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the ids whose personal data was erased."""
        with self._pool.connection() as conn:
            return contact_log.erased(conn, campaign_id, contact_ids)

    def callee(self, contact_id: UUID) -> Callee | None:
        """Return the contact, looked up in suppression lists; None as `contact`."""
        with self._pool.connection() as conn:
            contact = contact_log.get(conn, contact_id)
        if contact is None:
            return None
        return self._vault.callee(contact_id, contact.list_id)

    def contact(self, contact_id: UUID) -> ContactRow | None:
        """Return the contact's personal data; None if it is unknown or erased."""
        with self._pool.connection() as conn:
            contact = contact_log.get(conn, contact_id)
        if contact is None:
            return None
        return self._vault.contact(contact_id, contact.list_id)

    def campaign_of(self, contact_id: UUID) -> UUID | None:
        """Return the campaign of an imported contact, also of an erased one."""
        with self._pool.connection() as conn:
            return contact_log.campaign_of(conn, contact_id)

    def count_endpoints(self) -> int:
        """Return the number of webhook endpoints that were not removed."""
        with self._pool.connection() as conn:
            return len(webhook_endpoints.all_endpoints(conn))

    def endpoint_of_delivery(self, delivery_id: UUID) -> UUID | None:
        """Return the endpoint of a recorded webhook delivery, or None."""
        with self._pool.connection() as conn:
            found = delivery_log.get(conn, delivery_id)
        return found.endpoint_id if found else None
