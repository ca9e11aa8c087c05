"""The leader's work: look, plan, claim, dial; again at each tick and each wake-up."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import InterfaceError, OperationalError

from application.calls.claims import ClaimResult, ClaimService
from application.campaigns import CampaignService
from application.errors import StoreUnavailable
from application.event_context import SCHEDULER, EventContext
from application.ports import ReadModel
from domain.dial_view import CampaignView, OpenCall, Phase, Snapshot
from domain.errors import Refused
from domain.settings import SettingsValues
from domain.states import MAY_DIAL, STARTED
from domain.values import WaitingCode, call_id_of
from scheduler.adopt import Adoption, ClaimingBlocked
from scheduler.dispatch import ClaimedCall, Dispatch
from scheduler.pace import Pace
from scheduler.policy import (
    Conditions,
    Pause,
    Plan,
    Verdict,
    Waiting,
    plan,
)
from scheduler.reconcile import Findings, Reconcile, dialled_lines
from scheduler.wakeup import WakeUp
from storage.process.decisions import Decision, ProcessRecords, Reason
from storage.process.leadership import LeadershipLost, Term

WAKE_SECONDS = 1.0
"""A wake-up between ticks comes at most this often."""

JITTER = 0.1
"""A tick comes this share earlier or later, so that installations do not march."""

LATEST = 1 + JITTER

SILENT_TICKS = 2
"""A leader that gave no sign of life for so many ticks is replaced."""

LONGEST_WAIT_SECONDS = 30.0
"""The leader says this often at least that it works, whatever the tick."""

SEEN_SECONDS = 2.0
"""How long a pass waits for the read model to show what it claimed."""

LIST_LAG = timedelta(seconds=5)
"""For how long a call may be placed without being in the provider's list."""

REMEMBERED_REFUSAL = timedelta(seconds=60)
"""How long a new leader still backs off because of a call that ended for capacity."""

AWAY = (LeadershipLost, StoreUnavailable, OperationalError, InterfaceError)
"""What ends a term: the database is not there, or is somebody else's to lead."""

SOON = frozenset({WaitingCode.RATE_LIMITED, WaitingCode.PROVIDER_BUSY})
"""Reasons that pass by themselves before the next tick."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did: calls claimed, and whether another one may do more now."""

    claimed: int
    more: bool
    more_soon: bool
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filled:
    """What the passes of one fill came to; the room is that before the first one."""

    rooms: dict[UUID, int] = field(default_factory=dict)
    placed: Counter[UUID] = field(default_factory=Counter)


NOT_LOOKED_YET = Findings(down="it was not looked at yet.")
"""Nothing is claimed before the provider was searched for calls that the log lacks."""

IDLE = Pass(claimed=0, more=False, more_soon=False, next_due_at=None)


@dataclass(frozen=True, slots=True)
class SchedulerDependencies:
    """What the leader works with; built by the composition root."""

    read_snapshot: Callable[[datetime, int], Snapshot]
    claims: ClaimService
    campaigns: CampaignService
    dispatch: Dispatch
    reconcile: Reconcile
    adoption: Adoption
    operations: ProcessRecords
    read_model: ReadModel
    pace: Pace
    context: EventContext
    first_settings: SettingsValues
    reconcile_every: timedelta
    random: Callable[[], float]
    bars_dialling: str | None = None
    turned: Callable[[float], None] = lambda _seconds: None
    """Is told how many seconds each turn took."""


class Scheduler:
    def __init__(
        self, deps: SchedulerDependencies, wake_up: WakeUp | None = None
    ) -> None:
        self._deps, self._wake_up = deps, wake_up or WakeUp()
        self._findings, self._last = Findings(), IDLE
        self._blocked: ClaimingBlocked | None = None
        self._claims_seen = 0
        self._look_at = self._tick_at = self._ticked_at = float("-inf")
        self._dropped: set[UUID] = set()
        self._hung_up: set[UUID] = set()
        self._filling: frozenset[UUID] = frozenset()
        self._refused_at: dict[UUID, datetime] = {}

    def stop(self) -> None:
        """End `lead` soon; it may be repeated, from any thread."""
        self._wake_up.stop()

    def wake(self) -> None:
        """Say that something changed; any thread may."""
        self._wake_up.wake()

    def lead(self, term: Term) -> None:
        """Work until stopped. Raises LeadershipLost when the term is over."""
        self._deps.adoption.begin()
        self._findings, self._last = NOT_LOOKED_YET, IDLE
        self._look_at = self._tick_at = self._wake_up.now()
        while not self._wake_up.stopped:
            term.beat()
            seen = self._safely(self._view)
            if seen is None:
                self._wake_up.rest(self._wake_up.now() + WAKE_SECONDS)
            else:
                settings = seen.settings or self._deps.first_settings
                term.let_silence_last(SILENT_TICKS * settings.tick_seconds)
                began = self._wake_up.now()
                self._turn(term, seen, settings)
                self._deps.turned(self._wake_up.now() - began)
                self._wait(settings)

    def _turn(self, term: Term, seen: Snapshot, settings: SettingsValues) -> None:
        """Do what is due: look at the provider, hang up, fill the free slots."""
        now, looked = self._wake_up.now(), False
        self._deps.pace.set_full(settings.dials_per_second)
        is_tick = now >= self._due_tick(settings)
        if is_tick:
            self._dropped.clear()
            self._hung_up.clear()
        if is_tick or now >= self._look_at or self._has_new_lines(seen):
            looked = self._safely(partial(self._look, settings)) is not None
            self._look_at = self._wake_up.now() + self._seconds_to_look()
        self._hang_up(seen)
        self._slow_down(seen)
        if is_tick or self._last.more_soon or settings.refill_immediately:
            fill = partial(self._fill, term, seen, looked=looked)
            self._last = self._safely(fill) or IDLE
        if is_tick:
            self._ticked_at = self._wake_up.now()
            self._tick_at = self._ticked_at + self._tick_seconds(settings)

    def _safely[R](self, work: Callable[[], R]) -> R | None:
        """Whatever one pass stumbles over, the next one is due at its time."""
        try:
            return work()
        except AWAY:
            raise
        except Exception:
            log.exception("a pass failed")
            return None

    # --- One pass -------------------------------------------------------------------

    def run_once(self, now: datetime, filled: Filled | None = None) -> Pass:
        """Plan from one view, and claim and dial what the plan says.

        `filled` holds what the earlier passes of the same fill came to.
        """
        allowed = self._deps.pace.allowed(self._wake_up.now())
        snapshot = self._snapshot(now, max(allowed, 1))
        made = plan(snapshot, self._conditions(snapshot, now, allowed))
        self._complete(snapshot)
        self._pause(made.pauses)
        claimed = self._claim(made, snapshot)
        if not claimed.stale:
            self._leave_decisions(made, claimed, now, filled or Filled())
            self._filling = _still_filling(made)
        self._dial(claimed, snapshot, made)
        return _pass(made, claimed)

    def _snapshot(self, now: datetime, most: int) -> Snapshot:
        """Read a view without those who were dropped from a claim in this tick."""
        snapshot = self._deps.read_snapshot(now, most + len(self._dropped))
        self._must_not_go_back(snapshot)
        if not self._dropped:
            return snapshot
        fit = [self._without_dropped(view) for view in snapshot.campaigns]
        return replace(snapshot, campaigns=tuple(fit))

    def _must_not_go_back(self, snapshot: Snapshot) -> None:
        """End the term where claims are missing that were there: it is another log."""
        if snapshot.claims_seen < self._claims_seen:
            said = f"{self._claims_seen} claims were stored, {snapshot.claims_seen} are"
            raise LeadershipLost(f"the log went back: {said}")
        self._claims_seen = snapshot.claims_seen

    def _without_dropped(self, view: CampaignView) -> CampaignView:
        return replace(
            view,
            candidates=tuple(
                one
                for one in view.candidates
                if call_id_of(one.contact_id, one.attempt) not in self._dropped
            ),
        )

    def _conditions(
        self, snapshot: Snapshot, now: datetime, allowed: int
    ) -> Conditions:
        settings = snapshot.settings or self._deps.first_settings
        return Conditions(
            now=now,
            global_cap=settings.global_cap,
            most=allowed,
            lines=self._deps.pace.allowed_on_slow_lines(self._wake_up.now()),
            busy_lines=self._findings.busy_lines,
            filling=self._filling,
            daily_budget=settings.daily_budget,
            provider_down=self._deps.bars_dialling or self._findings.down,
            lines_down=self._findings.lines_down,
            barred=_searching(self._blocked),
        )

    def _complete(self, snapshot: Snapshot) -> None:
        for view in snapshot.campaigns:
            if view.completable and view.state in STARTED:
                self._tell(
                    view.id,
                    partial(
                        self._deps.campaigns.complete, view.id, version=view.version
                    ),
                )

    def _pause(self, pauses: tuple[Pause, ...]) -> None:
        for pause in pauses:
            tell = partial(
                self._deps.campaigns.pause,
                pause.campaign_id,
                by=SCHEDULER,
                reason=pause.message,
                cause=pause.cause,
                scope=pause.scope,
            )
            self._tell(pause.campaign_id, tell)

    def _tell(self, campaign_id: UUID, tell: Callable[[], object]) -> None:
        """Tell one campaign; what is wrong with it holds no other one up."""
        try:
            tell()
        except (IntegrityError, Refused) as moved:
            log.info("campaign %s stands otherwise by now: %s", campaign_id, moved)
        except AWAY:
            raise
        except Exception:
            log.exception("campaign %s cannot be worked with", campaign_id)

    def _claim(self, made: Plan, snapshot: Snapshot) -> ClaimResult:
        if not made.claims:
            return ClaimResult()
        claimed = self._deps.claims.claim(made.claims, seen=snapshot.claims_seen)
        for call_id in claimed.dropped:
            log.error("call %s is there already, or its contact was erased", call_id)
        self._dropped.update(claimed.dropped)
        seen = claimed.position or snapshot.position + 1
        self._deps.read_model.wait_for(seen, SEEN_SECONDS)
        return claimed

    def _dial(self, claimed: ClaimResult, snapshot: Snapshot, made: Plan) -> None:
        lines = {view.id: view.phone_number_id for view in snapshot.campaigns}
        campaigns = {chosen.call_id: chosen.campaign_id for chosen in made.claims}
        self._deps.dispatch.dial(
            [
                ClaimedCall(call_id, campaigns[call_id], lines[campaigns[call_id]])
                for call_id in claimed.calls
            ]
        )

    def _leave_decisions(
        self, made: Plan, claimed: ClaimResult, now: datetime, filled: Filled
    ) -> None:
        taken = set(claimed.calls)
        lost = Counter(
            one.campaign_id for one in made.claims if one.call_id not in taken
        )
        for verdict in made.verdicts:
            id_ = verdict.campaign_id
            filled.rooms.setdefault(id_, verdict.room)
            filled.placed[id_] += verdict.placed - lost[id_]
        self._deps.operations.write_decisions(
            [_decision(verdict, lost, now, filled) for verdict in made.verdicts]
        )

    # --- Ticks and wake-ups ---------------------------------------------------------

    def _view(self) -> Snapshot:
        return self._deps.read_snapshot(self._deps.context.now(), 1)

    def _look(self, settings: SettingsValues) -> Findings:
        """Hold the provider against the read model; adopt what the log lacks first."""
        if self._deps.bars_dialling:
            return self._findings
        snapshot = self._view()
        blocked = self._deps.adoption.run(snapshot)
        silence = timedelta(seconds=settings.silence_timeout_seconds)
        findings = self._deps.reconcile.run(
            snapshot, now=self._deps.context.now(), silence=silence
        )
        if blocked is not None and blocked.until is None:
            findings = replace(findings, down=blocked.words)
        self._findings, self._blocked = findings, blocked
        return findings

    def _seconds_to_look(self) -> float:
        """Look at the provider again after this time, sooner where that may settle."""
        every = self._deps.reconcile_every.total_seconds()
        if self._blocked is None or self._blocked.until is None:
            return every
        ahead = (self._blocked.until - self._deps.context.now()).total_seconds()
        return min(max(ahead, WAKE_SECONDS), every)

    def _has_new_lines(self, seen: Snapshot) -> bool:
        """Nobody is called from a line before the provider was asked for it."""
        known = self._findings.lines
        return not (self._deps.bars_dialling or dialled_lines(seen) <= known)

    def _hang_up(self, seen: Snapshot) -> None:
        """Ask at once; each tick and each look asks again until the call has ended."""
        for call in seen.calls:
            wanted = call.hang_up_requested and call.phase is Phase.PLACED
            if wanted and call.provider_call_id and call.call_id not in self._hung_up:
                self._hung_up.add(call.call_id)
                self._deps.dispatch.hang_up(call.provider_call_id)

    def _slow_down(self, seen: Snapshot) -> None:
        """Back off on lines where calls ended lately for lack of capacity."""
        since = self._deps.context.now() - REMEMBERED_REFUSAL
        for view in seen.campaigns:
            at = view.capacity_refused_at
            if at is not None and at > max(since, self._refused_at.get(view.id, since)):
                self._refused_at[view.id] = at
                self._deps.dispatch.slow_down(view.phone_number_id)

    def _fill(self, term: Term, seen: Snapshot, *, looked: bool) -> Pass:
        """Pass after pass, until the room is filled or a reason stands against it."""
        busy = self._busy_lines(seen, looked=looked)
        self._findings = replace(self._findings, busy_lines=busy)
        filled = Filled()
        while True:
            last = self.run_once(self._deps.context.now(), filled)
            if not last.more or self._wake_up.stopped:
                return last
            term.beat()

    def _busy_lines(self, seen: Snapshot, *, looked: bool) -> frozenset[str]:
        """Tell on which lines no gated fill may open now.

        What was just looked at tells of all calls but those too new to be listed;
        else a line without calls of ours is asked for.
        """
        gated = {
            view.phone_number_id
            for view in seen.campaigns
            if view.line_quiet_gating and view.state in MAY_DIAL and view.pending
        }
        now = self._deps.context.now()
        calls = [call for call in seen.calls if not looked or _may_be_hidden(call, now)]
        held = {call.phone_number_id for call in calls if call.phase in HOLDING}
        if looked:
            return self._findings.busy_lines | (gated & held)
        return frozenset((gated & held) | self._busy(gated - held, now))

    def _busy(self, lines: set[str], now: datetime) -> set[str]:
        return self._deps.reconcile.busy(lines, now=now) if lines else set()

    def _wait(self, settings: SettingsValues) -> None:
        started, last = self._wake_up.now(), self._last
        tick_at = self._due_tick(settings)
        until = min(tick_at, self._look_at, started + LONGEST_WAIT_SECONDS)
        if last.more_soon:
            until = min(until, started + WAKE_SECONDS)
        if settings.refill_immediately:
            until = min(until, self._due(last, started))
            self._wake_up.rest(min(started + WAKE_SECONDS, until))
            self._wake_up.listen(until)
        else:
            self._wake_up.rest(until)

    def _due(self, last: Pass, started: float) -> float:
        if last.next_due_at is None:
            return float("inf")
        ahead = (last.next_due_at - self._deps.context.now()).total_seconds()
        return started + max(ahead, WAKE_SECONDS)

    def _due_tick(self, settings: SettingsValues) -> float:
        """A shorter tick holds from now on, not from the next one."""
        return min(self._tick_at, self._ticked_at + settings.tick_seconds * LATEST)

    def _tick_seconds(self, settings: SettingsValues) -> float:
        return settings.tick_seconds * (1 + JITTER * (2 * self._deps.random() - 1))


HOLDING = frozenset({Phase.CLAIMED, Phase.REQUESTED, Phase.UNKNOWN, Phase.PLACED})
"""Phases of a call that may be live on its line."""


def _searching(blocked: ClaimingBlocked | None) -> Waiting | None:
    if blocked is None or blocked.until is None:
        return None
    return Waiting(WaitingCode.OUTCOME_UNKNOWN, blocked.words, until=blocked.until)


def _may_be_hidden(call: OpenCall, now: datetime) -> bool:
    """It may be live without being in the provider's list (yet).

    By when we heard of it last: the provider's own times are by another clock.
    """
    return call.phase is not Phase.PLACED or now - call.last_event_at < LIST_LAG


def _still_filling(made: Plan) -> frozenset[UUID]:
    """Name whose fill goes on in the next pass: only the pace bounded this one."""
    return frozenset(
        verdict.campaign_id
        for verdict in made.verdicts
        if verdict.placed or any(why.code in SOON for why in verdict.reasons)
    )


def _pass(made: Plan, claimed: ClaimResult) -> Pass:
    codes = {why.code for one in made.verdicts for why in one.reasons}
    due = [why.until for one in made.verdicts for why in one.reasons if why.until]
    return Pass(
        claimed=len(claimed.calls),
        more=bool(claimed.calls or claimed.dropped),
        more_soon=claimed.stale or bool(codes & SOON),
        next_due_at=min(due, default=None),
    )


def _decision(
    verdict: Verdict, lost: Counter[UUID], now: datetime, filled: Filled
) -> Decision:
    """What was dropped from the claim still waits."""
    missed = lost[verdict.campaign_id]
    reasons = [
        Reason(why.code, why.message, why.contacts, why.until)
        for why in verdict.reasons
    ]
    if missed:
        said = "Another call of these contacts was found: they are planned anew."
        reasons.append(Reason(WaitingCode.RETRY_LATER, said, missed))
    return Decision(
        campaign_id=verdict.campaign_id,
        decided_at=now,
        room=filled.rooms[verdict.campaign_id],
        placed=filled.placed[verdict.campaign_id],
        reasons=tuple(reasons),
    )
