"""Which contacts to call next, and why not the others: a pure function.

Read it as the specification. A plan holds the claims of one pass and, for every
started campaign, a verdict: claims + contacts of the reasons = pending contacts.

1. A campaign that is paused, or that has another barrier, gets nothing.
2. Its contacts that are due and whose group the gate allows to be called are eligible:
   callbacks first, then retries, then the others in the order of the file; in the mode
   BATCH only those of the batch that is under way. Planned calls belong to no batch
   until they are made.
3. It demands as many calls as fit under its cap and its budget. Ghosts use slots;
   calls without a final cost reserve money, as `costs.py` estimates it.
4. What all campaigns share (global cap, daily budget, pace, limits of slowed lines) is
   given one call at a time to the campaign that uses the fewest slots; among equals,
   to the one that has waited longest since its last claim.
5. For all contacts left over the plan states the reason.
6. A contact whose number may not be called before a known time is deferred until then.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from domain.dial_view import CampaignView, Candidate, Phase, PlannedCall, Snapshot
from domain.dispatching.plan_types import Conditions, Plan
from domain.dispatching.reasons import barrier, pause, verdict
from domain.dispatching.shares import Demand, Money, Remaining, share
from domain.gate.groups import ContactGroup
from domain.gate.permit import Wait
from domain.states import STARTED
from domain.values import DialMode


def plan(snapshot: Snapshot, conditions: Conditions) -> Plan:
    """Fill the free slots fairly; see the module's docstring for the rules."""
    views = [view for view in snapshot.campaigns if view.state in STARTED]
    unknown = Counter(
        call.campaign_id for call in snapshot.calls if call.phase is Phase.UNKNOWN
    )
    money = Money.of(snapshot, conditions.now)
    demands = [
        _demand(view, snapshot, conditions, unknown[view.id], money) for view in views
    ]
    left = Remaining.of(snapshot, conditions, money)
    shares = share([demand for demand in demands if demand.calls > 0], left)
    return Plan(
        claims=tuple(
            planned
            for demand in demands
            for planned in _planned(demand, shares.get(demand.id, 0))
        ),
        verdicts=tuple(
            verdict(demand, shares.get(demand.id, 0), left) for demand in demands
        ),
        pauses=tuple(
            found for demand in demands if (found := pause(demand)) is not None
        ),
        deferrals=tuple(
            one
            for demand in demands
            if demand.barrier is None
            for one in _deferrals(demand.view)
        ),
    )


def _demand(
    view: CampaignView,
    snapshot: Snapshot,
    conditions: Conditions,
    unknown: int,
    money: Money,
) -> Demand:
    batch, eligible = _batch(view)
    return Demand(
        view=view,
        barrier=barrier(view, snapshot, conditions),
        room=max(view.cap - view.active - view.ghosts, 0),
        affordable=money.affordable(view),
        cost=money.expected[view.id].call,
        batch=batch,
        eligible=eligible,
        unknown=unknown,
    )


def _batch(view: CampaignView) -> tuple[int | None, tuple[Candidate, ...]]:
    """Return the batch that claims belong to, and the contacts that may join it.

    A batch starts when no call of the last one is open, and holds up to `cap`
    contacts. A contact that was deferred, or is due again, stays in the last batch,
    but one that the gate refuses until a known time does not keep that batch open.
    """
    allowed = _allowed(view)
    if view.mode is DialMode.CONTINUOUS:
        return None, allowed
    again = tuple(one for one in allowed if one.batch is not None)
    fresh = tuple(one for one in allowed if one.batch is None)
    is_open = view.holds_batch or bool(again)
    if view.batch is None or not is_open:
        return (view.batch or 0) + 1, fresh[: view.cap]
    return view.batch, again + fresh[: max(view.cap - view.batch_contacts, 0)]


def _allowed(view: CampaignView) -> tuple[Candidate, ...]:
    """Return the candidates of groups that the gate allows to be called."""
    is_open = {group.group_id for group in view.groups if group.is_open}
    return tuple(one for one in view.candidates if one.group_id in is_open)


def _planned(demand: Demand, count: int) -> list[PlannedCall]:
    view, groups = demand.view, _groups(demand.view)
    chosen = demand.eligible[:count]
    return [_call_of(view, one, demand.batch, groups) for one in chosen]


def _deferrals(view: CampaignView) -> list[PlannedCall]:
    """Return the refused contacts that wait until a known time; they join no batch."""
    groups = _groups(view)
    return [
        replace(
            _call_of(view, one.candidate, one.candidate.batch, groups),
            wait=one.decision,
        )
        for one in view.refused
        if isinstance(one.decision, Wait) and one.decision.until is not None
    ]


def _groups(view: CampaignView) -> dict[int, ContactGroup | None]:
    return {one.group_id: one.group for one in view.groups}


def _call_of(
    view: CampaignView,
    candidate: Candidate,
    batch: int | None,
    groups: Mapping[int, ContactGroup | None],
) -> PlannedCall:
    return PlannedCall(
        campaign_id=view.id,
        contact_id=candidate.contact_id,
        attempt=candidate.attempt,
        requeued=candidate.call_id is not None,
        batch=batch,
        contact_version=candidate.contact_version,
        plan=candidate.plan,
        terms_version=_terms_version(view, candidate),
        group=groups[candidate.group_id],
    )


def _terms_version(view: CampaignView, candidate: Candidate) -> int | None:
    """Return the terms by which the report of the call is to be judged, if it is."""
    judged = view.need_reports or candidate.plan is not None
    return view.terms_version if judged else None
