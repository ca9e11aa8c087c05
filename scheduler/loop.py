"""The leader's work: look, plan, claim, dial; again at each tick and each wake-up."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from time import monotonic
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import InterfaceError, OperationalError

from application.calls import SCHEDULER
from application.campaigns import CampaignService
from application.claims import Claimed, ClaimService
from application.errors import StoreUnavailable
from application.ports import ReadModel
from application.recording import Means
from domain.errors import Refused
from domain.settings import SettingsValues
from domain.values import call_id_of
from projections.dial_queue import CampaignView, Snapshot
from scheduler.adopt import Adoption
from scheduler.dispatch import Dialled, Dispatch
from scheduler.pace import Pace
from scheduler.policy import (
    WAITING_STATES,
    Conditions,
    Pause,
    Plan,
    Verdict,
    WaitingCode,
    plan,
)
from scheduler.reconcile import Findings, Reconcile
from storage.leadership import LeadershipLost, Term
from storage.operations import Decision, Operations, Reason

WAKE_SECONDS = 1.0
"""A wake-up between ticks comes at most this often."""

JITTER = 0.1
"""A tick comes this share earlier or later, so that installations do not march."""

LONGEST_WAIT_SECONDS = 30.0
"""The leader says this often at least that it works, whatever the tick."""

SEEN_SECONDS = 2.0
"""How long a pass waits for the read model to show what it claimed."""

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


NOT_LOOKED_YET = Findings(down="it was not looked at yet.")
"""Nothing is claimed before the provider was searched for calls that the log lacks."""

IDLE = Pass(claimed=0, more=False, more_soon=False, next_due_at=None)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the leader works with; built by the composition root."""

    read_snapshot: Callable[[datetime, int], Snapshot]
    claims: ClaimService
    campaigns: CampaignService
    dispatch: Dispatch
    reconcile: Reconcile
    adoption: Adoption
    operations: Operations
    read_model: ReadModel
    pace: Pace
    means: Means
    first_settings: SettingsValues
    reconcile_every: timedelta
    random: Callable[[], float]
    bars_dialling: str | None = None


class Scheduler:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopped, self._woken = Event(), Event()
        self._findings = Findings()
        self._dropped: set[UUID] = set()

    def stop(self) -> None:
        """End `lead` soon; it may be repeated, from any thread."""
        self._stopped.set()
        self._woken.set()

    def wake(self) -> None:
        """Say that something changed; any thread may."""
        self._woken.set()

    def lead(self, term: Term) -> None:
        """Work until stopped. Raises LeadershipLost when the term is over."""
        self._parts.adoption.begin()
        self._findings = NOT_LOOKED_YET
        look_at = tick_at = monotonic()
        last = IDLE
        while not self._stopped.is_set():
            term.beat()
            settings, is_tick = self._safely(self._settings), monotonic() >= tick_at
            if settings is None:
                self._stopped.wait(WAKE_SECONDS)
                continue
            if is_tick:
                self._dropped.clear()
            if is_tick or monotonic() >= look_at:
                self._safely(partial(self._look, settings))
                look_at = monotonic() + self._parts.reconcile_every.total_seconds()
            if is_tick or last.more_soon or settings.refill_immediately:
                last = self._safely(partial(self._fill, term)) or IDLE
            if is_tick:
                tick_at = monotonic() + self._tick_seconds(settings)
            self._wait(min(look_at, tick_at), last, settings)

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

    def run_once(self, now: datetime) -> Pass:
        """Plan from one view, and claim and dial what the plan says."""
        allowed = self._parts.pace.allowed(monotonic())
        snapshot = self._snapshot(now, max(allowed, 1))
        made = plan(snapshot, self._conditions(snapshot, now, allowed))
        self._complete(snapshot)
        self._pause(made.pauses)
        claimed = self._claim(made, snapshot)
        if not claimed.stale:
            self._leave_decisions(made, claimed, now)
        self._dial(claimed, snapshot, made)
        return _pass(made, claimed, snapshot)

    def _snapshot(self, now: datetime, most: int) -> Snapshot:
        """Read a view without those who were dropped from a claim in this tick."""
        snapshot = self._parts.read_snapshot(now, most + len(self._dropped))
        if not self._dropped:
            return snapshot
        fit = [self._without_dropped(view) for view in snapshot.campaigns]
        return replace(snapshot, campaigns=tuple(fit))

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
        settings = snapshot.settings or self._parts.first_settings
        return Conditions(
            now=now,
            global_cap=settings.global_cap,
            most=allowed,
            lines=self._parts.pace.allowed_on_slow_lines(monotonic()),
            busy_lines=self._findings.busy_lines,
            daily_budget=settings.daily_budget,
            provider_down=self._parts.bars_dialling or self._findings.down,
        )

    def _complete(self, snapshot: Snapshot) -> None:
        for view in snapshot.campaigns:
            if view.completable and view.state in WAITING_STATES:
                self._tell(
                    view.id,
                    partial(
                        self._parts.campaigns.complete, view.id, version=view.version
                    ),
                )

    def _pause(self, pauses: tuple[Pause, ...]) -> None:
        for pause in pauses:
            tell = partial(
                self._parts.campaigns.pause,
                pause.campaign_id,
                by=SCHEDULER,
                reason=pause.message,
                cause=pause.cause,
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

    def _claim(self, made: Plan, snapshot: Snapshot) -> Claimed:
        if not made.claims:
            return Claimed()
        claimed = self._parts.claims.claim(made.claims, seen=snapshot.claims_seen)
        for call_id in claimed.dropped:
            log.error("call %s exists already: dropped from the claim", call_id)
        self._dropped.update(claimed.dropped)
        seen = claimed.position or snapshot.position + 1
        self._parts.read_model.wait_for(seen, SEEN_SECONDS)
        return claimed

    def _dial(self, claimed: Claimed, snapshot: Snapshot, made: Plan) -> None:
        lines = {view.id: view.phone_number_id for view in snapshot.campaigns}
        campaigns = {chosen.call_id: chosen.campaign_id for chosen in made.claims}
        self._parts.dispatch.dial(
            [
                Dialled(call_id, campaigns[call_id], lines[campaigns[call_id]])
                for call_id in claimed.calls
            ]
        )

    def _leave_decisions(self, made: Plan, claimed: Claimed, now: datetime) -> None:
        taken = set(claimed.calls)
        lost = [one.campaign_id for one in made.claims if one.call_id not in taken]
        self._parts.operations.write_decisions(
            [_decision(verdict, lost, now) for verdict in made.verdicts]
        )

    # --- Ticks and wake-ups ---------------------------------------------------------

    def _look(self, settings: SettingsValues) -> None:
        """Hold the provider against the read model; adopt what the log lacks first."""
        if self._parts.bars_dialling:
            return
        snapshot = self._parts.read_snapshot(self._parts.means.now(), 1)
        down = self._parts.adoption.run(snapshot)
        silence = timedelta(seconds=settings.silence_timeout_seconds)
        findings = self._parts.reconcile.run(
            snapshot, now=self._parts.means.now(), silence=silence
        )
        self._findings = replace(findings, down=down or findings.down)

    def _fill(self, term: Term) -> Pass:
        """Pass after pass, until the room is filled or a reason stands against it."""
        while True:
            last = self.run_once(self._parts.means.now())
            if not last.more or self._stopped.is_set():
                return last
            term.beat()

    def _wait(self, until: float, last: Pass, settings: SettingsValues) -> None:
        started = monotonic()
        until = min(until, started + LONGEST_WAIT_SECONDS)
        if last.more_soon:
            until = min(until, started + WAKE_SECONDS)
        if settings.refill_immediately:
            until = min(until, self._due(last, started))
            self._stopped.wait(max(min(started + WAKE_SECONDS, until) - started, 0))
            self._woken.wait(max(until - monotonic(), 0))
            self._woken.clear()
        else:
            self._stopped.wait(max(until - started, 0))

    def _due(self, last: Pass, started: float) -> float:
        if last.next_due_at is None:
            return float("inf")
        ahead = (last.next_due_at - self._parts.means.now()).total_seconds()
        return started + max(ahead, WAKE_SECONDS)

    def _settings(self) -> SettingsValues:
        snapshot = self._parts.read_snapshot(self._parts.means.now(), 1)
        settings = snapshot.settings or self._parts.first_settings
        self._parts.pace.set_full(settings.dials_per_second)
        return settings

    def _tick_seconds(self, settings: SettingsValues) -> float:
        return settings.tick_seconds * (1 + JITTER * (2 * self._parts.random() - 1))


def _pass(made: Plan, claimed: Claimed, snapshot: Snapshot) -> Pass:
    codes = {why.code for one in made.verdicts for why in one.reasons}
    due = [view.next_due_at for view in snapshot.campaigns if view.next_due_at]
    return Pass(
        claimed=len(claimed.calls),
        more=bool(claimed.calls or claimed.dropped),
        more_soon=claimed.stale or bool(codes & SOON),
        next_due_at=min(due, default=None),
    )


def _decision(verdict: Verdict, lost: list[UUID], now: datetime) -> Decision:
    """What was dropped from the claim still waits."""
    missed = lost.count(verdict.campaign_id)
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
        room=verdict.room,
        placed=verdict.placed - missed,
        reasons=tuple(reasons),
    )
