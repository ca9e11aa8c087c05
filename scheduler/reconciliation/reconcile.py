"""Compares our open calls with those that the provider lists, line by line."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import InterfaceError, OperationalError

from application.calls.call_service import CallService
from application.errors import StoreUnavailable
from application.ports import (
    Provider,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.dial_view import GHOST_GRACE, OpenCall, Phase, Snapshot
from scheduler.reconciliation.duplicates import DuplicateCheck
from scheduler.reconciliation.follow_up import FollowUp, Run
from scheduler.reconciliation.list_delay import ListDelay
from scheduler.reconciliation.listed_calls import (
    QUIET_LOOK_BACK,
    ListedCalls,
    created_at,
    dialled_lines,
    list_start,
)

SILENT_LINES = 2
"""If this many lines, and no other, give no answer, the provider counts as down."""

LONGEST_QUEUED = timedelta(hours=1)
"""How long a call may stay queued at the provider before it is hung up."""

PROVIDER_ERRORS = (ProviderUnavailable, ProviderRefused)
DATABASE_ERRORS = (StoreUnavailable, OperationalError, InterfaceError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Findings:
    """Result of one run.

    lines: the lines that were asked for.
    busy_lines: lines with a live call, ours or not, or without an answer.
    down: why no line could be listed at all, None if one could.
    lines_down: by line, why it alone could not be listed.
    """

    lines: frozenset[str] = frozenset()
    busy_lines: frozenset[str] = frozenset()
    down: str | None = None
    lines_down: Mapping[str, str] = field(default_factory=dict)


class Reconcile:
    """Records what the provider shows, and gives up what it provably does not have.

    Its memory need not survive a change of leader: see ListDelay.
    """

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
        """Build the reconciliation of one term.

        `is_under_way` returns whether this process is dialling a call at the moment.
        `interval` is the time between two runs, `time_out` the longest duration of one
        request. `largest_delay` is the stored delay of the provider's list,
        `keep_delay` stores a larger one.
        """
        self._calls, self._provider = calls, provider
        self._is_under_way, self._time_out = is_under_way, time_out
        self.delay = ListDelay(interval, largest_delay, keep_delay)
        self._follow_up = FollowUp(
            calls=calls,
            provider=provider,
            interval=interval,
            ghost_grace=ghost_grace,
            longest_queued=longest_queued,
        )
        self._duplicates = DuplicateCheck(
            calls=calls, provider=provider, quarantine=self.quarantine
        )

    def quarantine(self) -> timedelta:
        """Return how long the provider may hide a call that it has."""
        return self.delay.quarantine()

    def run(self, snapshot: Snapshot, *, now: datetime, silence: timedelta) -> Findings:
        """Compare every line that has open calls, or from which calls will be made.

        While the provider cannot be asked, no call times out or is given up.
        """
        by_line = defaultdict(list)
        for call in snapshot.calls:
            by_line[call.phone_number_id].append(call)
        lines = frozenset(by_line.keys() | dialled_lines(snapshot))
        try:
            findings = self._compare_lines(lines, by_line, Run(snapshot, now, silence))
            if findings.down is None:
                self._duplicates.run(snapshot.suspected, now=now)
            return findings
        finally:
            self.delay.forget_others(snapshot.calls)

    def busy(self, lines: Iterable[str], *, now: datetime) -> set[str]:
        """Return the lines that have a live call, ours or not, or give no answer."""
        return {line for line in lines if self._is_busy(line, now)}

    def _is_busy(self, line: str, now: datetime) -> bool:
        try:
            listed = self._provider.calls(line, since=now - QUIET_LOOK_BACK)
        except PROVIDER_ERRORS as error:
            log.warning("the calls of line %s cannot be listed: %s", line, error)
            return True
        return any(not one.ended for one in listed)

    # --- Lines ----------------------------------------------------------------------

    def _compare_lines(
        self, lines: frozenset[str], by_line: Mapping[str, list[OpenCall]], run: Run
    ) -> Findings:
        """Compare each line; an error on one of them does not affect the others.

        If the first lines give no answer at all, the provider itself is down.
        """
        busy: set[str] = set()
        down: dict[str, str] = {}
        for tried, line in enumerate(sorted(lines), 1):
            try:
                if self._compare_line(line, by_line.get(line, []), run):
                    busy.add(line)
            except PROVIDER_ERRORS as error:
                down[line] = str(error) or type(error).__name__
                log.warning(
                    "the calls of line %s cannot be listed: %s", line, down[line]
                )
                if len(down) == tried >= min(SILENT_LINES, len(lines)):
                    return Findings(lines, down=down[line])
        for line in down:
            for call in by_line.get(line, []):
                self._safely(call, [], run, self._follow_up.run)
        return Findings(lines, frozenset(busy | down.keys()), lines_down=down)

    def _compare_line(self, line: str, calls: list[OpenCall], run: Run) -> bool:
        """Compare one line; return whether it may have a live call at the provider.

        A line that the provider does not know may be deleted. Its calls are then
        searched among those of all lines.
        """
        since = list_start(calls, run.now)
        try:
            listed, is_refused = self._provider.calls(line, since=since), False
        except ProviderRefused as error:
            log.warning("line %s is not known to the provider: %s", line, error)
            listed = self._provider.calls(None, since=since) if calls else []
            is_refused = True
        by_call = ListedCalls(listed)
        # Ghosts come last: the other calls must not wait for their answers.
        for call in sorted(calls, key=lambda call: call.phase is Phase.GHOST):
            self._safely(call, by_call.of(call), run, self._compare)
        return is_refused or any(not one.ended for one in listed)

    def _safely(
        self,
        call: OpenCall,
        found: list[ProviderCall],
        run: Run,
        work: Callable[[OpenCall, list[ProviderCall], Run], None],
    ) -> None:
        """Work on one call; log its error and continue with the other calls."""
        try:
            work(call, found, run)
        except PROVIDER_ERRORS as error:
            log.warning("the provider gave no answer on %s: %s", call.call_id, error)
            run.count_failure()
        except DATABASE_ERRORS:
            raise
        except Exception:
            log.exception("call %s cannot be reconciled", call.call_id)

    # --- Calls ----------------------------------------------------------------------

    def _compare(self, call: OpenCall, found: list[ProviderCall], run: Run) -> None:
        self.delay.observe(call, is_listed=bool(found), now=run.now)
        for shown in found:
            self._follow_up.record(call, shown)
        if not found:
            self._not_listed(call, run.now)
        self._hang_up_newer(found)
        self._follow_up.run(call, found, run)

    def _hang_up_newer(self, found: list[ProviderCall]) -> None:
        """Hang up all but the oldest of several calls for one of ours."""
        for shown in sorted(found, key=created_at)[1:]:
            if not shown.ended:
                self._provider.hang_up(shown.provider_call_id)

    def _not_listed(self, call: OpenCall, now: datetime) -> None:
        """Settle a claim or a request that the provider does not list."""
        if self._is_under_way(call.call_id):
            return
        match call.phase:
            case Phase.CLAIMED if now - call.last_event_at > self._time_out:
                self._calls.release_claim(call.call_id)
            case Phase.REQUESTED if self._has_no_answer(call, now):
                reason = "no answer was stored"
                request = call.requests
                self._calls.lose_outcome(call.call_id, reason=reason, request=request)
            case Phase.UNKNOWN if self._has_no_answer(call, now):
                if self.delay.is_proven_absent(call, now):
                    self._calls.settle_absent(call.call_id, request=call.requests)

    def _has_no_answer(self, call: OpenCall, now: datetime) -> bool:
        """Return whether the last request can no longer get an answer."""
        return call.dial_before is not None and now > call.dial_before + self._time_out
