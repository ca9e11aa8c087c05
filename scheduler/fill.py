"""Filling free slots: read a snapshot, plan, claim, dial, and store the decisions."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.calls.claims import ClaimResult
from application.event_context import SCHEDULER
from domain.dial_view import CampaignView, PlannedCall, Snapshot
from domain.dispatching.plan_types import Conditions, Pause, Plan, Verdict, Waiting
from domain.dispatching.policy import plan
from domain.errors import Refused
from domain.gate.permit import Wait
from domain.settings import values_in_force
from domain.values import WaitingCode, call_id_of
from scheduler.dependencies import TERM_ENDING_ERRORS, SchedulerDependencies
from scheduler.provider_check import ProviderCheck
from scheduler.reconciliation.adopt import ClaimingBlocked
from scheduler.settlement import ClaimedCall
from scheduler.wakeup import WakeUp
from storage.process.decisions import Decision, Reason
from storage.process.leadership import LeadershipLost, Term

READ_MODEL_SECONDS = 2.0
"""How long a pass waits for the read model to include its claims."""

TEMPORARY = frozenset({WaitingCode.RATE_LIMITED, WaitingCode.PROVIDER_BUSY})
"""Reasons that usually disappear without any event before the next tick."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PassResult:
    """Result of one pass.

    `claimed` is the number of calls. `more` means that another pass may claim more at
    once, `more_soon` within a second; `unseen` that there may be candidates which this
    pass did not consider. `next_due_at` is the earliest time at which a
    deferred contact may be called again.
    """

    claimed: int
    more: bool
    more_soon: bool
    next_due_at: datetime | None
    unseen: bool = False


LOOK_AHEAD = 1_000
"""Candidates that a pass reads after one that stored refusals, which come in rows."""

IDLE = PassResult(claimed=0, more=False, more_soon=False, next_due_at=None)


@dataclass(frozen=True, slots=True)
class FillTotals:
    """By campaign: the room before the first pass of a fill, and all calls claimed."""

    rooms: dict[UUID, int] = field(default_factory=dict)
    placed: Counter[UUID] = field(default_factory=Counter)


class SlotFiller:
    """Claims and dials contacts until no slot is free or nobody may be called."""

    def __init__(
        self, deps: SchedulerDependencies, check: ProviderCheck, wake_up: WakeUp
    ) -> None:
        self._deps, self._check, self._wake_up = deps, check, wake_up
        self._claims_seen = 0
        self._dropped: set[UUID] = set()
        self._passed_over, self._refusals_stored = 0, False
        self._filling: frozenset[UUID] = frozenset()

    def begin_tick(self) -> None:
        """Consider contacts again whose claim was dropped since the last tick."""
        self._dropped.clear()

    def fill(self, term: Term, seen: Snapshot, *, checked: bool) -> PassResult:
        """Run passes until one of them finds nothing more to claim.

        `checked` means that the provider was compared with `seen` in this turn.
        """
        self._check.update_busy_lines(seen, checked=checked)
        totals = FillTotals()
        while True:
            last = self.run_once(self._deps.context.now(), totals)
            if not self._continues(last) or self._wake_up.stopped:
                return last
            term.beat()

    def _continues(self, last: PassResult) -> bool:
        """Return whether another pass follows at once."""
        return last.more

    def run_once(self, now: datetime, totals: FillTotals | None = None) -> PassResult:
        """Run one pass: plan from one snapshot, claim the chosen contacts, dial them.

        `totals` accumulates over the passes of one fill.
        """
        allowed = self._deps.pace.allowed(self._wake_up.now())
        snapshot = self._snapshot(now, max(allowed, 1))
        withheld = self._safely_withhold(snapshot)
        self._expire(snapshot, now)
        self._review(snapshot)
        made = plan(snapshot, self._conditions(snapshot, now, allowed))
        self._complete(snapshot)
        self._pause(made.pauses)
        claimed = self._claim(made, snapshot)
        if not claimed.stale:
            self._store_decisions(made, claimed, now, totals or FillTotals())
            self._filling = _still_filling(made)
        self._dial(claimed, snapshot, made)
        more = self._look_ahead(snapshot, withheld + len(made.deferrals))
        return _result(made, claimed, more=more and not claimed.stale)

    # --- Planning -------------------------------------------------------------------

    def _snapshot(self, now: datetime, limit: int) -> Snapshot:
        """Read a snapshot without the contacts whose claim was dropped in this tick."""
        most = limit + len(self._dropped) + self._passed_over
        if self._refusals_stored:
            most = max(most, LOOK_AHEAD)
        snapshot = self._deps.read_snapshot(now, most)
        self._check_log_did_not_go_back(snapshot)
        if self._dropped:
            fit = tuple(map(self._without_dropped, snapshot.campaigns))
            snapshot = replace(snapshot, campaigns=fit)
        return self._deps.screen(snapshot, now)

    def _look_ahead(self, seen: Snapshot, stored: int) -> bool:
        """Read further candidates next time if some of these were refused.

        Returns whether there may be candidates behind them that nobody has seen yet.
        """
        before = self._passed_over
        self._refusals_stored = stored > 0
        held = [_held(view) for view in seen.campaigns]
        self._passed_over = max(held, default=0)
        return stored > 0 or self._passed_over > before

    def _safely_withhold(self, snapshot: Snapshot) -> int:
        """Withhold refused candidates; an error must not keep others from calls."""
        try:
            return self._deps.withhold_refused(snapshot)
        except TERM_ENDING_ERRORS:
            raise
        except Exception:
            log.exception("contacts of suppressed numbers cannot be withheld")
            return 0

    def _check_log_did_not_go_back(self, snapshot: Snapshot) -> None:
        """Raise LeadershipLost if claims disappeared: another database answers."""
        if snapshot.claims_seen < self._claims_seen:
            counts = f"from {self._claims_seen} to {snapshot.claims_seen}"
            raise LeadershipLost(f"the log went back: stored claims fell {counts}")
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
        settings = values_in_force(snapshot.settings, self._deps.first_settings)
        findings = self._check.findings
        return Conditions(
            now=now,
            global_cap=settings.global_cap,
            max_requests=allowed,
            line_limits=self._deps.pace.allowed_on_slow_lines(self._wake_up.now()),
            busy_lines=findings.busy_lines,
            filling=self._filling,
            daily_budget=settings.daily_budget,
            provider_down=self._deps.no_dialling_because or findings.down,
            lines_down=findings.lines_down,
            claiming_blocked=_key_fault(self._deps.key_fault())
            or _why_blocked(self._check.blocked),
        )

    # --- Completing and pausing campaigns -------------------------------------------

    def _expire(self, snapshot: Snapshot, now: datetime) -> None:
        """Record the end of campaigns whose terms name a time that has come."""
        for view in snapshot.campaigns:
            if view.must_expire(now):
                self._run_command(
                    view.id, partial(self._deps.campaigns.expire, view.id)
                )

    def _review(self, snapshot: Snapshot) -> None:
        """Decide again about planned calls that are late or have older terms."""
        review = self._deps.planned_calls.review
        for view in snapshot.campaigns:
            if view.to_review:
                self._run_command(view.id, partial(review, view.id, view.to_review))

    def _complete(self, snapshot: Snapshot) -> None:
        complete = self._deps.campaigns.complete
        for view in snapshot.campaigns:
            if view.must_complete:
                self._run_command(
                    view.id, partial(complete, view.id, version=view.version)
                )

    def _pause(self, pauses: tuple[Pause, ...]) -> None:
        for pause in pauses:
            command = partial(
                self._deps.campaigns.pause,
                pause.campaign_id,
                by=SCHEDULER,
                reason=pause.message,
                cause=pause.cause,
                scope=pause.scope,
            )
            self._run_command(pause.campaign_id, command)

    def _run_command(self, campaign_id: UUID, command: Callable[[], object]) -> None:
        """Run a command on one campaign; its errors do not affect other campaigns."""
        try:
            command()
        except (IntegrityError, Refused) as error:
            log.info("campaign %s has changed meanwhile: %s", campaign_id, error)
        except TERM_ENDING_ERRORS:
            raise
        except Exception:
            log.exception("a command on campaign %s failed", campaign_id)

    # --- Claiming and dialling ------------------------------------------------------

    def _claim(self, made: Plan, snapshot: Snapshot) -> ClaimResult:
        """Claim the chosen contacts and wait until the read model shows the claims."""
        chosen = made.claims + made.deferrals
        if not chosen:
            return ClaimResult()
        claimed = self._deps.claims.claim(chosen, seen=snapshot.claims_seen)
        self._review_dropped(chosen, claimed)
        position = claimed.position or snapshot.position + 1
        self._deps.read_model.wait_for(position, READ_MODEL_SECONDS)
        return claimed

    def _review_dropped(
        self, chosen: Sequence[PlannedCall], claimed: ClaimResult
    ) -> None:
        """Finish contacts whose calls the present terms do not allow any more."""
        dropped = set(claimed.dropped)
        self._dropped |= dropped
        for one in chosen:
            if one.call_id in dropped:
                log.warning(
                    "call %s is not claimed: it exists, or its contact or the policy"
                    " has changed",
                    one.call_id,
                )
                review = partial(
                    self._deps.planned_calls.review, one.campaign_id, [one.contact_id]
                )
                self._run_command(one.campaign_id, review)

    def _dial(self, claimed: ClaimResult, snapshot: Snapshot, made: Plan) -> None:
        lines = {view.id: view.phone_number_id for view in snapshot.campaigns}
        campaigns = {chosen.call_id: chosen.campaign_id for chosen in made.claims}
        self._deps.dispatch.dial(
            [
                ClaimedCall(call_id, campaigns[call_id], lines[campaigns[call_id]])
                for call_id in claimed.calls
                if call_id in campaigns
            ]
        )

    # --- Decisions ------------------------------------------------------------------

    def _store_decisions(
        self, made: Plan, claimed: ClaimResult, now: datetime, totals: FillTotals
    ) -> None:
        taken = set(claimed.calls)
        lost = Counter(
            one.campaign_id for one in made.claims if one.call_id not in taken
        )
        for verdict in made.verdicts:
            id_ = verdict.campaign_id
            totals.rooms.setdefault(id_, verdict.room)
            totals.placed[id_] += verdict.placed - lost[id_]
        self._deps.process_records.write_decisions(
            [_decision(verdict, lost, now, totals) for verdict in made.verdicts]
        )


def _why_blocked(blocked: ClaimingBlocked | None) -> Waiting | None:
    if blocked is None or blocked.until is None:
        return None
    return Waiting(WaitingCode.OUTCOME_UNKNOWN, blocked.message, until=blocked.until)


def _key_fault(fault: str | None) -> Waiting | None:
    return Waiting(WaitingCode.RULES_UNAVAILABLE, fault) if fault else None


def _still_filling(made: Plan) -> frozenset[UUID]:
    """Return the campaigns whose fill continues: only the pace ended this pass."""
    return frozenset(
        verdict.campaign_id
        for verdict in made.verdicts
        if verdict.placed or any(why.code in TEMPORARY for why in verdict.reasons)
    )


def _held(view: CampaignView) -> int:
    """Count the candidates that wait without a known end: they stay candidates."""
    waits = [one.decision for one in view.refused if isinstance(one.decision, Wait)]
    return sum(one.until is None for one in waits)


def _result(made: Plan, claimed: ClaimResult, *, more: bool) -> PassResult:
    codes = {why.code for one in made.verdicts for why in one.reasons}
    due = [why.until for one in made.verdicts for why in one.reasons if why.until]
    return PassResult(
        claimed=len(claimed.calls),
        unseen=more or bool(claimed.dropped),
        more=more or bool(claimed.calls or claimed.dropped),
        more_soon=claimed.stale or bool(codes & TEMPORARY),
        next_due_at=min(due, default=None),
    )


def _decision(
    verdict: Verdict, lost: Counter[UUID], now: datetime, totals: FillTotals
) -> Decision:
    """Build the stored decision; contacts dropped from the claim are still pending."""
    dropped = lost[verdict.campaign_id]
    reasons = [
        Reason(why.code, why.message, why.contacts, why.until)
        for why in verdict.reasons
    ]
    if dropped:
        message = "Another call of these contacts was found: they are planned again."
        reasons.append(Reason(WaitingCode.RETRY_LATER, message, dropped))
    return Decision(
        campaign_id=verdict.campaign_id,
        decided_at=now,
        room=totals.rooms[verdict.campaign_id],
        placed=totals.placed[verdict.campaign_id],
        reasons=tuple(reasons),
    )
