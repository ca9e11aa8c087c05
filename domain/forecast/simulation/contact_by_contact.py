"""Simulation of one campaign contact by contact: the real policy on a virtual clock.

Each pass asks `domain.dispatching.policy.plan` with a snapshot of the simulated
campaign; `next_step` decides what follows a call. Only the calls themselves are
simulated: an oracle says how each one ends.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice
from uuid import UUID

from domain.contacts.contact_history import NO_HISTORY, ContactHistory, PlanKind
from domain.dial_view import (
    CampaignView,
    Candidate,
    GroupView,
    OpenCall,
    Phase,
    Snapshot,
)
from domain.dispatching.blank_view import blank_view
from domain.dispatching.plan_types import Conditions, Plan
from domain.dispatching.policy import plan
from domain.forecast.simulation.retry_delays import typical_history
from domain.forecast.simulation.simulated_calls import (
    CallEnd,
    Contact,
    Dial,
    Oracle,
    Trace,
)
from domain.forecast.situation import Situation
from domain.gate.caps import free_from
from domain.gate.permit import Decision, Granted, Permit, Wait
from domain.outcomes import CallOutcome, Disposition
from domain.planning.retries import CallResult, Retry, next_step
from domain.values import (
    CallStatus,
    WaitingCode,
)

AHEAD_SECONDS = 2.0
"""A pass claims no more calls than can be requested in this time."""

CAMPAIGN, LIST = UUID(int=1), UUID(int=2)
OPEN = Granted(Permit((), (), "", "", (), (), ()))


class ContactByContact:
    """One run; `contacts` are in the order of the file."""

    def __init__(
        self, situation: Situation, contacts: Sequence[Contact], oracle: Oracle
    ) -> None:
        self._s, self._contacts, self._oracle = situation, contacts, oracle
        self._histories: dict[int, ContactHistory] = {}
        self._fresh: list[list[int]] = [[] for _ in situation.strata]
        self._planned: list[tuple[float, int, int]] = []
        self._due: list[deque[tuple[float, int, int]]] = [
            deque() for _ in situation.strata
        ]
        for index, one in enumerate(contacts):
            if one.attempt == 1 and one.due <= 0:
                self._fresh[one.stratum].append(index)
            else:
                heappush(self._planned, (one.due, index, one.attempt))
        for own in self._fresh:
            own.reverse()  # The next one is taken from the end.
        self._live: list[tuple[float, int, int]] = []
        self._calls: dict[int, OpenCall] = {}
        self._ends: dict[int, CallEnd] = {}
        self._reported = 0
        self._batch: int | None = None
        self._batch_contacts, self._last_turn = 0, float("-inf")
        self._trace = Trace(spend=situation.made.spend)

    def run(self, until: float | None = None) -> Trace:
        """Run until all contacts are finished, or none can be called any more.

        With `until`, the run stops at that time; `waiting` then describes the contacts.
        """
        now, trace = 0.0, self._trace
        while True:
            self._settle(now)
            self._release(now)
            made = self._pass(now)
            if not self._pending() and not self._live:
                break
            later = self._next_event(now, made)
            if later is None or made.pauses:
                return trace
            if until is not None and later > until:
                return trace
            self._note(made, later - now)
            now = later
        last = max((one.at for one in trace.dials), default=0.0)
        trace.finish = max(last, now)
        return trace

    def waiting(self, at: float) -> list[Contact]:
        """Return the contacts that are not finished, as seen at that time.

        A contact that is being called waits for that call, because its end is unknown.
        """
        found = [
            Contact(self._contacts[index].stratum, attempt, max(due - at, 0.0))
            for queue in (self._planned, *self._due)
            for due, index, attempt in queue
        ]
        found += [Contact(n) for n, own in enumerate(self._fresh) for _ in own]
        return found + [
            Contact(self._contacts[index].stratum, attempt)
            for _, index, attempt in self._live
        ]

    # --- Passes ---------------------------------------------------------------------

    def _pass(self, now: float) -> Plan:
        allowed = self._turns(now)
        snapshot = self._snapshot(now, max(allowed, 1))
        at = self._at(now)
        conditions = Conditions(
            now=at,
            global_cap=self._s.slots if self._s.slots_are_shared else 1_000_000,
            max_requests=allowed,
            line_limits={},
            daily_budget=self._s.daily_budget,
        )
        made = plan(snapshot, conditions)
        for claim in made.claims:
            self._start(now, claim.contact_id.int - 1, claim.attempt, claim.batch)
        return made

    def _turns(self, now: float) -> int:
        """Return how many calls the pace allows in the next seconds."""
        rate = self._s.per_second
        first = max(now, self._last_turn + 1 / rate)
        until = now + AHEAD_SECONDS
        return 0 if first > until else int((until - first) * rate) + 1

    def _start(self, now: float, index: int, attempt: int, batch: int | None) -> None:
        turn = max(now, self._last_turn + 1 / self._s.per_second)
        self._last_turn = turn
        stratum = self._contacts[index].stratum
        if self._due[stratum] and self._due[stratum][0][1] == index:
            self._due[stratum].popleft()
        else:
            self._fresh[stratum].pop()
        if batch != self._batch:
            self._batch, self._batch_contacts = batch, 0
        self._batch_contacts += 1
        at = self._at(turn)
        end = self._oracle(index, attempt, at)
        self._trace.dials.append(Dial(turn, index, attempt))
        self._ends[index] = end
        self._calls[index] = _open_call(index, attempt, at)
        heappush(self._live, (turn + end.seconds, index, attempt))

    def _snapshot(self, now: float, most: int) -> Snapshot:
        return Snapshot(
            position=0,
            claims_seen=0,
            settings=None,
            duplicates_open=False,
            suspected=(),
            spent_today=self._s.spent_today,
            campaigns=(self._view(now, most),),
            calls=tuple(self._calls.values()),
        )

    def _view(self, now: float, most: int) -> CampaignView:
        groups = tuple(self._group(n, now) for n in range(len(self._s.strata)))
        return replace(
            _VIEW,
            cap=self._s.slots,
            mode=self._s.mode,
            budget=self._s.budget,
            spend=self._trace.spend,
            costs_reported=self._s.made.calls + self._reported,
            created_at=self._s.now,
            contacts=len(self._contacts),
            pending=self._pending(),
            active=len(self._live),
            unreported=len(self._live),
            batch=self._batch,
            batch_contacts=self._batch_contacts,
            ends_at=self._s.terms.ends_at,
            starts_at=self._s.terms.starts_at,
            retries_later=len(self._planned),
            next_retry_at=self._at(self._planned[0][0]) if self._planned else None,
            candidates=tuple(self._candidates(groups, most)),
            groups=groups,
        )

    def _group(self, stratum: int, now: float) -> GroupView:
        hours = self._s.strata[stratum].hours
        decision: Decision = OPEN
        if not hours.is_open(now):
            start = hours.next_start(now)
            until = None if start is None else self._at(start)
            decision = Wait(WaitingCode.OUTSIDE_HOURS, until)
        due = 0 if decision is OPEN else len(self._due[stratum])
        return GroupView(stratum + 1, decision, len(self._fresh[stratum]), due=due)

    def _candidates(self, groups: Sequence[GroupView], most: int) -> list[Candidate]:
        """Return the contacts that may be called: retries by due time, then fresh."""
        is_open = [n for n, group in enumerate(groups) if group.is_open]
        due = sorted(one for n in is_open for one in islice(self._due[n], most))[:most]
        fresh = sorted(index for n in is_open for index in self._fresh[n][-most:])
        found = [
            self._candidate(index, attempt, PlanKind.RETRY) for _, index, attempt in due
        ]
        return found + [
            self._candidate(index, 1, None) for index in fresh[: most - len(found)]
        ]

    def _candidate(self, index: int, attempt: int, kind: PlanKind | None) -> Candidate:
        return Candidate(
            contact_id=_id(index),
            list_id=LIST,
            attempt=attempt,
            call_id=None,
            batch=None,
            group_id=self._contacts[index].stratum + 1,
            plan=kind,
        )

    def _pending(self) -> int:
        waiting = sum(map(len, self._fresh)) + sum(map(len, self._due))
        return waiting + len(self._planned)

    # --- Ends and retries -----------------------------------------------------------

    def _settle(self, now: float) -> None:
        while self._live and self._live[0][0] <= now:
            ended, index, attempt = heappop(self._live)
            end, call = self._ends.pop(index), self._calls.pop(index)
            self._trace.ends.append(end)
            self._trace.spend += end.cost
            self._reported += 1
            self._plan_retry(index, attempt, end, call.claimed_at, ended)

    def _plan_retry(
        self, index: int, attempt: int, end: CallEnd, at: datetime, ended: float
    ) -> None:
        zones = self._s.strata[self._contacts[index].stratum].zones
        before = self._histories.get(index)
        if before is None:
            before = self._earlier_calls(attempt, end.outcome, zones, at)
        kind = PlanKind.RETRY if attempt > 1 else None
        history = before.with_call(at=at, zones=zones, kind=kind)
        moment = self._at(ended)
        goal = Disposition.GOAL_REACHED if end.goal else None
        result = CallResult(end.outcome, moment, goal)
        step = next_step(self._s.terms, history, result, moment)
        self._histories[index] = history
        if isinstance(step, Retry):
            due = free_from(self._s.caps, history.recent, step.due_at)
            self._histories[index] = history.with_retry(step.because)
            seconds = (due - self._s.now).total_seconds()
            heappush(self._planned, (seconds, index, attempt + 1))

    def _earlier_calls(
        self,
        attempt: int,
        outcome: CallOutcome,
        zones: tuple[str, ...],
        at: datetime,
    ) -> ContactHistory:
        """Return a typical history of the calls before the simulation, if any."""
        if attempt == 1:
            return NO_HISTORY
        policy, made = self._s.terms.policy, attempt - 1
        last = at - policy.min_gap
        return typical_history(
            policy, outcome, zones, calls=made, retries=made, last=last
        )

    def _release(self, now: float) -> None:
        while self._planned and self._planned[0][0] <= now:
            due, index, attempt = heappop(self._planned)
            self._due[self._contacts[index].stratum].append((due, index, attempt))

    # --- Time -----------------------------------------------------------------------

    def _at(self, seconds: float) -> datetime:
        return self._s.now + timedelta(seconds=seconds)

    def _next_event(self, now: float, made: Plan) -> float | None:
        """Return when the next pass has something to do; None: never."""
        ready = any(self._fresh) or any(self._due)
        times: list[float | None] = []
        times += [self._live[0][0] + self._s.refill_seconds] if self._live else []
        times += [self._planned[0][0]] if self._planned else []
        codes = {why.code for one in made.verdicts for why in one.reasons}
        has_room = len(self._live) < self._s.slots
        if (made.claims and has_room) or WaitingCode.RATE_LIMITED in codes:
            free = self._last_turn + 1 / self._s.per_second - AHEAD_SECONDS
            times.append(max(now + 1.0, free))
        if ready:
            times += [one.hours.next_start(now) for one in self._s.strata]
            if self._s.terms.starts_at is not None:
                starts = (self._s.terms.starts_at - self._s.now).total_seconds()
                times += [starts] if starts > now else []
        later = [max(time, now + 0.001) for time in times if time is not None]
        return min(later, default=None)

    def _note(self, made: Plan, seconds: float) -> None:
        self._trace.seconds += seconds
        reasons = [why for one in made.verdicts for why in one.reasons]
        if reasons:
            most = max(reasons, key=lambda why: why.contacts)
            limited = self._trace.limited
            limited[most.code] = limited.get(most.code, 0.0) + seconds


@lru_cache(maxsize=8192)
def _id(index: int) -> UUID:
    return UUID(int=index + 1)


def _open_call(index: int, attempt: int, at: datetime) -> OpenCall:
    return OpenCall(
        call_id=_id(index),
        campaign_id=CAMPAIGN,
        contact_id=_id(index),
        attempt=attempt,
        phase=Phase.PLACED,
        status=CallStatus.RINGING,
        requests=1,
        requested_at=at,
        dial_before=None,
        unknown_at=None,
        provider_call_id=None,
        queued_at=at,
        claimed_at=at,
        placed_at=at,
        ended_at=None,
        closed_at=None,
        last_event_at=at,
        hang_up_requested=False,
        looked_up=0,
        version=1,
        phone_number_id="",
        longest_call_seconds=7200,
    )


_VIEW = blank_view(CAMPAIGN, datetime.min.replace(tzinfo=UTC))
