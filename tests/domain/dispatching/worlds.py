"""Snapshots and conditions to plan from: built by hand or drawn at random."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from domain.dial_view import (
    CampaignView,
    Candidate,
    GroupView,
    OpenCall,
    Phase,
    Snapshot,
)
from domain.dispatching.blank_view import blank_view
from domain.dispatching.plan_types import Conditions
from domain.gate.groups import NOT_PLACED
from domain.gate.permit import Granted, Permit
from domain.values import NAMESPACE, CallStatus, CampaignState, DialMode, PauseCause

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
LINES = ("north", "south")
LIST = UUID(int=7)
DIALLED = (CampaignState.QUEUED, CampaignState.DIALING, CampaignState.RUNNING)
ACTIVE_PHASES = (Phase.CLAIMED, Phase.REQUESTED, Phase.UNKNOWN, Phase.PLACED)

VIEW = replace(
    blank_view(UUID(int=1), YESTERDAY),
    name="Spring",
    version=3,
    cap=8,
    phone_number_id=LINES[0],
    provider_assistant_id="riley",
    longest_call_seconds=600,
    queued_at=YESTERDAY,
    contacts=100,
    groups=(GroupView(NOT_PLACED, Granted(Permit((), (), "", "", (), (), ())), 0),),
)


@dataclass(frozen=True)
class World:
    snapshot: Snapshot
    conditions: Conditions


def candidates(campaign_id: UUID, count: int, batch: int | None = None) -> list[Any]:
    again = batch is not None
    return [
        Candidate(
            contact_id=uuid5(campaign_id, f"{again} {n}"),
            list_id=LIST,
            attempt=1,
            call_id=uuid5(campaign_id, f"call {n}") if again else None,
            batch=batch,
        )
        for n in range(count)
    ]


def a_view(number: int = 1, *, waiting: int = 0, **fields: Any) -> CampaignView:
    """Return a campaign with this number of candidates, all of them pending."""
    id_ = UUID(int=number)
    people = {"pending": waiting, "candidates": tuple(candidates(id_, waiting))}
    return replace(VIEW, id=id_, **{**people, **fields})


def a_call(number: int, campaign_id: UUID, phase: Phase, **fields: Any) -> OpenCall:
    call = OpenCall(
        call_id=uuid5(NAMESPACE, f"{campaign_id} {number}"),
        campaign_id=campaign_id,
        contact_id=UUID(int=number),
        attempt=1,
        phase=phase,
        status=CallStatus.QUEUED,
        requests=1,
        requested_at=NOW,
        dial_before=NOW,
        unknown_at=None,
        provider_call_id=None,
        queued_at=YESTERDAY,
        claimed_at=NOW,
        placed_at=None,
        ended_at=None,
        closed_at=None,
        last_event_at=NOW,
        hang_up_requested=False,
        looked_up=0,
        version=2,
        phone_number_id=LINES[0],
        longest_call_seconds=600,
    )
    return replace(call, **fields)


def a_snapshot(
    *views: CampaignView, calls: tuple[OpenCall, ...] = (), **fields: Any
) -> Snapshot:
    """Return a snapshot; without `calls`, each view has the calls that it counts."""
    snapshot = Snapshot(
        position=100,
        claims_seen=5,
        settings=None,
        duplicates_open=False,
        suspected=(),
        spent_today=Decimal(0),
        campaigns=views,
        calls=calls or tuple(call for view in views for call in calls_of(view)),
    )
    return replace(snapshot, **fields)


def calls_of(view: CampaignView) -> list[OpenCall]:
    phases = [Phase.PLACED] * view.active + [Phase.GHOST] * view.ghosts
    phases += [Phase.REPORTING] * (view.unreported - len(phases))
    line = view.phone_number_id
    return [
        a_call(number, view.id, phase, phone_number_id=line)
        for number, phase in enumerate(phases)
    ]


def the_conditions(**fields: Any) -> Conditions:
    lines: Mapping[str, int] = {}
    return replace(
        Conditions(now=NOW, global_cap=100, max_requests=100, line_limits=lines),
        **fields,
    )


# --- By chance -----------------------------------------------------------------------


def worlds() -> st.SearchStrategy[World]:
    """Draw random snapshots from a seed: much faster than a strategy per field."""
    return st.integers(0, 2**32).map(lambda seed: a_world(Random(seed)))


def a_world(dice: Random) -> World:
    drawn = [_view(dice, number) for number in range(1, dice.randint(2, 5))]
    calls = [
        replace(call, claimed_at=dice.choice([NOW, YESTERDAY]))
        for view in drawn
        for call in calls_of(view)
    ]
    over = [a_call(n, UUID(int=99), Phase.GHOST) for n in range(dice.choice([0, 0, 2]))]
    snapshot = Snapshot(
        position=100,
        claims_seen=5,
        settings=None,
        duplicates_open=dice.random() < 0.03,
        suspected=(),
        spent_today=_money(dice, 3),
        campaigns=tuple(drawn),
        calls=(*calls, *over),
    )
    return World(snapshot, _conditions(dice))


def _conditions(dice: Random) -> Conditions:
    slow = {line for line in LINES if dice.random() < 0.3}
    return Conditions(
        now=NOW,
        global_cap=dice.choice([dice.randint(1, 20), 100]),
        max_requests=dice.choice([dice.randint(0, 6), 50]),
        line_limits={line: dice.randint(0, 3) for line in slow},
        busy_lines=frozenset(line for line in LINES if dice.random() < 0.3),
        filling=frozenset(UUID(int=n) for n in range(1, 5) if dice.random() < 0.3),
        daily_budget=dice.choice([None, None, _money(dice, 9)]),
        provider_down="no route" if dice.random() < 0.03 else None,
    )


def _view(dice: Random, number: int) -> CampaignView:
    """Draw a campaign with consistent counts."""
    mode = dice.choice(list(DialMode))
    batch = dice.choice([None, 3]) if mode is DialMode.BATCH else None
    first = mode is DialMode.BATCH and batch is None
    is_idle = first or dice.random() < 0.2
    active, ghosts, deferred, again = (
        0 if is_idle else dice.randint(0, most) for most in (4, 2, 2, 2)
    )
    again = again if mode is DialMode.BATCH else 0
    fresh, held = dice.randint(0, 8), active + ghosts + deferred + again
    shown = dice.choice([fresh, dice.randint(0, fresh)])
    state = dice.choice([*DIALLED, *DIALLED, CampaignState.PAUSED])
    id_ = UUID(int=number)
    return replace(
        VIEW,
        id=id_,
        state=state,
        pause_cause=PauseCause.PERSON if state is CampaignState.PAUSED else None,
        cap=dice.randint(1, 9),
        mode=mode,
        line_quiet_gating=dice.random() < 0.2,
        phone_number_id=dice.choice(LINES),
        budget=dice.choice([None, None, _money(dice, 5)]),
        spend=_money(dice, 3),
        costs_reported=dice.randint(0, 4),
        queued_at=YESTERDAY + timedelta(minutes=dice.randint(0, 3)),
        pending=deferred + again + fresh,
        active=active,
        ghosts=ghosts,
        unreported=active + ghosts + dice.randint(0, 2),
        deferred=deferred,
        next_due_at=NOW + timedelta(minutes=1) if deferred else None,
        batch=batch,
        claimed_position=dice.choice([None, dice.randint(1, 9)]),
        batch_contacts=held + dice.randint(0, 3) if batch else 0,
        candidates=(*candidates(id_, again, batch), *candidates(id_, shown)),
    )


def _money(dice: Random, most: int) -> Decimal:
    return Decimal(dice.randint(0, most * 100)) / 100
