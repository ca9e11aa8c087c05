"""First work of a new leader: release idle claims, adopt calls that the log lacks."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.calls.call_service import CallService
from application.calls.claims import ClaimService
from application.ports import (
    Provider,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.dial_view import Phase, Snapshot
from domain.reports import ReportGrade
from projections.campaign_board import OpenLines
from scheduler.dispatch import BAD_DATA
from storage.process.timeline_guard import TimelineGuard

LOOK_BACK = timedelta(minutes=10)
"""How long before the last claim the search for calls that the log lacks begins."""

SOON = timedelta(seconds=1)
"""When to try again while the read model lags."""

SEARCHING = (
    "The database may lack the latest calls, after a restore or a fail-over:"
    " the provider is searched for them before anybody is called."
)
LAGGING = "The read tables are behind the log: waiting for the projector."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimingBlocked:
    """Why nothing may be claimed yet; `until` is known if only time has to pass."""

    words: str
    until: datetime | None = None


class Adoption:
    """Ensures that nobody is called again after a restore or a fail-over.

    The provider may list a call some time after it was made. If the database may not
    be the one of the last leader, or if a search has found a call that the log lacks,
    nothing is claimed until the searches of a whole quarantine have found no such call.
    """

    def __init__(
        self,
        *,
        calls: CallService,
        claims: ClaimService,
        provider: Provider,
        open_lines: Callable[[], OpenLines],
        position: Callable[[], int | None],
        timeline_guard: TimelineGuard,
        now: Callable[[], datetime],
        quarantine: Callable[[], timedelta],
    ) -> None:
        self._calls, self._claims, self._provider = calls, claims, provider
        self._open_lines, self._position = open_lines, position
        self._timeline_guard = timeline_guard
        self._now, self._quarantine = now, quarantine
        self._is_settled = self._is_doubtful = False

    def begin(self) -> None:
        """Begin a term: nothing is claimed before every line has been searched."""
        self._is_settled = False
        self._is_doubtful = not self._timeline_guard.is_same_timeline()
        self._begun_at, self._quiet_since = self._position() or 0, self._now()
        self._since: datetime | None = None

    def end(self) -> None:
        """End a term whose results are all stored."""
        if self._is_settled:
            self._timeline_guard.leave()

    def run(self, snapshot: Snapshot) -> ClaimingBlocked | None:
        """Search if that is still needed; return why nothing may be claimed yet."""
        if self._is_settled:
            return None
        if snapshot.position < self._begun_at:
            return ClaimingBlocked(LAGGING, self._now() + SOON)
        self._free_idle_claims(snapshot)
        try:
            adopted = self._search(snapshot)
        except (ProviderUnavailable, ProviderRefused) as error:
            return ClaimingBlocked(str(error) or type(error).__name__)
        return self._settle_or_wait(adopted)

    def _settle_or_wait(self, adopted: int) -> ClaimingBlocked | None:
        """End the search, unless there may be more calls to find."""
        now = self._now()
        if adopted:
            self._is_doubtful, self._quiet_since = True, now
        until = self._quiet_since + self._quarantine()
        if self._is_doubtful and now < until:
            return ClaimingBlocked(SEARCHING, until)
        self._timeline_guard.lead()
        self._is_settled = True
        return None

    def _free_idle_claims(self, snapshot: Snapshot) -> None:
        """Release claims without a request; their leader can no longer use them."""
        for call in snapshot.calls:
            if call.phase is Phase.CLAIMED:
                self._calls.release_claim(call.call_id)

    def _search(self, snapshot: Snapshot) -> int:
        """Adopt the calls that the log lacks; return their number."""
        open_ = self._open_lines()
        if self._since is None:
            self._since = self._from(open_)
        if self._since is None:
            return 0
        lines = open_.lines | {call.phone_number_id for call in snapshot.calls}
        # Of two calls for one of ours, the older one is adopted.
        rows = sorted(self._listed(lines, self._since), key=lambda row: row.created_at)
        return sum([self._safely(row) for row in rows])

    def _listed(self, lines: Iterable[str], since: datetime) -> Iterator[ProviderCall]:
        """List the calls of these lines, except of lines that the provider refuses.

        Nobody can be called from such a line. Raises ProviderRefused if the provider
        refuses all lines: the cause is then not a line.
        """
        refusal, answers = None, 0
        for line in lines:
            try:
                yield from self._provider.calls(line, since=since - LOOK_BACK)
                answers += 1
            except ProviderRefused as error:
                log.warning("line %s cannot be searched: %s", line, error)
                refusal = error
        if refusal is not None and not answers:
            raise refusal

    def _from(self, open_: OpenLines) -> datetime | None:
        """Return when the search has to begin, None if nothing was ever claimed.

        Calls that the log lacks were claimed after its last claim. Other events do not
        matter: they may be newer than the lost ones.
        """
        since = self._claims.last_claim_at() or open_.since
        if since is None:
            return None
        return self._timeline_guard.search_from(since, known=not self._is_doubtful)

    def _safely(self, row: ProviderCall) -> bool:
        """Adopt a call; log one whose data cannot be read, and ignore it."""
        try:
            return self._adopt(row)
        except BAD_DATA:
            log.exception("call %s cannot be adopted", row.call_id)
            return False

    def _adopt(self, row: ProviderCall) -> bool:
        """Adopt the call if the log lacks it; return whether it did."""
        if row.call_id is None or row.origin is None:
            return False
        is_new = self._claims.adopt(row.call_id, row.origin)
        if is_new:
            log.warning("call %s was missing in the log: adopted", row.call_id)
        if is_new or self._claims.knows(row.call_id):
            self._calls.record_lookup(row.call_id, row, grade=ReportGrade.NONE)
        return is_new
