"""Views and conditions to plan from: made by hand or drawn by chance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from domain.values import NAMESPACE, CallStatus, CampaignState, DialMode, PauseCause
from projections.dial_queue import CampaignView, Candidate, OpenCall, Phase, Snapshot
from scheduler.policy import Conditions

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
LINES = ("north", "south")
LIST = UUID(int=7)
DIALLED = (CampaignState.QUEUED, CampaignState.DIALING, CampaignState.RUNNING)
ACTIVE_PHASES = (Phase.CLAIMED, Phase.REQUESTED, Phase.UNKNOWN, Phase.PLACED)

VIEW = CampaignView(
    id=UUID(int=1),
    name="Spring",
    state=CampaignState.RUNNING,
    pause_cause=None,
    version=3,
    cap=8,
    mode=DialMode.CONTINUOUS,
    line_quiet_gating=False,
    phone_number_id=LINES[0],
    provider_assistant_id="riley",
    budget=None,
    spend=Decimal(0),
    costs_reported=0,
    longest_call_seconds=600,
    created_at=YESTERDAY,
    queued_at=YESTERDAY,
    contacts=100,
    pending=0,
    active=0,
    ghosts=0,
    unreported=0,
    deferred=0,
    next_due_at=None,
    batch=None,
    batch_contacts=0,
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
    """Make a campaign with so many candidates, all of whom are pending."""
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
        queued_at=NOW,
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
    """Make a snapshot; without `calls` each view has those that it counts."""
    snapshot = Snapshot(
        position=100,
        claims_seen=5,
        settings=None,
        duplicates_open=False,
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
    return replace(Conditions(now=NOW, global_cap=100, most=100, lines=lines), **fields)


# --- By chance -----------------------------------------------------------------------

money = st.decimals(0, 3, places=2)


@st.composite
def views(draw: st.DrawFn, number: int) -> CampaignView:
    """Draw a campaign whose counts agree with each other."""
    mode = draw(st.sampled_from(DialMode))
    batch = draw(st.sampled_from([None, 3])) if mode is DialMode.BATCH else None
    open_now = mode is DialMode.CONTINUOUS or batch is not None
    active, ghosts, deferred, again = (
        draw(st.integers(0, most)) if open_now else 0 for most in (4, 1, 2, 2)
    )
    reporting, fresh = draw(st.integers(0, 2)), draw(st.integers(0, 6))
    held, id_ = active + ghosts + deferred + again, UUID(int=number + 1)
    again = again if mode is DialMode.BATCH else 0
    shown = draw(st.integers(0, fresh))
    state = draw(st.sampled_from([*DIALLED, CampaignState.PAUSED]))
    return replace(
        VIEW,
        id=id_,
        state=state,
        pause_cause=PauseCause.PERSON if state is CampaignState.PAUSED else None,
        cap=draw(st.integers(1, 6)),
        mode=mode,
        line_quiet_gating=draw(st.booleans()),
        phone_number_id=draw(st.sampled_from(LINES)),
        budget=draw(st.none() | money),
        spend=draw(money),
        costs_reported=draw(st.integers(0, 4)),
        queued_at=YESTERDAY + timedelta(minutes=draw(st.integers(0, 3))),
        pending=deferred + again + fresh,
        active=active,
        ghosts=ghosts,
        unreported=active + ghosts + reporting,
        deferred=deferred,
        next_due_at=NOW + timedelta(minutes=1) if deferred else None,
        batch=batch,
        batch_contacts=held + draw(st.integers(0, 3)) if batch else 0,
        candidates=(*candidates(id_, again, batch), *candidates(id_, shown)),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    drawn = [draw(views(number)) for number in range(draw(st.integers(1, 4)))]
    calls = [
        replace(call, queued_at=draw(st.sampled_from([NOW, YESTERDAY])))
        for view in drawn
        for call in calls_of(view)
    ]
    over = [
        a_call(n, UUID(int=99), Phase.GHOST) for n in range(draw(st.integers(0, 2)))
    ]
    snapshot = Snapshot(
        position=100,
        claims_seen=5,
        settings=None,
        duplicates_open=draw(st.sampled_from([False] * 5 + [True])),
        spent_today=draw(money),
        campaigns=tuple(drawn),
        calls=(*calls, *over),
    )
    conditions = Conditions(
        now=NOW,
        global_cap=draw(st.integers(1, 14)),
        most=draw(st.integers(0, 10)),
        lines=draw(
            st.dictionaries(st.sampled_from(LINES), st.integers(0, 3), max_size=2)
        ),
        busy_lines=frozenset(draw(st.sets(st.sampled_from(LINES)))),
        daily_budget=draw(st.none() | st.decimals(0, 9, places=2)),
        provider_down=draw(st.sampled_from([None] * 5 + ["no route"])),
    )
    return World(snapshot, conditions)
