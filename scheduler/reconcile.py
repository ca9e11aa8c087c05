"""What the provider shows, held against what we believe: one list request a line."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from psycopg import InterfaceError, OperationalError

from application.calls.call_service import CallService
from application.errors import StoreUnavailable
from application.ports import (
    CallPhase,
    Provider,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.dial_view import GHOST_GRACE, CampaignView, OpenCall, Phase, Snapshot
from domain.reports import ReportGrade
from domain.states import LIVE, MAY_DIAL
from domain.values import ZERO, CallStatus
from scheduler.costs import expected_cost, expected_of
from scheduler.duplicates import DuplicateCheck

LOOK_BACK = timedelta(minutes=10)
"""How long before our oldest open call a line's list begins."""

QUIET_LOOK_BACK = timedelta(hours=1)
"""How far back a line is searched for calls that are not ours."""

LOOK_UPS = 3
"""Look-ups in which a call must be absent before it counts as not placed."""

PATIENCE = 3
"""Times the look-up interval, or the largest delay seen, before that."""

SILENT_LINES = 2
"""Lines without an answer, and none with one, after which the provider is down."""

SINGLE_ASKS = 20
"""Calls asked for by id in one pass, at most."""

FAILED_ASK = 5
"""What a question without an answer costs of them."""

LONGEST_QUEUED = timedelta(hours=1)
"""How long a call may stay queued at the provider before it is hung up."""

NO_ANSWER = (ProviderUnavailable, ProviderRefused)
AWAY = (StoreUnavailable, OperationalError, InterfaceError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at the provider showed.

    `lines` are those that it was asked for. `down` says why none could be looked at;
    `lines_down` why these lines alone could not, while others could.
    """

    lines: frozenset[str] = frozenset()
    busy_lines: frozenset[str] = frozenset()
    down: str | None = None
    lines_down: Mapping[str, str] = field(default_factory=dict)


class Reconcile:
    """Keeps in memory only what may be counted anew by whoever leads next."""

    def __init__(
        self,
        *,
        calls: CallService,
        provider: Provider,
        is_under_way: Callable[[UUID], bool],
        interval: timedelta,
        time_out: timedelta,
        ghost_grace: timedelta = GHOST_GRACE,
        longest_queued: timedelta = LONGEST_QUEUED,
        largest_delay: timedelta = timedelta(0),
        keep_delay: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        self._calls, self._provider = calls, provider
        self._is_under_way = is_under_way
        self._interval, self._time_out = interval, time_out
        self._ghost_grace, self._longest_queued = ghost_grace, longest_queued
        self._absent: defaultdict[UUID, list[datetime]] = defaultdict(list)
        self._missing: dict[UUID, timedelta] = {}
        self._largest_delay, self._keep_delay = largest_delay, keep_delay
        self._duplicates = DuplicateCheck(
            calls=calls, provider=provider, quarantine=self.quarantine
        )

    def run(self, snapshot: Snapshot, *, now: datetime, silence: timedelta) -> Findings:
        """Look at every line that we have open calls on, or are about to call from.

        While the provider cannot be asked nothing is timed out or given up.
        """
        by_line = defaultdict(list)
        for call in snapshot.calls:
            by_line[call.phone_number_id].append(call)
        lines = frozenset(by_line.keys() | dialled_lines(snapshot))
        asks = _Asks(snapshot, now, silence, SINGLE_ASKS)
        try:
            findings = self._look(lines, by_line, asks)
            if findings.down is None:
                self._duplicates.run(snapshot.suspected, now=now)
            return findings
        finally:
            self._forget(snapshot.calls)

    def _look(
        self,
        lines: frozenset[str],
        by_line: Mapping[str, list[OpenCall]],
        asks: "_Asks",
    ) -> Findings:
        """Look at each line; trouble on one of them leaves the others alone.

        Where the first lines give no answer at all the provider itself is down.
        """
        busy: set[str] = set()
        down: dict[str, str] = {}
        for tried, line in enumerate(sorted(lines), 1):
            try:
                if self._line(line, by_line.get(line, []), asks):
                    busy.add(line)
            except NO_ANSWER as error:
                down[line] = str(error) or type(error).__name__
                log.warning("line %s cannot be looked at: %s", line, down[line])
                if len(down) == tried >= min(SILENT_LINES, len(lines)):
                    return Findings(lines, down=down[line])
        for line in down:
            for call in by_line.get(line, []):
                self._safely(call, [], asks, self._follow_up)
        return Findings(lines, frozenset(busy | down.keys()), lines_down=down)

    def busy(self, lines: Iterable[str], *, now: datetime) -> set[str]:
        """Tell which lines have a live call, ours or not, or do not say."""
        return {line for line in lines if self._is_busy(line, now)}

    def _is_busy(self, line: str, now: datetime) -> bool:
        try:
            shown = self._provider.calls(line, since=now - QUIET_LOOK_BACK)
        except NO_ANSWER as error:
            log.warning("line %s cannot be looked at: %s", line, error)
            return True
        return any(not row.ended for row in shown)

    def _line(self, line: str, calls: list[OpenCall], asks: "_Asks") -> bool:
        """Compare one line; return whether the provider may have a live call on it."""
        since = _since(calls, asks.now)
        try:
            shown, refused = self._provider.calls(line, since=since), False
        except ProviderRefused as error:
            # It is deleted, say. Its calls are looked for among those of all lines.
            log.warning("line %s is not known to the provider: %s", line, error)
            shown, refused = (
                self._provider.calls(None, since=since) if calls else [],
                True,
            )
        rows = _Rows(shown)
        # Ghosts come last: the other calls must not wait for their answers.
        for call in sorted(calls, key=lambda call: call.phase is Phase.GHOST):
            self._safely(call, rows.of(call), asks, self._compare)
        return refused or any(not row.ended for row in shown)

    def _safely(
        self,
        call: OpenCall,
        found: list[ProviderCall],
        asks: "_Asks",
        work: Callable[[OpenCall, list[ProviderCall], "_Asks"], None],
    ) -> None:
        """Work on one call; an error there must not keep the others from their turn."""
        try:
            work(call, found, asks)
        except NO_ANSWER as error:
            log.warning("call %s cannot be asked for: %s", call.call_id, error)
            asks.fail()
        except AWAY:
            raise
        except Exception:
            log.exception("call %s cannot be compared", call.call_id)

    def _compare(
        self, call: OpenCall, found: list[ProviderCall], asks: "_Asks"
    ) -> None:
        self._measure_delay(call, found, asks.now)
        for row in found:
            self._shown(call, row)
        if not found:
            self._not_shown(call, asks)
        self._end_second_calls(found)
        self._follow_up(call, found, asks)

    # --- Shown ----------------------------------------------------------------------

    def _shown(self, call: OpenCall, row: ProviderCall) -> None:
        bound_to_other = call.provider_call_id not in (None, row.provider_call_id)
        if bound_to_other or call.provider_call_id is None or _is_news(call, row):
            final = _is_final(row)
            grade = ReportGrade.LOOKED_UP_LAST if final else ReportGrade.NONE
            self._calls.record_lookup(call.call_id, row, grade=grade)

    def _end_second_calls(self, found: list[ProviderCall]) -> None:
        """Of two calls for one of ours the newer is hung up."""
        for row in sorted(found, key=_age)[1:]:
            if not row.ended:
                self._provider.hang_up(row.provider_call_id)

    def _measure_delay(
        self, call: OpenCall, found: list[ProviderCall], now: datetime
    ) -> None:
        """Note for how long a call that is there was, or is still, not listed."""
        since = call.requested_at or call.placed_at  # By our clock where we know.
        if found:
            shown_after = self._missing.pop(call.call_id, timedelta(0))
            looks = self._absent.pop(call.call_id, [])
            if looks and since:
                shown_after = min(now, looks[-1] + self._interval) - since
            self._learn_delay(shown_after)
        elif call.phase is Phase.PLACED and since:
            self._missing[call.call_id] = now - since

    def _learn_delay(self, delay: timedelta) -> None:
        if delay > self._largest_delay:
            self._largest_delay = delay
            self._keep_delay(delay)

    def quarantine(self) -> timedelta:
        """How long a call may be at the provider without being in its list.

        Some times the largest delay seen, and no less than as many looks take.
        """
        seen = max([self._largest_delay, *self._missing.values()])
        return PATIENCE * max(self._interval, seen)

    # --- Not shown ------------------------------------------------------------------

    def _not_shown(self, call: OpenCall, asks: "_Asks") -> None:
        if self._is_under_way(call.call_id):
            return
        match call.phase:
            case Phase.CLAIMED if asks.now - call.last_event_at > self._time_out:
                self._calls.release_claim(call.call_id)
            case Phase.REQUESTED if self._is_answerless(call, asks.now):
                reason = "no answer was stored"
                request = call.requests
                self._calls.lose_outcome(call.call_id, reason=reason, request=request)
            case Phase.UNKNOWN if self._is_answerless(call, asks.now):
                self._absent_again(call, asks.now)

    def _is_answerless(self, call: OpenCall, now: datetime) -> bool:
        return call.dial_before is not None and now > call.dial_before + self._time_out

    def _absent_again(self, call: OpenCall, now: datetime) -> None:
        self._absent[call.call_id].append(now)
        passed = now - (call.requested_at or call.queued_at)
        looks = len(self._absent[call.call_id])
        if looks >= LOOK_UPS and passed > self.quarantine():
            self._absent.pop(call.call_id)
            self._calls.settle_absent(call.call_id, request=call.requests)

    # --- Asked for by id ------------------------------------------------------------

    def _follow_up(
        self, call: OpenCall, found: list[ProviderCall], asks: "_Asks"
    ) -> None:
        if call.provider_call_id is None:
            return
        over = any(row.ended for row in found)
        if call.hang_up_requested and call.status in LIVE and not over:
            self._provider.hang_up(call.provider_call_id)
        if call.phase is Phase.REPORTING:
            self._ask_for_report(call, asks)
        elif call.phase in (Phase.PLACED, Phase.GHOST):
            live = next((row for row in found if not row.ended), None)
            self._ask_if_silent(call, live, asks)

    def _ask_for_report(self, call: OpenCall, asks: "_Asks") -> None:
        """Ask twice; what the second answer lacks is not waited for any more."""
        since = asks.now - (call.ended_at or call.last_event_at)
        asked = call.looked_up >= ReportGrade.LOOKED_UP
        if since < (asks.silence if asked else 2 * self._interval) or not asks.take():
            return
        last = asked or since >= 2 * asks.silence
        seen = self._provider.call(call.provider_call_id or "")
        of_campaign = expected_of(asks.campaign(call.campaign_id))
        expected = expected_cost(call, of_campaign, asks.now)
        if seen is not None and seen.ended:
            final = last or _is_final(seen)
            grade = ReportGrade.LOOKED_UP_LAST if final else ReportGrade.LOOKED_UP
            told = _with_cost(seen, expected) if final else seen
            self._calls.record_lookup(call.call_id, told, grade=grade)
        elif last:
            self._calls.close_report(call.call_id, cost=expected)

    def _ask_if_silent(
        self, call: OpenCall, live: ProviderCall | None, asks: "_Asks"
    ) -> None:
        if asks.now - call.last_event_at < asks.silence:
            return
        if live is None and asks.take():
            seen = self._provider.call(call.provider_call_id or "")
            if seen is None:
                self._calls.time_out(call.call_id, reason="unknown at the provider")
            elif seen.ended:
                self._shown(call, seen)
            live = seen if seen and not seen.ended else None
        if live is not None:
            self._confirm(call, live, asks.now)

    def _confirm(self, call: OpenCall, live: ProviderCall, now: datetime) -> None:
        """It is live: kept, unless it is longer so than any call can be."""
        since = call.placed_at or call.queued_at
        longest = timedelta(seconds=call.longest_call_seconds) + self._ghost_grace
        stuck = live.phase is CallPhase.QUEUED and now - since > self._longest_queued
        if stuck or now - since > longest + self._longest_queued:
            self._provider.hang_up(live.provider_call_id)
            self._calls.time_out(call.call_id, reason="live beyond its longest time")
        else:
            self._calls.confirm(call.call_id, live)

    def _forget(self, calls: Iterable[OpenCall]) -> None:
        phases = {call.call_id: call.phase for call in calls}
        for call_id in [*self._absent]:
            if phases.get(call_id) is not Phase.UNKNOWN:
                del self._absent[call_id]
        for call_id in [*self._missing]:
            if phases.get(call_id) is not Phase.PLACED:
                del self._missing[call_id]


def dialled_lines(snapshot: Snapshot) -> set[str]:
    """Name the lines from which people wait to be called."""
    return {
        view.phone_number_id
        for view in snapshot.campaigns
        if view.state in MAY_DIAL and view.pending
    }


class _Rows:
    """A line's list, by the provider's ids and by ours."""

    def __init__(self, rows: list[ProviderCall]) -> None:
        self._by_call = defaultdict(list)
        self._by_id = {row.provider_call_id: row for row in rows}
        for row in rows:
            if row.call_id is not None:
                self._by_call[row.call_id].append(row)

    def of(self, call: OpenCall) -> list[ProviderCall]:
        """Every row that names the call, its own first, then the oldest."""
        own = self._by_id.get(call.provider_call_id or "")
        named = sorted(self._by_call.get(call.call_id, []), key=_age)
        return ([own] if own else []) + [row for row in named if row is not own]


class _Asks:
    """What a pass may ask, and what it knows while asking."""

    def __init__(
        self, snapshot: Snapshot, now: datetime, silence: timedelta, left: int
    ) -> None:
        self.now, self.silence, self._left = now, silence, left
        self._campaigns = {view.id: view for view in snapshot.campaigns}

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def fail(self) -> None:
        """One that got no answer may have taken the time of several."""
        self._left -= FAILED_ASK

    def campaign(self, campaign_id: UUID) -> CampaignView | None:
        return self._campaigns.get(campaign_id)


SHOWN_AS = {
    CallPhase.SCHEDULED: CallStatus.QUEUED,
    CallPhase.QUEUED: CallStatus.QUEUED,
    CallPhase.RINGING: CallStatus.RINGING,
    CallPhase.ANSWERED: CallStatus.IN_PROGRESS,
    CallPhase.TRANSFERRED: CallStatus.IN_PROGRESS,
    CallPhase.ENDED: CallStatus.ENDED,
}


def _is_news(call: OpenCall, row: ProviderCall) -> bool:
    if row.ended:
        return call.phase is not Phase.REPORTING or _is_final(row)
    shown = None if row.phase is None else SHOWN_AS[row.phase]
    return (
        call.status in LIVE and shown is not None and _rank(shown) > _rank(call.status)
    )


def _is_final(row: ProviderCall) -> bool:
    """An ended call has told all that it will, as far as we need it."""
    return row.ended and row.report.has_artifact and row.report.cost is not None


def _with_cost(row: ProviderCall, expected: Decimal) -> ProviderCall:
    """Add the expected cost where the provider names none.

    For a call that nobody answered the provider leaves out a cost of zero.
    """
    if row.report.cost is not None:
        return row
    cost = ZERO if row.report.is_unanswered else expected
    report = replace(row.report, cost=cost, cost_is_expected=True)
    return replace(row, report=report)


def _age(row: ProviderCall) -> datetime:
    return row.created_at


def _rank(status: CallStatus) -> int:
    return list(CallStatus).index(status)


def _since(calls: list[OpenCall], now: datetime) -> datetime:
    oldest = min((call.requested_at or call.queued_at for call in calls), default=now)
    return min(oldest - LOOK_BACK, now - QUIET_LOOK_BACK)
