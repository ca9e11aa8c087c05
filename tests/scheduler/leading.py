"""A scheduler for tests: run pass by pass, or leading in a separate thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic
from typing import Any

from application.errors import StoreUnavailable
from scheduler.dependencies import SchedulerDependencies
from scheduler.dispatch import Dispatch
from scheduler.loop import Scheduler
from scheduler.pace import Pace
from scheduler.reconciliation.adopt import Adoption
from scheduler.reconciliation.reconcile import Reconcile
from scheduler.wakeup import WakeUp
from storage.process.leadership import LeadershipLost
from storage.process.timeline_guard import TimelineGuard
from tests.support import eventually
from tests.wiring import Services, real_time


class Leading:
    """A term of leadership that lasts until the test sets `lost`."""

    lost = False
    silence = 0.0

    def beat(self) -> None:
        if self.lost:
            raise LeadershipLost("the connection is gone")

    def set_silence_limit(self, seconds: float) -> None:
        self.silence = seconds


def dependencies_of(
    services: Services,
    interval: timedelta = timedelta(seconds=0.2),
    timer: WakeUp | None = None,
    **changes: Any,
) -> SchedulerDependencies:
    """Build what a scheduler needs over these services.

    `interval` is the time between two checks of the provider, `timer` the clock of the
    dispatcher; `changes` replace fields of the result.
    """
    pace = Pace(1000, lambda: 0.5)
    dispatch = Dispatch(
        calls=services.calls,
        campaigns=services.campaigns,
        provider=services.provider,
        pace=pace,
        context=services.context,
        timer=timer,
    )
    reconcile = Reconcile(
        calls=services.calls,
        provider=services.provider,
        is_under_way=dispatch.is_under_way,
        interval=interval,
        time_out=timedelta(seconds=20),
    )
    deps = SchedulerDependencies(
        read_snapshot=services.read_snapshot,
        claims=services.claims,
        campaigns=services.campaigns,
        planned_calls=services.planned_calls,
        dispatch=dispatch,
        reconcile=reconcile,
        adoption=_adoption(services, reconcile),
        process_records=services.process_records,
        read_model=services.read_model,
        pace=pace,
        context=services.context,
        first_settings=replace(services.settings.values(), dials_per_second=1000),
        reconcile_every=interval,
        random=lambda: 0.5,
    )
    return replace(deps, **changes)


def _adoption(services: Services, reconcile: Reconcile) -> Adoption:
    return Adoption(
        calls=services.calls,
        claims=services.claims,
        provider=services.provider,
        open_lines=services.open_lines,
        position=services.app.recorder.max_notification_id,
        timeline_guard=TimelineGuard(services.writing),
        now=services.now,
        quarantine=reconcile.quarantine,
    )


class Passes:
    """Runs a scheduler pass by pass, and settles all calls after each pass."""

    def __init__(self, services: Services, **changes: Any) -> None:
        self.services, self.deps = services, dependencies_of(services, **changes)
        self.scheduler = Scheduler(self.deps)
        self.deps.adoption.begin()

    def run(self) -> Any:
        self.services.settle()
        last = self.scheduler.run_once(self.services.now())
        dispatch = self.deps.dispatch
        eventually(lambda: not dispatch._under_way, what="settled calls")
        self.services.settle()
        return last


@contextmanager
def leading(
    deps: SchedulerDependencies,
    term: Leading,
    services: Services,
    wake_up: WakeUp | None = None,
) -> Iterator[list[Exception]]:
    """Run `Scheduler.lead` in a thread; yield a list for the error that ends it."""
    scheduler, ends = Scheduler(deps, wake_up), list[Exception]()

    def lead() -> None:
        try:
            scheduler.lead(term)  # type: ignore[arg-type]  # all that it is asked for
        except (LeadershipLost, StoreUnavailable) as error:
            ends.append(error)

    thread = Thread(target=lead)
    unsubscribe = services.read_model.subscribe(lambda *_: scheduler.wake())
    thread.start()
    try:
        yield ends
    finally:
        scheduler.stop()
        thread.join(20)
        unsubscribe()
        deps.dispatch.stop()
        assert not thread.is_alive()


@dataclass
class FastClock:
    """A clock that starts at the real time and runs `factor` times as fast.

    With it, back-off times of the scheduler pass quickly, while the database, HTTP and
    the simulator are real.
    """

    factor: float
    began: float = field(default_factory=monotonic)
    began_at: datetime = field(default_factory=real_time)

    def __call__(self) -> datetime:
        passed = (monotonic() - self.began) * self.factor
        return self.began_at + timedelta(seconds=passed)


class FastWakeUp(WakeUp):
    """Waits by a FastClock, for a fraction of the real time."""

    def __init__(self, clock: FastClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> float:
        clock = self._clock
        return clock.began + (monotonic() - clock.began) * clock.factor

    def rest(self, until: float) -> None:
        super().rest(self._shortened(until))

    def listen(self, until: float) -> None:
        super().listen(self._shortened(until))

    def _shortened(self, until: float) -> float:
        now = self.now()
        return now + (until - now) / self._clock.factor
