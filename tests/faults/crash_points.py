"""Our processes in virtual time, with a hook before and after each visible step.

A step is an effect that other processes can observe: a request to the provider, or an
append to the log. Between two steps a process changes nothing that others can see, so
a crash or a freeze there is equivalent to one at the next step. A test's hook can
therefore reach every distinguishable crash by raising or by advancing time at a step.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from application.app import AutoLynx
from application.errors import StoreUnavailable
from application.ports import (
    CallOrder,
    NeverLeft,
    Outcome,
    ProviderCall,
)
from provider.vapi.messages.reading import read_message
from scheduler.dependencies import SchedulerDependencies
from scheduler.dispatch import SEND_WITHIN_SECONDS, Dispatch
from scheduler.loop import Scheduler
from scheduler.maintenance.suppressed_numbers import SuppressedNumbers
from scheduler.pace import Pace
from scheduler.reconciliation.adopt import Adoption
from scheduler.reconciliation.reconcile import Reconcile
from scheduler.screening import screening_of
from scheduler.wakeup import WakeUp
from storage.log.recorder import EventStoreFactory
from storage.process.timeline_guard import TimelineGuard
from tests.fakes import FakeProvider
from tests.faults.virtual_provider import TIME_OUT, VirtualProvider
from tests.wiring import NOON, Services

INTERVAL = timedelta(seconds=10)


class _AppendStart(threading.local):
    at: datetime = NOON


type StepHook = Callable[["Step"], None]
"""Called at each step; may raise ProcessDied or StoreUnavailable, or advance time."""


class ProcessDied(BaseException):
    """Ends a simulated process.

    A BaseException, so that no `except Exception` of the product catches it.
    """


@dataclass(frozen=True)
class Step:
    """The moment just before or just after a visible effect of a process.

    `name` is the topic of the first event of an append, or a request such as
    `POST /call`; `done` is true after the effect. `topics` are those of all events
    of the append.
    """

    process: "Process"
    name: str
    done: bool
    topics: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{'after' if self.done else 'before'} {self.name}"


@dataclass
class Process:
    """A simulated process of ours; `on_step` is called at each of its steps."""

    role: str
    services: Services
    provider: VirtualProvider
    on_step: StepHook
    dead: bool = False
    steps: Counter[str] = field(default_factory=Counter)
    answers: tuple[Any, ...] = ()
    append_start: _AppendStart = field(default_factory=_AppendStart)
    """The virtual time at which each thread of this process began its last append.

    While the process is frozen, other simulated processes run in the same thread.
    """

    def __post_init__(self) -> None:
        self.app = CrashingApp(EventStoreFactory(self.services.writing))
        self.app.process = self
        self.components = replace(self.services, app=self.app)
        self.calls = self.components.calls

    def step(self, name: str, *, done: bool, topics: Sequence[str] = ()) -> None:
        self.check()
        self.on_step(Step(self, name, done, frozenset(topics)))
        self.check()

    def die(self) -> None:
        self.dead = True
        raise ProcessDied

    def check(self) -> None:
        if self.dead:
            raise ProcessDied

    def receive(self, message: dict[str, Any]) -> bool:
        """Store a webhook as the API does; true stands for the answer 200.

        `answers` are then the results of the tool calls in it.
        """
        self.answers = ()
        try:
            receipt = self.calls.record_message(read_message(message))
            self.answers = receipt.answers
        except StoreUnavailable:
            return False
        return not self.dead


class CrashingApp(AutoLynx):
    """The application of one simulated process: each append is a step."""

    process: Process

    def append(self, *changed: Any, **how: Any) -> int | None:
        topics = topics_of(changed)
        self.process.check()
        if not topics:
            return super().append(*changed, **how)
        self.process.append_start.at = self.process.services.now()
        self.process.step(topics[0], done=False, topics=topics)
        position = super().append(*changed, **how)
        self.process.step(topics[0], done=True, topics=topics)
        return position


def topics_of(changed: tuple[Any, ...]) -> list[str]:
    """Return the topics of all events of an append, in the order of their storage."""
    return [
        str(event.TOPIC)
        for item in changed
        if item is not None
        for event in getattr(item, "pending_events", [item])
    ]


class CrashingProvider(FakeProvider):
    """The provider as seen by one simulated process: each request is a step."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process, self._real = process, process.provider

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        self._process.step("POST /call", done=False)
        # The real adapter checks this with the monotonic clock.
        passed = (
            self._process.services.now() - self._process.append_start.at
        ).total_seconds()
        if passed > SEND_WITHIN_SECONDS:
            return NeverLeft("it was too late to send the request")
        outcome = self._real.create_call(order, send_before=send_before)
        self._process.step("POST /call", done=True)
        return outcome

    def call(self, provider_call_id: str) -> ProviderCall | None:
        self._process.check()
        return self._real.call(provider_call_id)

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        self._process.step("GET /call", done=False)
        return self._real.calls(phone_number_id, since=since)

    def hang_up(self, provider_call_id: str) -> None:
        self._process.step("DELETE", done=False)
        self._real.hang_up(provider_call_id)
        self._process.step("DELETE", done=True)


class VirtualWakeUp(WakeUp):
    """A wake-up that advances virtual time instead of waiting."""

    def __init__(
        self, now: Callable[[], datetime], rest: Callable[[float], None]
    ) -> None:
        super().__init__()
        self._now, self._rest = now, rest
        # Ahead of the monotonic clock, which the dispatcher uses for its pace.
        self._base = monotonic() + 1000.0

    def now(self) -> float:
        return self._base + (self._now() - NOON).total_seconds()

    def rest(self, until: float) -> None:
        if not self.stopped:
            self._rest(max(until - self.now(), 0.0))

    def listen(self, until: float) -> None:
        self.rest(until)


@dataclass
class SchedulerProcess(Process):
    """A scheduler that leads until it dies.

    `meanwhile` is called with the number of seconds whenever the scheduler waits.
    """

    meanwhile: Callable[["SchedulerProcess", float], None] = lambda *_: None

    def __post_init__(self) -> None:
        super().__post_init__()
        provider, pace = CrashingProvider(self), Pace(1000.0, lambda: 0.5)
        self.dispatch = Dispatch(
            calls=self.calls,
            campaigns=self.components.campaigns,
            provider=provider,
            pace=pace,
            context=self.services.context,
            workers=2,
        )
        self.wake_up = VirtualWakeUp(self.services.now, self._rest)
        deps = self._dependencies(provider, pace)
        self._scheduler = Scheduler(deps, self.wake_up)

    def _dependencies(
        self, provider: CrashingProvider, pace: Pace
    ) -> SchedulerDependencies:
        services, components = self.services, self.components
        screening = screening_of(components)
        reconcile = Reconcile(
            calls=self.calls,
            provider=provider,
            is_under_way=self.dispatch.is_under_way,
            interval=INTERVAL,
            time_out=timedelta(seconds=TIME_OUT),
        )
        return SchedulerDependencies(
            read_snapshot=self._snapshot,
            claims=components.claims,
            campaigns=components.campaigns,
            planned_calls=components.planned_calls,
            dispatch=self.dispatch,
            reconcile=reconcile,
            adoption=self._adoption(provider, reconcile),
            process_records=services.process_records,
            read_model=services.read_model,
            pace=pace,
            context=services.context,
            first_settings=replace(
                services.settings.values(),
                dials_per_second=1000.0,
                tick_seconds=20,
                silence_timeout_seconds=120,
            ),
            reconcile_every=INTERVAL,
            random=lambda: 0.5,
            key_fault=self.components.installation_key.fault,
            end_suppressed=SuppressedNumbers(
                services.reading,
                withhold=self.components.withholding.withhold,
                hang_up=self.calls.hang_up_before_ringing,
                now=services.now,
                blocks=services.suppression_blocks,
            ).run,
            screen=screening,
            withhold_refused=screening.withhold_refused,
        )

    def _adoption(self, provider: CrashingProvider, reconcile: Reconcile) -> Adoption:
        return Adoption(
            calls=self.calls,
            claims=self.components.claims,
            provider=provider,
            open_lines=self.services.open_lines,
            position=self.services.app.recorder.max_notification_id,
            timeline_guard=TimelineGuard(self.services.writing),
            now=self.services.context.now,
            quarantine=reconcile.quarantine,
        )

    def lead(self) -> None:
        """Lead until stopped, dead or without a store; then stop the dispatcher."""
        try:
            self._scheduler.lead(_UndisputedTerm())  # type: ignore[arg-type]  # the loop uses only these methods
        except (ProcessDied, StoreUnavailable):
            return
        finally:
            self.dispatch.stop()

    def _snapshot(self, now: datetime, most: int) -> Any:
        self.check()
        view = self.services.read_snapshot(now, most)
        is_planning = most > 1
        self.step("planning snapshot" if is_planning else "quick snapshot", done=True)
        return view

    def _rest(self, seconds: float) -> None:
        wait(list(self.dispatch._under_way.values()))
        self.check()
        self.meanwhile(self, seconds)
        self.check()


class _UndisputedTerm:
    """A leader's term that is never lost.

    Several simulated schedulers may lead at once, so only the fences protect calls.
    """

    def beat(self) -> None:
        """Do nothing: no other process watches the heartbeat."""

    def set_silence_limit(self, seconds: float) -> None:
        """Do nothing: no other process waits for a heartbeat."""
