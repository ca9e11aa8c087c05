"""Checks suspected duplicates: second calls that only a webhook has mentioned."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from application.calls.call_service import CallService
from application.ports import (
    Provider,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.dial_view import SuspectedDuplicate

MOST_CHECKS = 10
"""Suspicions checked in one pass; each costs two requests."""

log = logging.getLogger(__name__)


class DuplicateCheck:
    """Confirms or dismisses suspected duplicates by asking for both provider ids."""

    def __init__(
        self,
        *,
        calls: CallService,
        provider: Provider,
        quarantine: Callable[[], timedelta],
    ) -> None:
        """`quarantine` is how long the provider may hide a call that it has."""
        self._calls, self._provider = calls, provider
        self._quarantine = quarantine

    def run(self, suspected: Iterable[SuspectedDuplicate], *, now: datetime) -> None:
        """Check each suspicion; keep those that the provider cannot settle yet.

        Two calls that the provider shows under one of ours are recorded as a duplicate,
        which stops all dialling, and the newer one is hung up. If the provider shows
        the other call only, a webhook named the wrong id, and our call is bound to the
        other one. A suspicion is dismissed once the provider has not shown both calls
        for longer than the quarantine.
        """
        for one in list(suspected)[:MOST_CHECKS]:
            try:
                self._check(one, now)
            except (ProviderUnavailable, ProviderRefused) as error:
                log.warning(
                    "cannot ask for a second call of call %s: %s", one.call_id, error
                )

    def _check(self, one: SuspectedDuplicate, now: datetime) -> None:
        bound = self._shown(one, one.bound_provider_call_id)
        other = self._shown(one, one.other_provider_call_id)
        if bound is not None and other is not None:
            self._calls.confirm_duplicate(one.call_id, one.other_provider_call_id)
            newer = max(bound, other, key=lambda call: call.created_at)
            if not newer.ended:
                self._provider.hang_up(newer.provider_call_id)
            return
        if bound is None and other is not None:
            self._calls.rebind(
                one.call_id,
                provider_call_id=other.provider_call_id,
                placed_at=other.created_at,
            )
        if now - one.suspected_at > self._quarantine():
            self._calls.dismiss_duplicate(one.call_id, one.other_provider_call_id)

    def _shown(
        self, one: SuspectedDuplicate, provider_call_id: str | None
    ) -> ProviderCall | None:
        """Return the provider's call of that id if it names our call."""
        if provider_call_id is None:
            return None
        seen = self._provider.call(provider_call_id)
        if seen is None or seen.provider_call_id != provider_call_id:
            return None
        return seen if seen.call_id == one.call_id else None
