"""What a new leader does first: frees idle claims, takes over calls the log lacks."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from application.calls import CallService
from application.claims import ClaimService
from application.ports import (
    Provider,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.call import ReportGrade
from projections.dial_queue import Phase, Snapshot
from scheduler.dispatch import BAD_DATA

LOOK_BACK = timedelta(minutes=10)
"""How long before the last event a line is searched for calls that the log lacks."""

log = logging.getLogger(__name__)


class Adoption:
    """A restored or failed-over database must not call people again."""

    def __init__(
        self,
        *,
        calls: CallService,
        claims: ClaimService,
        provider: Provider,
        last_event_at: Callable[[], datetime | None],
    ) -> None:
        self._calls, self._claims, self._provider = calls, claims, provider
        self._last_event_at = last_event_at
        self._since: datetime | None = None
        self._done = False

    def begin(self) -> None:
        """Start a term: nothing is claimed before every line was searched."""
        self._done, self._since = False, self._last_event_at()

    def run(self, snapshot: Snapshot) -> str | None:
        """Search once a term; return why nothing may be claimed yet, if so."""
        if self._done:
            return None
        self._free_idle_claims(snapshot)
        try:
            self._search(snapshot)
        except (ProviderUnavailable, ProviderRefused) as error:
            return str(error) or type(error).__name__
        self._done = True
        return None

    def _free_idle_claims(self, snapshot: Snapshot) -> None:
        """Nobody was rung; the append fences whoever claimed them."""
        for call in snapshot.calls:
            if call.phase is Phase.CLAIMED:
                self._calls.give_back(call.call_id)

    def _search(self, snapshot: Snapshot) -> None:
        if self._since is None:
            return
        lines = {view.phone_number_id for view in snapshot.campaigns}
        lines |= {call.phone_number_id for call in snapshot.calls}
        for line in sorted(lines):
            rows = self._provider.calls(line, since=self._since - LOOK_BACK)
            for row in sorted(rows, key=lambda row: row.created_at):
                self._safely(row)  # The first of two is the one that counts.

    def _safely(self, row: ProviderCall) -> None:
        """A call that cannot be read cannot be claimed either: it bars nothing."""
        try:
            self._adopt(row)
        except BAD_DATA:
            log.exception("call %s cannot be taken over", row.call_id)

    def _adopt(self, row: ProviderCall) -> None:
        if row.call_id is None or row.origin is None:
            return
        if self._claims.adopt(row.call_id, row.origin):
            log.warning("call %s was unknown here: taken over", row.call_id)
        if self._claims.knows(row.call_id):
            self._calls.look(row.call_id, row, grade=ReportGrade.NONE)
