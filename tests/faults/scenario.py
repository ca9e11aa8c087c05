"""One campaign in virtual time: the faults by seed, and what people do meanwhile."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from tenacity import wait_none

from application.errors import StoreUnavailable
from application.ports import ProviderAssistant
from domain.errors import Refused
from domain.values import CampaignState, DialMode
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.faults.crash_points import (
    Process,
    ProcessDied,
    SchedulerProcess,
    Step,
    StepHook,
)
from tests.faults.provider_faults import PERFECT, Rates
from tests.faults.virtual_provider import VirtualProvider
from tests.wiring import BY, Clock, Services, open_services, phones

TOO_LONG = timedelta(hours=6)
"""Virtual time after which a campaign is considered stuck."""


@dataclass
class Trace:
    """The faults that were applied.

    `paused_ranges` are the positions of the log (from, to) between which the campaign
    was paused or canceled, so that no call may be requested; None is an open end.
    """

    happened: Counter[str] = field(default_factory=Counter)
    paused_ranges: list[tuple[int, int | None]] = field(default_factory=list)


@dataclass
class Scenario:
    """One campaign, its provider, and the processes that run it one after another.

    `frozen` is the number of schedulers that are frozen; `pause_rate` is the
    probability per wait that a person pauses the campaign.
    """

    services: Services
    provider: VirtualProvider
    random: Random
    campaign_id: UUID
    on_step: StepHook
    trace: Trace = field(default_factory=Trace)
    frozen: int = 0
    pause_rate: float = 0.0

    def __post_init__(self) -> None:
        self._ends_at = self.services.now() + TOO_LONG
        self._api = self._new_api()
        self.provider.webhook = self._deliver

    def run(self) -> None:
        """Run schedulers, a new one after each crash, until the campaign is over."""
        while not self.over:
            self.scheduler().lead()
        self._deliver_all_messages()

    def scheduler(self) -> SchedulerProcess:
        return SchedulerProcess(
            "scheduler",
            self.services,
            self.provider,
            self._at_step,
            meanwhile=self._meanwhile,
        )

    def _at_step(self, step: Step) -> None:
        """Deliver early forged messages before the fault of the step, if there is one.

        They arrive when the provider has acted and our process has no answer yet.
        """
        if (step.name, step.done) == ("POST /call", True):
            while self.provider.forged_early:
                self._deliver(self.provider.forged_early.pop())
        self.on_step(step)

    def take_over(self, seconds: float) -> None:
        """Run another scheduler for some seconds while the calling one is frozen."""
        if self.frozen:
            return self._pass(seconds)
        self.frozen += 1
        until = self.services.now() + timedelta(seconds=seconds)

        def meanwhile(other: SchedulerProcess, wanted: float) -> None:
            self._meanwhile(other, wanted)
            if self.services.now() >= until:
                other.wake_up.stop()

        while self.services.now() < until and not self.over:
            other = self.scheduler()
            other.meanwhile = meanwhile
            other.lead()
        self.frozen -= 1
        return None

    def pause(self) -> None:
        """Pause the campaign as a person does; `_resume` resumes it later."""
        try:
            position = self.services.campaigns.pause(self.campaign_id, by=BY)
        except Refused:
            return
        if position is not None:
            self.trace.paused_ranges.append((position, None))

    @property
    def over(self) -> bool:
        row = self.services.board(self.campaign_id)
        if self.services.now() > self._ends_at:
            raise AssertionError(f"The campaign is stuck: {row}")
        ended = (CampaignState.COMPLETED, CampaignState.CANCELED, CampaignState.FAILED)
        return row.state in ended and not row.awaiting_reports

    def run_until_called(self, count: int) -> None:
        """Run one scheduler until the provider has made `count` calls."""
        leader = self.scheduler()

        def meanwhile(process: SchedulerProcess, seconds: float) -> None:
            self._meanwhile(process, seconds)
            if len(self.provider.made_calls) >= count:
                process.wake_up.stop()

        leader.meanwhile = meanwhile
        leader.lead()

    # --- Meanwhile ------------------------------------------------------------------

    def _meanwhile(self, process: SchedulerProcess, seconds: float) -> None:
        self._pass(max(seconds, 0.2))
        if self.random.random() < self.pause_rate:
            self.pause()
        self._resume()
        if self.random.random() < 0.8:
            self.services.settle()
        if self.over:
            process.wake_up.stop()

    def _pass(self, seconds: float) -> None:
        self.provider.pass_until(self.services.now() + timedelta(seconds=seconds))

    def _resume(self) -> None:
        campaign = self.services.load_campaign(self.campaign_id)
        paused = campaign.state is CampaignState.PAUSED
        if not paused or self.random.random() > 0.3:
            return
        position = self.services.campaigns.resume(self.campaign_id, by=BY)
        if self.trace.paused_ranges and self.trace.paused_ranges[-1][1] is None:
            self.trace.paused_ranges[-1] = (self.trace.paused_ranges[-1][0], position)

    def _deliver(self, message: dict[str, Any]) -> bool:
        try:
            return self._api.receive(message)
        except ProcessDied:
            self._api = self._new_api()
            return False

    def _new_api(self) -> Process:
        return Process("api", self.services, self.provider, self.on_step)

    def _deliver_all_messages(self) -> None:
        while not self.provider.all_over:
            self._pass(60)
        self.services.settle()


READS = ("planning snapshot", "quick snapshot", "GET /call")
"""Steps that change nothing; they are chosen less often for a fault."""

REQUESTS = ("POST /call", "DELETE")

# --- Step hooks ----------------------------------------------------------------------


def no_faults(_: Step) -> None:
    """Apply no fault."""


@dataclass
class RandomFaults:
    """Apply a random fault every `mean` steps on average."""

    random: Random
    mean: float
    scenario: Scenario | None = None
    left: float = 0.0

    def __post_init__(self) -> None:
        self._draw()

    def __call__(self, step: Step) -> None:
        self.left -= 0.1 if step.name in READS else 1
        if self.left > 0 or self.scenario is None:
            return
        self._draw()
        kinds, weights = ("dies", "freezes", "loses the store"), (80, 12, 8)
        [kind] = self.random.choices(kinds, weights)
        if kind == "loses the store" and step.name in (*READS, *REQUESTS):
            kind = "dies"
        apply_fault(kind, step, self.scenario, self.random)

    def _draw(self) -> None:
        self.left = self.random.expovariate(1 / self.mean)


@dataclass
class FaultAtStep:
    """Apply one fault, the first time that a process of the role reaches the step.

    `name` is a request, or the topic of any event of an append.
    """

    kind: str
    name: str
    done: bool
    role: str = "scheduler"
    scenario: Scenario | None = None
    happened: bool = False

    def __call__(self, step: Step) -> None:
        if self.happened or self.scenario is None:
            return
        is_named = self.name == step.name or self.name in step.topics
        if is_named and (step.process.role, step.done) == (self.role, self.done):
            self.happened = True
            apply_fault(self.kind, step, self.scenario, self.scenario.random)


def apply_fault(kind: str, step: Step, scenario: Scenario, random: Random) -> None:
    """Record the fault and apply it to the process that is at the step."""
    scenario.trace.happened[f"{step.process.role} {kind}: {step}"] += 1
    match kind:
        case "dies":
            step.process.die()
        case "freezes":
            scenario.take_over(random.uniform(30, 120))
        case "loses the store":
            raise StoreUnavailable("the store did not answer")
        case "is paused":
            scenario.pause()
        case "is canceled":
            hang_up = random.random() < 0.5
            position = scenario.services.campaigns.cancel(
                scenario.campaign_id, hang_up=hang_up, by=BY
            )
            if position is not None:
                scenario.trace.paused_ranges.append((position, None))


# --- Set-up --------------------------------------------------------------------------


@contextmanager
def without_retry_waits() -> Iterator[None]:
    """Remove the dispatcher's waits in real time."""
    with (
        patch("scheduler.dispatch.RENEWALS", wait_none()),
        patch("scheduler.settlement.uniform", lambda *_: 0.0),
    ):
        yield


def new_scenario(  # noqa: PLR0917 - tests pass these by name
    services: Services,
    seed: int,
    on_step: Any = no_faults,
    people: int = 4,
    cap: int = 2,
    rates: Rates = PERFECT,
    mode: DialMode = DialMode.CONTINUOUS,
) -> Scenario:
    """Create a campaign and clear the provider of the services, a VirtualProvider."""
    provider: VirtualProvider = services.provider
    provider.restart(Random(f"{seed} exchange"), rates)
    numbers = phones(people, first=provider.random.randrange(9000))
    campaign_id = services.campaign(numbers, cap=cap, mode=mode)
    scenario = Scenario(
        services, provider, Random(f"{seed} drama"), campaign_id, on_step
    )
    if on_step is not no_faults:
        on_step.scenario = scenario
    return scenario


@contextmanager
def virtual_house(
    url: str, provider: VirtualProvider | None = None
) -> Iterator[Services]:
    """Wire all services on the database of that URL, with a VirtualProvider."""
    provider = provider or new_virtual_provider()
    with (
        without_retry_waits(),
        open_services(url, now=provider.clock, provider=provider) as services,
    ):
        yield services


def new_virtual_provider() -> VirtualProvider:
    clock = Clock()
    riley = ProviderAssistant(
        id=DEFAULT_ASSISTANT_ID, name="Riley", config={"maxDurationSeconds": 600}
    )
    return VirtualProvider(now=clock, clock=clock, assistants={riley.id: riley})
