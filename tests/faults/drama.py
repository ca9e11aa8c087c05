"""One campaign by one seed: who dies or freezes when, and what people do meanwhile."""

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
from tests.faults.exchange import PERFECT, Exchange, Rates
from tests.faults.mortal import Died, Fate, Process, SchedulerProcess, Step
from tests.wiring import BY, Clock, House, housed, phones

TOO_LONG = timedelta(hours=6)
"""Virtual time after which a campaign counts as stuck."""


@dataclass
class Trace:
    """What was done to whom, and at which positions of the log nobody may be asked."""

    happened: Counter[str] = field(default_factory=Counter)
    barred: list[tuple[int, int | None]] = field(default_factory=list)


@dataclass
class Drama:
    house: House
    exchange: Exchange
    dice: Random
    campaign_id: UUID
    fate: Fate
    trace: Trace = field(default_factory=Trace)
    frozen: int = 0
    meddling: float = 0.0

    def __post_init__(self) -> None:
        self._ends_at = self.house.now() + TOO_LONG
        self._api = self._new_api()
        self.exchange.webhook = self._deliver

    def run(self) -> None:
        """Let one scheduler after the other lead until the campaign is over."""
        while not self.over:
            self.scheduler().lead()
        self._until_all_is_told()

    def scheduler(self) -> SchedulerProcess:
        return SchedulerProcess(
            "scheduler", self.house, self.exchange, self.fate, meanwhile=self._meanwhile
        )

    def take_over(self, seconds: float) -> None:
        """Another scheduler leads for a while; whoever led sleeps meanwhile."""
        if self.frozen:
            return self._pass(seconds)
        self.frozen += 1
        until = self.house.now() + timedelta(seconds=seconds)

        def meanwhile(other: SchedulerProcess, wanted: float) -> None:
            self._meanwhile(other, wanted)
            if self.house.now() >= until:
                other.alarm.stop()

        while self.house.now() < until and not self.over:
            other = self.scheduler()
            other.meanwhile = meanwhile
            other.lead()
        self.frozen -= 1
        return None

    def pause(self) -> None:
        """A person pauses the campaign; somebody resumes it later."""
        try:
            position = self.house.campaigns.pause(self.campaign_id, by=BY)
        except Refused:
            return
        if position is not None:
            self.trace.barred.append((position, None))

    @property
    def over(self) -> bool:
        row = self.house.board(self.campaign_id)
        if self.house.now() > self._ends_at:
            raise AssertionError(f"The campaign is stuck: {row}")
        ended = (CampaignState.COMPLETED, CampaignState.CANCELED, CampaignState.FAILED)
        return row.state in ended and not row.awaiting_reports

    def until_called(self, count: int) -> None:
        """Let one scheduler lead until the provider made that many calls."""
        leader = self.scheduler()

        def meanwhile(process: SchedulerProcess, seconds: float) -> None:
            self._meanwhile(process, seconds)
            if len(self.exchange.lives) >= count:
                process.alarm.stop()

        leader.meanwhile = meanwhile
        leader.lead()

    # --- Meanwhile ------------------------------------------------------------------

    def _meanwhile(self, process: SchedulerProcess, seconds: float) -> None:
        self._pass(max(seconds, 0.2))
        if self.dice.random() < self.meddling:
            self.pause()
        self._resume()
        if self.dice.random() < 0.8:
            self.house.settle()
        if self.over:
            process.alarm.stop()

    def _pass(self, seconds: float) -> None:
        self.exchange.pass_until(self.house.now() + timedelta(seconds=seconds))

    def _resume(self) -> None:
        campaign = self.house.load_campaign(self.campaign_id)
        paused = campaign.state is CampaignState.PAUSED
        if not paused or self.dice.random() > 0.3:
            return
        position = self.house.campaigns.resume(self.campaign_id, by=BY)
        if self.trace.barred and self.trace.barred[-1][1] is None:
            self.trace.barred[-1] = (self.trace.barred[-1][0], position)

    def _deliver(self, message: dict[str, Any]) -> bool:
        try:
            return self._api.hears(message)
        except Died:
            self._api = self._new_api()
            return False

    def _new_api(self) -> Process:
        return Process("api", self.house, self.exchange, self.fate)

    def _until_all_is_told(self) -> None:
        while not self.exchange.all_over:
            self._pass(60)
        self.house.settle()


LOOKING = ("the view", "a glance", "GET /call")
"""Steps at which nothing is changed: the others are more worth a death."""

REQUESTS = ("POST /call", "DELETE")

# --- Fates ---------------------------------------------------------------------------


def spared(_: Step) -> None:
    """Nothing happens."""


@dataclass
class ByChance:
    """Something happens every so many steps; `mean` is how many, on the whole."""

    dice: Random
    mean: float
    drama: Drama | None = None
    left: float = 0.0

    def __post_init__(self) -> None:
        self._draw()

    def __call__(self, step: Step) -> None:
        self.left -= 0.1 if step.name in LOOKING else 1
        if self.left > 0 or self.drama is None:
            return
        self._draw()
        kinds, weights = ("dies", "freezes", "loses the store"), (80, 12, 8)
        [kind] = self.dice.choices(kinds, weights)
        if kind == "loses the store" and step.name in (*LOOKING, *REQUESTS):
            kind = "dies"
        happens(kind, step, self.drama, self.dice)

    def _draw(self) -> None:
        self.left = self.dice.expovariate(1 / self.mean)


@dataclass
class AtStep:
    """One thing happens, the first time that a process of the role is at that step."""

    kind: str
    name: str
    done: bool
    role: str = "scheduler"
    drama: Drama | None = None
    happened: bool = False

    def __call__(self, step: Step) -> None:
        at = (step.process.role, step.name, step.done)
        if self.happened or self.drama is None:
            return
        if at == (self.role, self.name, self.done):
            self.happened = True
            happens(self.kind, step, self.drama, self.drama.dice)


def happens(kind: str, step: Step, drama: Drama, dice: Random) -> None:
    drama.trace.happened[f"{step.process.role} {kind}: {step}"] += 1
    match kind:
        case "dies":
            step.process.die()
        case "freezes":
            drama.take_over(dice.uniform(30, 120))
        case "loses the store":
            raise StoreUnavailable("the store did not answer")
        case "is paused":
            drama.pause()
        case "is canceled":
            hang_up = dice.random() < 0.5
            position = drama.house.campaigns.cancel(
                drama.campaign_id, hang_up=hang_up, by=BY
            )
            if position is not None:
                drama.trace.barred.append((position, None))


# --- On stage ------------------------------------------------------------------------


@contextmanager
def hurried() -> Iterator[None]:
    """Let the dispatcher's own real-time waits take none."""
    with (
        patch("scheduler.dispatch.RENEWALS", wait_none()),
        patch("scheduler.dispatch.uniform", lambda *_: 0.0),
    ):
        yield


def staged(  # noqa: PLR0917 - a play by its numbers
    house: House,
    seed: int,
    fate: Any = spared,
    people: int = 4,
    cap: int = 2,
    rates: Rates = PERFECT,
    mode: DialMode = DialMode.CONTINUOUS,
) -> Drama:
    """Set up a campaign on the house's provider, which is an Exchange."""
    exchange: Exchange = house.provider
    exchange.dice, exchange.rates = Random(f"{seed} exchange"), rates
    exchange.lives.clear()
    exchange.acknowledged.clear()
    exchange.orders.clear()
    numbers = phones(people, first=exchange.dice.randrange(9000))
    campaign_id = house.campaign(numbers, cap=cap, mode=mode)
    drama = Drama(house, exchange, Random(f"{seed} drama"), campaign_id, fate)
    if fate is not spared:
        fate.drama = drama
    return drama


@contextmanager
def playhouse(url: str, exchange: Exchange | None = None) -> Iterator[House]:
    """Wire everything on the database of that URL, with an Exchange, hurried."""
    exchange = exchange or new_exchange()
    with (
        hurried(),
        housed(url, now=exchange.clock, provider=exchange) as house,
    ):
        yield house


def new_exchange() -> Exchange:
    clock = Clock()
    riley = ProviderAssistant(
        id=DEFAULT_ASSISTANT_ID, name="Riley", config={"maxDurationSeconds": 600}
    )
    return Exchange(now=clock, clock=clock, assistants={riley.id: riley})
