"""The ports to the read model, which may lag behind the log."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from application.vault import Callee, ContactRow


class CallLookup(Protocol):
    """Finds calls in the read model, which may lag behind the log."""

    def by_provider_call_id(self, provider_call_id: str) -> UUID | None:
        """Return the id of our call that has this id at the provider."""

    def live_calls(self, campaign_id: UUID) -> list[UUID]:
        """Return the ids of a campaign's live calls."""


class ContactLookup(Protocol):
    """Finds contacts in the read model, which may lag behind the log."""

    def known(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the contacts that are in the campaign."""

    def erased(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the contacts that were erased."""

    def callee(self, contact_id: UUID) -> Callee | None:
        """Return a contact, looked up in suppression lists; None as `contact`."""

    def contact(self, contact_id: UUID) -> ContactRow | None:
        """Return a contact's personal data, None if it is unknown or erased."""


class ReadModel(Protocol):
    """The read tables as a whole."""

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds; return whether they include `position`."""
