"""Our processes in virtual time: they die, freeze or lose an answer at any step.

A step is what others can see: a request to the provider, or facts being stored. What
a process does between two of them nobody knows but itself, so these are all the
moments at which its death, or its sleep, can make a difference.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from application.app import AutoLynx
from application.calls import CallService
from application.campaigns import CampaignService
from application.claims import ClaimService
from application.errors import StoreUnavailable
from application.ports import (
    CallOrder,
    NeverLeft,
    Outcome,
    ProviderCall,
)
from provider.reading import read_message
from scheduler.adopt import Adoption
from scheduler.alarm import Alarm
from scheduler.dispatch import SEND_WITHIN_SECONDS, Dispatch
from scheduler.loop import Parts, Scheduler
from scheduler.pace import Pace
from scheduler.reconcile import Reconcile
from storage.last_led import LastLed
from storage.recorder import EventStoreFactory
from tests.fakes import FakeProvider
from tests.faults.exchange import TIME_OUT, Exchange
from tests.wiring import NOON, House

INTERVAL = timedelta(seconds=10)


class _Begun(threading.local):
    at: datetime = NOON


type Fate = Callable[["Step"], None]
"""What happens at a step; it may raise Died or StoreUnavailable, or let time pass."""


class Died(BaseException):
    """The process is gone: no line of it may run on, no `except` may catch it."""


@dataclass(frozen=True)
class Step:
    """A moment just before or after something that others can see."""

    process: "Process"
    name: str
    done: bool

    def __str__(self) -> str:
        return f"{'after' if self.done else 'before'} {self.name}"


@dataclass
class Process:
    """One of ours: its fate is asked for at each step that it takes."""

    role: str
    house: House
    exchange: Exchange
    fate: Fate
    dead: bool = False
    steps: Counter[str] = field(default_factory=Counter)
    begun: _Begun = field(default_factory=_Begun)
    """When a thread of this process began to store what it stored last.

    While it sleeps, others live on in the very same thread.
    """

    def __post_init__(self) -> None:
        self.app = MortalApp(EventStoreFactory(self.house.writing))
        self.app.process = self
        self.calls = CallService(
            app=self.app,
            means=self.house.means,
            vault=self.house.vault,
            book=self.house.lookups,
            finder=self.house.lookups,
            read_message=read_message,
        )

    def step(self, name: str, *, done: bool) -> None:
        self.check()
        self.fate(Step(self, name, done))
        self.check()

    def die(self) -> None:
        self.dead = True
        raise Died

    def check(self) -> None:
        if self.dead:
            raise Died

    def hears(self, message: dict[str, Any]) -> bool:
        """Take a webhook as the API does: True, its 200, once it is stored."""
        try:
            self.calls.hear(read_message(message))
        except StoreUnavailable:
            return False
        return not self.dead


class MortalApp(AutoLynx):
    process: Process

    def append(self, *changed: Any, **how: Any) -> int | None:
        name = _named(changed)
        self.process.check()
        if name is None:
            return super().append(*changed, **how)
        self.process.begun.at = self.process.house.now()
        self.process.step(name, done=False)
        position = super().append(*changed, **how)
        self.process.step(name, done=True)
        return position


def _named(changed: tuple[Any, ...]) -> str | None:
    """Name the first fact that is to be stored."""
    for one in changed:
        facts = getattr(one, "pending_events", [one] if one is not None else [])
        for fact in facts:
            return str(fact.TOPIC)
    return None


class MortalProvider(FakeProvider):
    """The provider as one process reaches it."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process, self._real = process, process.exchange

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        self._process.step("POST /call", done=False)
        # Virtual time may have passed since the request was stored.
        passed = (self._process.house.now() - self._process.begun.at).total_seconds()
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


class VirtualAlarm(Alarm):
    """Waiting is letting virtual time pass, once all that is under way is settled."""

    def __init__(
        self, now: Callable[[], datetime], rest: Callable[[float], None]
    ) -> None:
        super().__init__()
        self._now, self._rest = now, rest
        # Ahead of the monotonic clock, by which the dispatcher takes its turns.
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
    """A scheduler that leads for as long as it lives; `meanwhile` gets the seconds."""

    meanwhile: Callable[["SchedulerProcess", float], None] = lambda *_: None

    def __post_init__(self) -> None:
        super().__post_init__()
        house, pace = self.house, Pace(1000.0, lambda: 0.5)
        provider = MortalProvider(self)
        claims = ClaimService(self.app, house.means)
        campaigns = CampaignService(
            app=self.app, means=house.means, calls=self.calls, finder=house.lookups
        )
        self.dispatch = Dispatch(
            calls=self.calls,
            campaigns=campaigns,
            provider=provider,
            pace=pace,
            means=house.means,
            workers=2,
        )
        reconcile = Reconcile(
            calls=self.calls,
            provider=provider,
            is_under_way=self.dispatch.is_under_way,
            interval=INTERVAL,
            time_out=timedelta(seconds=TIME_OUT),
        )
        parts = Parts(
            read_snapshot=self._snapshot,
            claims=claims,
            campaigns=campaigns,
            dispatch=self.dispatch,
            reconcile=reconcile,
            adoption=Adoption(
                calls=self.calls,
                claims=claims,
                provider=provider,
                open_lines=house.open_lines,
                position=house.app.recorder.max_notification_id,
                last_led=LastLed(house.writing),
                now=house.means.now,
                quarantine=reconcile.quarantine,
            ),
            operations=house.operations,
            read_model=house.read_model,
            pace=pace,
            means=house.means,
            first_settings=replace(
                house.settings.values(),
                dials_per_second=1000.0,
                tick_seconds=20,
                silence_timeout_seconds=120,
            ),
            reconcile_every=INTERVAL,
            random=lambda: 0.5,
        )
        self.alarm = VirtualAlarm(house.now, self._rest)
        self._scheduler = Scheduler(parts, self.alarm)

    def lead(self) -> None:
        """Lead until stopped, dead or without a store; leave nothing under way."""
        try:
            self._scheduler.lead(_Term())  # type: ignore[arg-type]  # signs of life only
        except (Died, StoreUnavailable):
            return
        finally:
            self.dispatch.stop()

    def _snapshot(self, now: datetime, most: int) -> Any:
        self.check()
        view = self.house.read_snapshot(now, most)
        is_to_plan_from = most > 1
        self.step("the view" if is_to_plan_from else "a glance", done=True)
        return view

    def _rest(self, seconds: float) -> None:
        wait(list(self.dispatch._under_way.values()))
        self.check()
        self.meanwhile(self, seconds)
        self.check()


class _Term:
    def beat(self) -> None:
        """Nobody disputes it: the fences have to do without the lock."""

    def let_silence_last(self, seconds: float) -> None:
        """Nobody waits for a sign."""
