"""Which call at the provider a call is, and second calls that appear under it."""

from datetime import datetime

from domain.calls.call_state import CallState
from domain.calls.events import identity as events
from domain.errors import AnotherProviderCall
from domain.values import ContactStatus, Evidence


class IdentityCommands(CallState):
    """Commands that bind the call to the provider's id, or record another id."""

    def place(
        self,
        *,
        provider_call_id: str,
        placed_at: datetime,
        at: datetime,
        by: str,
        evidence: Evidence | None = None,
    ) -> None:
        """Record the provider's id of the call; a repeat changes nothing.

        `evidence` is the webhook that names the id; None if the provider itself gave it
        when it was asked. Such an id replaces one that only a webhook had named, since
        that may be forged. Raises AnotherProviderCall for any other second id.
        """
        if self.provider_call_id is None:
            self._move(
                events.Placed,
                ContactStatus(self.status) if self.live else self.contact_status,
                at,
                by,
                provider_call_id=provider_call_id,
                placed_at=placed_at,
                ghost=not self.live and not self.ended,
                evidence=evidence,
            )
        elif self.provider_call_id == provider_call_id:
            return
        elif evidence is None and self.bound_by_message:
            self._rebind(self.provider_call_id, provider_call_id, placed_at, at, by)
        else:
            raise AnotherProviderCall(self.id, self.provider_call_id, provider_call_id)

    def rebind(
        self, *, provider_call_id: str, placed_at: datetime, at: datetime, by: str
    ) -> bool:
        """Bind the call to the id that the provider shows; return whether it may be.

        A call whose id the provider itself gave, and not only a webhook, stays bound.
        """
        if not self.bound_by_message:
            return False
        self.place(provider_call_id=provider_call_id, placed_at=placed_at, at=at, by=by)
        return True

    def _rebind(
        self,
        former: str,
        provider_call_id: str,
        placed_at: datetime,
        at: datetime,
        by: str,
    ) -> None:
        """Bind the call to the id that the provider gave; suspect the former one."""
        self._record(
            events.Rebound,
            at,
            by,
            provider_call_id=provider_call_id,
            provider_call_id_was=former,
            placed_at=placed_at,
            ghost=not self.live,
        )
        self.dismiss_duplicate(provider_call_id=provider_call_id, at=at, by=by)
        self._record(events.DuplicateSuspected, at, by, provider_call_id=former)

    # --- A second call at the provider ----------------------------------------

    def suspect_duplicate(
        self, *, provider_call_id: str, at: datetime, by: str
    ) -> None:
        """Record that a webhook names this call with another provider id.

        One message proves nothing: the provider is asked before all dialling stops.
        """
        known = self.other_provider_call_ids | self.suspected_provider_call_ids
        if provider_call_id not in known:
            fields = {"provider_call_id": provider_call_id}
            self._record(events.DuplicateSuspected, at, by, **fields)

    def dismiss_duplicate(
        self, *, provider_call_id: str, at: datetime, by: str
    ) -> None:
        """Drop a suspicion that the provider did not confirm."""
        if provider_call_id in self.suspected_provider_call_ids:
            fields = {"provider_call_id": provider_call_id}
            self._record(events.DuplicateDismissed, at, by, **fields)

    def detect_duplicate(self, *, provider_call_id: str, at: datetime, by: str) -> None:
        """Record a second call that the provider itself shows under this one."""
        if provider_call_id not in self.other_provider_call_ids:
            fields = {"provider_call_id": provider_call_id}
            self._record(events.DuplicateDetected, at, by, **fields)
