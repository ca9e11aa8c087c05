"""What a new leader does first: frees idle claims, takes over calls the log lacks."""

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
"""How long before the last claim a line is searched for calls that the log lacks."""

SOON = timedelta(seconds=1)
"""When to look again for what takes no time of its own."""

SEARCHING = (
    "The database may lack the latest calls, after a restore or a fail-over:"
    " they are looked for at the provider before anybody is called."
)
LAGGING = "What is shown is behind what is stored: waiting for the projector."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimingBlocked:
    """Why nothing may be claimed yet; `until` where it only takes time."""

    words: str
    until: datetime | None = None


class Adoption:
    """A restored or failed-over database must not call people again.

    The provider may list a call some time after it was made. So where the database may
    not be the one that was led last, or where a search found a call that the log
    lacks, nothing is claimed before the searches of a whole quarantine found none.
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
        """Start a term: nothing is claimed before every line was searched."""
        self._is_settled = False
        self._is_doubtful = not self._timeline_guard.is_same_timeline()
        self._begun_at, self._quiet_since = self._position() or 0, self._now()
        self._since: datetime | None = None

    def end(self) -> None:
        """Leave in peace: all that was done in this term is stored."""
        if self._is_settled:
            self._timeline_guard.leave()

    def run(self, snapshot: Snapshot) -> ClaimingBlocked | None:
        """Search, once a term or until it is enough; say why that is not yet so."""
        if self._is_settled:
            return None
        if snapshot.position < self._begun_at:
            return ClaimingBlocked(LAGGING, self._now() + SOON)
        self._free_idle_claims(snapshot)
        try:
            adopted = self._search(snapshot)
        except (ProviderUnavailable, ProviderRefused) as error:
            return ClaimingBlocked(str(error) or type(error).__name__)
        return self._judge(adopted)

    def _judge(self, adopted: int) -> ClaimingBlocked | None:
        """Settle, unless there may be more to find."""
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
        """Nobody was rung; the append fences whoever claimed them."""
        for call in snapshot.calls:
            if call.phase is Phase.CLAIMED:
                self._calls.release_claim(call.call_id)

    def _search(self, snapshot: Snapshot) -> int:
        """Take over what the log lacks; return how many calls that were."""
        open_ = self._open_lines()
        if self._since is None:
            self._since = self._from(open_)
        if self._since is None:
            return 0
        lines = open_.lines | {call.phone_number_id for call in snapshot.calls}
        # The first of two is the one that counts.
        rows = sorted(self._listed(lines, self._since), key=lambda row: row.created_at)
        return sum([self._safely(row) for row in rows])

    def _listed(self, lines: Iterable[str], since: datetime) -> Iterator[ProviderCall]:
        """List these lines, but for those that the provider does not know.

        Nobody can be called from such a line; where none is known it is no line's
        fault, and ProviderRefused is raised.
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
        """Whatever the log lacks was claimed after the last claim that it has.

        Other events say nothing of that: they may be newer than what was lost.
        """
        since = self._claims.last_claim_at() or open_.since
        if since is None:
            return None
        return self._timeline_guard.search_from(since, known=not self._is_doubtful)

    def _safely(self, row: ProviderCall) -> bool:
        """A call that cannot be read cannot be claimed either: it bars nothing."""
        try:
            return self._adopt(row)
        except BAD_DATA:
            log.exception("call %s cannot be taken over", row.call_id)
            return False

    def _adopt(self, row: ProviderCall) -> bool:
        """Tell whether the provider has a call here that the log did not have."""
        if row.call_id is None or row.origin is None:
            return False
        is_new = self._claims.adopt(row.call_id, row.origin)
        if is_new:
            log.warning("call %s was unknown here: taken over", row.call_id)
        if is_new or self._claims.knows(row.call_id):
            self._calls.record_lookup(row.call_id, row, grade=ReportGrade.NONE)
        return is_new
