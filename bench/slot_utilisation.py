"""Share of slots in use, with the real scheduler in virtual time."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from random import Random
from typing import Any
from uuid import UUID, uuid5

from application.calls.claims import ClaimResult
from application.event_context import EventContext
from bench.support.figures import Figure
from bench.support.installation import Server
from domain.dial_view import (
    Candidate,
    GroupView,
    OpenCall,
    Phase,
    PlannedCall,
    Snapshot,
)
from domain.dispatching.blank_view import blank_view
from domain.gate.groups import NOT_PLACED
from domain.gate.permit import Granted, Permit
from domain.settings import SettingsValues
from domain.values import NAMESPACE, CallStatus
from provider.vapi import ACTOR
from scheduler.dependencies import SchedulerDependencies
from scheduler.loop import Scheduler
from scheduler.pace import Pace
from scheduler.reconciliation.reconcile import Findings
from scheduler.settlement import ClaimedCall
from scheduler.wakeup import WakeUp

CAP, PEOPLE, MEAN_SECONDS = 8, 2_000, 60.0
UNANSWERED, RINGS_SECONDS = 0.25, (15.0, 30.0)
NEWS_SECONDS = 0.3
"""Delay from a call's end until the snapshot shows it, and from POST to ringing."""

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CAMPAIGN = uuid5(NAMESPACE, "bench utilisation")


def measure(server: Server) -> Iterator[Figure]:  # noqa: ARG001 - it needs no database
    """Measure the share with immediate refills and with refills at ticks only."""
    at_once, at_ticks = (used_share(refill=refill) for refill in (True, False))
    setting = (
        f"virtual time, {PEOPLE:,} calls of {MEAN_SECONDS:.0f} s on average, cap {CAP},"
        " tick 60 s, 1 dial/s"
    )
    yield Figure(
        name="slot utilisation",
        value=at_once,
        unit="of 1",
        baseline=1.0,
        target=0.95,
        details=f"{setting}; baseline: all slots always in use",
    )
    yield Figure(
        name="slot utilisation, refilled at ticks only",
        value=at_ticks,
        unit="of 1",
        baseline=at_once,
        details=f"{setting}; baseline: refilled at once",
    )


def used_share(*, refill: bool) -> float:
    """Run a campaign to its last claim; return used slot-seconds / (cap x time)."""
    world = World(SettingsValues(global_cap=CAP, refill_immediately=refill))
    scheduler = Scheduler(_dependencies(world), VirtualWakeUp(world))
    unending: Any = Unending()
    scheduler.lead(unending)
    return (world.used - world.still_to_come()) / (CAP * world.time)


@dataclass
class World:
    """Pending contacts and live calls; virtual time moves when the scheduler waits."""

    settings: SettingsValues
    time: float = 0.0
    waiting: int = PEOPLE
    used: float = 0.0
    news: bool = False
    random: Random = field(default_factory=lambda: Random(1))
    calls: dict[UUID, float] = field(default_factory=dict)
    ends: list[tuple[float, UUID]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The virtual time."""
        return START + timedelta(seconds=self.time)

    def move(self, until: float, *, to_news: bool = False) -> None:
        """Advance time; with `to_news` no further than to the first end of a call."""
        while self.ends and self.ends[0][0] + NEWS_SECONDS <= until:
            if to_news and self.news:
                break
            end, call_id = heappop(self.ends)
            del self.calls[call_id]
            self.time, self.news = max(self.time, end + NEWS_SECONDS), True
        if not (to_news and self.news):
            self.time = max(self.time, until)

    def ring(self, call_id: UUID) -> None:
        """Start a call with a random duration."""
        lasts = self._lasts()
        self.used += lasts
        heappush(self.ends, (self.time + NEWS_SECONDS + lasts, call_id))

    def still_to_come(self) -> float:
        """Return the remaining slot-seconds of live calls."""
        return sum(max(end - self.time, 0) for end, _ in self.ends)

    def _lasts(self) -> float:
        """Return a random duration; one call in four is not answered."""
        if self.random.random() < UNANSWERED:
            return self.random.uniform(*RINGS_SECONDS)
        unanswered = sum(RINGS_SECONDS) / 2
        talk = (MEAN_SECONDS - UNANSWERED * unanswered) / (1 - UNANSWERED)
        return self.random.gammavariate(2, talk / 2)

    # --- What the scheduler calls ---------------------------------------------------

    def snapshot(self, _: datetime, most: int) -> Snapshot:
        """Return what the policy plans from, with up to `most` candidates."""
        waits = [
            Candidate(uuid5(CAMPAIGN, str(self.waiting - n)), CAMPAIGN, 1, None, None)
            for n in range(min(most, self.waiting))
        ]
        active = len(self.calls)
        view = replace(
            VIEW,
            pending=self.waiting,
            active=active,
            unreported=active,
            candidates=tuple(waits),
        )
        calls = tuple(replace(CALL, call_id=call_id) for call_id in self.calls)
        return Snapshot(
            position=1,
            claims_seen=0,
            settings=self.settings,
            duplicates_open=False,
            suspected=(),
            spent_today=Decimal(0),
            campaigns=(view,),
            calls=calls,
        )

    def claim(self, chosen: tuple[PlannedCall, ...], *, seen: int) -> ClaimResult:  # noqa: ARG002 - the service's signature
        """Take the chosen contacts from the pending ones."""
        calls = tuple(one.call_id for one in chosen)
        self.calls |= dict.fromkeys(calls, self.time)
        self.waiting -= len(calls)
        return ClaimResult(calls, position=1)


@dataclass
class Dialler:
    """Places calls at the configured pace, without requests."""

    world: World
    pace: Pace

    def dial(self, claimed: list[ClaimedCall]) -> None:
        """Start the claimed calls one after the other."""
        for one in claimed:
            self.world.move(self.pace.take_turn(one.line, self.world.time))
            self.world.ring(one.call_id)


class VirtualWakeUp(WakeUp):
    """Waits by advancing the virtual time; stops the loop after the last claim."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    @property
    def stopped(self) -> bool:
        """Whether the last contact was claimed."""
        return self._world.waiting == 0

    def now(self) -> float:
        """Return the virtual time in seconds."""
        return self._world.time

    def rest(self, until: float) -> None:
        """Advance time to `until`."""
        self._world.move(until)

    def listen(self, until: float) -> None:
        """Advance time to `until`, or to the first end of a call."""
        self._world.move(until, to_news=True)
        self._world.news = False


class Unending:
    """A term of leadership that never ends."""

    def beat(self) -> None:
        """Do nothing."""

    def set_silence_limit(self, seconds: float) -> None:
        """Do nothing."""


class Quiet:
    """Stands in for all other parts: nothing new at the provider, no lag."""

    def begin(self) -> None:
        """Do nothing."""

    def run(self, *_: Any, **looked: Any) -> Any:
        """Report that the provider shows the line and no call on it."""
        return Findings(frozenset({"line"})) if looked else None

    def wait_for(self, *_: Any) -> bool:
        """Report that the read model is up to date."""
        return True

    def write_decisions(self, *_: Any) -> None:
        """Do nothing."""


def _dependencies(world: World) -> SchedulerDependencies:
    pace = Pace(world.settings.dials_per_second, world.random.random)
    quiet: Any = Quiet()
    claims: Any = world
    dispatch: Any = Dialler(world, pace)
    return SchedulerDependencies(
        read_snapshot=world.snapshot,
        claims=claims,
        planned_calls=claims,
        campaigns=quiet,
        dispatch=dispatch,
        reconcile=quiet,
        adoption=quiet,
        process_records=quiet,
        read_model=quiet,
        pace=pace,
        context=EventContext(
            now=lambda: world.now,
            new_id=lambda: CAMPAIGN,
            random_bytes=bytes,
            provider_actor=ACTOR,
        ),
        first_settings=world.settings,
        reconcile_every=timedelta(seconds=30),
        random=world.random.random,
    )


MAY_BE_CALLED = Granted(Permit((), (), "", "", (), (), ()))

VIEW = replace(
    blank_view(CAMPAIGN, START),
    name="Bench",
    cap=CAP,
    phone_number_id="line",
    provider_assistant_id="riley",
    longest_call_seconds=600,
    queued_at=START,
    contacts=PEOPLE,
    pending=PEOPLE,
    groups=(GroupView(NOT_PLACED, MAY_BE_CALLED, fresh=PEOPLE),),
)

CALL = OpenCall(
    call_id=CAMPAIGN,
    campaign_id=CAMPAIGN,
    contact_id=CAMPAIGN,
    attempt=1,
    phase=Phase.PLACED,
    status=CallStatus.IN_PROGRESS,
    requests=1,
    requested_at=START,
    dial_before=START,
    unknown_at=None,
    provider_call_id="call",
    queued_at=START,
    claimed_at=START,
    placed_at=START,
    ended_at=None,
    closed_at=None,
    last_event_at=START,
    hang_up_requested=False,
    looked_up=0,
    version=1,
    phone_number_id="line",
    longest_call_seconds=600,
)
