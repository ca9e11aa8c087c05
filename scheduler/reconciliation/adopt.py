"""The first work of a new leader: release claims, and adopt calls the log lacks."""

import logging
from collections.abc import Callable, Iterable, Mapping
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
from domain.calls.reports import ReportGrade
from domain.dial_view import Phase, Snapshot
from projections.campaigns.campaign_board import OpenLines
from scheduler.dispatch import BAD_DATA
from scheduler.reconciliation.reconcile import SILENT_LINES
from storage.process.timeline_guard import TimelineGuard

LOOK_BACK = timedelta(minutes=10)
"""How long before the last claim the search for missing calls begins."""

READ_MODEL_DELAY = timedelta(seconds=1)
"""When to try again while the read model is behind the log."""

SEARCHING = (
    "The database may lack the latest calls after a restore or a fail-over:"
    " the provider is searched for them before anybody is called."
)
LAGGING = "The read tables are behind the log: waiting for the projector."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimingBlocked:
    """Why no contact may be claimed on any line.

    `until` is the earliest time at which claiming may be allowed, or None if it depends
    on the provider's next answer.
    """

    message: str
    until: datetime | None = None


class Adoption:
    """Ensures that nobody is called again after a restore or a fail-over.

    A new leader searches the provider for calls that the log lacks, and adopts them.
    The provider may list a call some time after it was made. Therefore, if the database
    may be another one than the last leader's, or if a search has found a missing call,
    no contact is claimed until the searches of a whole quarantine have found no more.

    A line that cannot be listed holds back only its own contacts: it is searched again
    at each run, and the other lines are used meanwhile. If the database may be another
    one, the calls of all lines of the account are searched as well.
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
        """Build it for one process; `begin` starts each term.

        `open_lines` returns the lines of all unfinished campaigns, `position` the last
        position of the log, `quarantine` how long the provider may hide a call.
        """
        self._calls, self._claims, self._provider = calls, claims, provider
        self._open_lines, self._position = open_lines, position
        self._timeline_guard = timeline_guard
        self._now, self._quarantine = now, quarantine
        self._is_settled = self._is_doubtful = self._was_released = False
        self._unsearched: Mapping[str, str] = {}

    @property
    def unsearched(self) -> Mapping[str, str]:
        """The lines that gave no answer yet, with the provider's error for each.

        Nobody may be called from them.
        """
        return self._unsearched

    def begin(self) -> None:
        """Begin a term: nothing is claimed before the lines have been searched."""
        self._is_settled = self._is_released = self._was_released = False
        self._is_doubtful = not self._timeline_guard.is_same_timeline()
        self._begun_at, self._quiet_since = self._position() or 0, self._now()
        self._since: datetime | None = None
        self._unsearched = {}

    def end(self) -> None:
        """End a term whose results are all stored."""
        if self._is_settled:
            self._timeline_guard.leave()

    def run(self, snapshot: Snapshot) -> ClaimingBlocked | None:
        """Search the lines that need it.

        Returns why nothing may be claimed on any line, or None if contacts may be
        claimed on all lines except the `unsearched` ones.
        """
        if self._is_settled:
            return None
        if snapshot.position < self._begun_at:
            return ClaimingBlocked(LAGGING, self._now() + READ_MODEL_DELAY)
        if not self._was_released:
            self._free_idle_claims(snapshot)
        try:
            adopted = self._search(snapshot)
        except (ProviderUnavailable, ProviderRefused) as error:
            return ClaimingBlocked(_text(error))
        return self._settle_or_wait(adopted)

    def _settle_or_wait(self, adopted: int) -> ClaimingBlocked | None:
        """Allow claims on the searched lines, unless more calls may be missing.

        The search is complete when no line is left unsearched. Until then its start
        stays stored, so that the next leader searches those lines from there.
        """
        now = self._now()
        if adopted:
            self._is_doubtful, self._is_released, self._quiet_since = True, False, now
        until = self._quiet_since + self._quarantine()
        if self._is_doubtful and now < until:
            return ClaimingBlocked(SEARCHING, until)
        self._is_settled = not self._unsearched
        if self._is_settled or not self._is_released:
            unfinished = self._since if self._unsearched else None
            self._timeline_guard.lead(search_from=unfinished)
        self._is_released = self._was_released = True
        return None

    def _free_idle_claims(self, snapshot: Snapshot) -> None:
        """Release claims without a request; their leader can no longer use them."""
        for call in snapshot.calls:
            if call.phase is Phase.CLAIMED:
                self._calls.release_claim(call.call_id)

    def _search(self, snapshot: Snapshot) -> int:
        """Adopt the calls that the log lacks; return their number.

        Once claims are allowed, only the lines that gave no answer are searched.
        """
        open_ = self._open_lines()
        if self._since is None:
            self._since = self._search_start(open_)
        if self._since is None:
            return 0
        if self._is_released:
            lines = frozenset(self._unsearched)
        else:
            lines = open_.lines | {call.phone_number_id for call in snapshot.calls}
        found = self._list_lines(lines, self._since)
        if self._is_doubtful and not self._is_released:
            # The log may also lack the change of a campaign to another line.
            found += self._provider.calls(None, since=self._since - LOOK_BACK)
        # Of two calls for one of ours, the older one is adopted.
        rows = {row.provider_call_id: row for row in found}.values()
        in_order = sorted(rows, key=lambda row: row.created_at)
        return sum([self._safely(row) for row in in_order])

    def _list_lines(self, lines: Iterable[str], since: datetime) -> list[ProviderCall]:
        """List the calls of these lines, and store which lines gave no answer.

        A line that the provider refuses needs no search: nobody can be called from it.

        Raises ProviderRefused or ProviderUnavailable if no line was listed although
        none has been before: the cause is then not a line. After SILENT_LINES errors
        the remaining lines are not tried.
        """
        rows: list[ProviderCall] = []
        silent: dict[str, str] = {}
        failure: ProviderRefused | ProviderUnavailable | None = None
        is_any_listed = self._is_released
        for line in sorted(lines):
            try:
                rows += self._provider.calls(line, since=since - LOOK_BACK)
                is_any_listed = True
            except ProviderRefused as error:
                log.warning("line %s cannot be searched: %s", line, error)
                failure = error
            except ProviderUnavailable as error:
                log.warning("line %s gave no answer: %s", line, error)
                failure, silent[line] = error, _text(error)
                if len(silent) >= SILENT_LINES and not is_any_listed:
                    break
        if failure is not None and not is_any_listed:
            raise failure
        self._unsearched = silent
        return rows

    def _search_start(self, open_: OpenLines) -> datetime | None:
        """Return when the search has to begin, or None if nothing was ever claimed.

        The calls that the log lacks were claimed after its last claim. Other events do
        not matter: they may be newer than the lost ones.
        """
        since = self._claims.last_claim_at() or open_.since
        if since is None:
            return None
        return self._timeline_guard.search_from(since, known=not self._is_doubtful)

    def _safely(self, row: ProviderCall) -> bool:
        """Adopt a call; log and ignore one whose data cannot be read."""
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


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
