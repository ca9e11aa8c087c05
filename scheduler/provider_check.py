"""The check of the provider before slots are filled: adoption and reconciliation."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.dial_view import LIVE_PHASES, OpenCall, Phase, Snapshot
from domain.settings import SettingsValues
from domain.states import MAY_DIAL
from scheduler.dependencies import SchedulerDependencies
from scheduler.reconciliation.adopt import ClaimingBlocked
from scheduler.reconciliation.listed_calls import dialled_lines
from scheduler.reconciliation.reconcile import Findings

SHORTEST_WAIT_SECONDS = 1.0
"""Shortest time between two checks."""

LIST_LAG = timedelta(seconds=5)
"""How long after its placing a call may be missing from the provider's list."""

REMEMBERED_REFUSAL = timedelta(seconds=60)
"""For how long a capacity refusal makes a new leader back off on the line."""

OCCUPYING = LIVE_PHASES | {Phase.CLAIMED}
"""Phases of a call that may be live on its line."""

NOT_CHECKED_YET = Findings(down="it was not asked yet.")
"""Nothing is claimed before the provider was searched for calls that the log lacks."""


class ProviderCheck:
    """Runs adoption and reconciliation, and remembers the result of the last run."""

    def __init__(self, deps: SchedulerDependencies) -> None:
        self._deps = deps
        self.findings = Findings()
        self.blocked: ClaimingBlocked | None = None
        self._refused_at: dict[UUID, datetime] = {}

    def begin_term(self) -> None:
        """Forget the previous term's result; nothing is claimed before a new one."""
        self._deps.adoption.begin()
        self.findings = NOT_CHECKED_YET

    def run(self, settings: SettingsValues) -> Findings:
        """Adopt calls that the log lacks, then compare the open calls.

        Without permission to call anybody, the provider is not asked at all.
        """
        deps = self._deps
        if deps.no_dialling_because:
            return self.findings
        now = deps.context.now
        snapshot = deps.read_snapshot(now(), 1)
        blocked = deps.adoption.run(snapshot)
        silence = timedelta(seconds=settings.silence_timeout_seconds)
        findings = deps.reconcile.run(snapshot, now=now(), silence=silence)
        if blocked is not None and blocked.until is None:
            findings = replace(findings, down=blocked.message)
        lines_down = {**findings.lines_down, **deps.adoption.unsearched}
        self.findings = replace(findings, lines_down=lines_down)
        self.blocked = blocked
        return self.findings

    def seconds_to_next(self) -> float:
        """Return when to check again: earlier if a search may then be complete."""
        every = self._deps.reconcile_every.total_seconds()
        if self.blocked is None or self.blocked.until is None:
            return every
        ahead = (self.blocked.until - self._deps.context.now()).total_seconds()
        return min(max(ahead, SHORTEST_WAIT_SECONDS), every)

    def is_due_for_new_lines(self, seen: Snapshot) -> bool:
        """Return whether contacts wait on a line that was not checked yet."""
        if self._deps.no_dialling_because:
            return False
        return not dialled_lines(seen) <= self.findings.lines

    def update_busy_lines(self, seen: Snapshot, *, checked: bool) -> None:
        """Find the lines on which no campaign with line-quiet gating may start.

        `checked` means that `run` has just compared all lines. Its result covers all
        calls except those too new to be listed. Otherwise the provider is asked for
        each line on which we have no open call.
        """
        busy = self._busy_lines(seen, checked=checked)
        self.findings = replace(self.findings, busy_lines=busy)

    def _busy_lines(self, seen: Snapshot, *, checked: bool) -> frozenset[str]:
        gated = {
            view.phone_number_id
            for view in seen.campaigns
            if view.line_quiet_gating and view.state in MAY_DIAL and view.pending
        }
        now = self._deps.context.now()
        calls = [
            call for call in seen.calls if not checked or _may_be_unlisted(call, now)
        ]
        occupied = {call.phone_number_id for call in calls if call.phase in OCCUPYING}
        if checked:
            return self.findings.busy_lines | (gated & occupied)
        unknown = gated - occupied
        busy = self._deps.reconcile.busy(unknown, now=now) if unknown else set()
        return frozenset((gated & occupied) | busy)

    def back_off_refusing_lines(self, seen: Snapshot) -> None:
        """Slow down lines on which a call recently ended for lack of capacity."""
        since = self._deps.context.now() - REMEMBERED_REFUSAL
        for view in seen.campaigns:
            at = view.capacity_refused_at
            if at is not None and at > max(since, self._refused_at.get(view.id, since)):
                self._refused_at[view.id] = at
                self._deps.dispatch.slow_down(view.phone_number_id)


def _may_be_unlisted(call: OpenCall, now: datetime) -> bool:
    """Return whether the call may be live although the provider does not list it.

    Measured from our last event: the provider's times are of another clock.
    """
    return call.phase is not Phase.PLACED or now - call.last_event_at < LIST_LAG
