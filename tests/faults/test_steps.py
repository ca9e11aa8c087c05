"""One thing goes wrong at one step of the protocol, at each of them in turn."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from application.ports import CallOrder, NotNow, Outcome
from domain.values import CampaignState, DialMode, PauseCause
from projections.dial_queue import Snapshot
from projections.verify import verify
from tests.faults.drama import AtStep, ByChance, Drama, happens, playhouse, staged
from tests.faults.exchange import PERFECT, Exchange, Life, Rates
from tests.faults.judge import judged
from tests.faults.mortal import Step
from tests.wiring import BY, House

CAP = 2
BOTH = (False, True)
REQUESTED, SENT, CLAIMED = "call.requested", "POST /call", "dispatcher.calls_claimed"
STORED = (CLAIMED, REQUESTED, SENT, "call.placed", "campaign.completed")
SCHEDULING = [("the view", True), *((name, done) for name in STORED for done in BOTH)]
HEARING = ("call.ringing", "call.answered", "call.ended", "call.reported")
LOST = replace(PERFECT, error_before=0.25, error_after=0.25, reads=0.1, list_lag=12.0)


@pytest.fixture(scope="module")
def house(postgres_url: str) -> Iterator[House]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        with playhouse(
            urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        ) as house:
            yield house
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def played(drama: Drama, cap: int = CAP) -> Drama:
    drama.run()
    verdict = judged(drama, cap)
    assert verdict.wrong == (), drama.trace.happened
    return drama


@pytest.mark.parametrize("kind", ["dies", "freezes", "is paused"])
@pytest.mark.parametrize(("name", "done"), SCHEDULING)
def test_a_scheduler_may_fail_or_be_told_to_stop_at_any_step(
    house: House, name: str, done: bool, kind: str
) -> None:
    fate = AtStep(kind, name, done)
    drama = played(staged(house, 1, fate, people=3, cap=CAP))
    assert fate.happened
    row = house.board(drama.campaign_id)
    never = judged(drama, CAP).never_called
    assert (row.ended, never) == (3, 0), "one fault leaves nobody out"


@pytest.mark.parametrize("kind", ["dies", "loses the store"])
@pytest.mark.parametrize("name", HEARING)
@pytest.mark.parametrize("done", BOTH)
def test_the_api_may_fail_at_any_step(
    house: House, name: str, done: bool, kind: str
) -> None:
    fate = AtStep(kind, name, done, role="api")
    played(staged(house, 2, fate, people=3, cap=CAP))
    assert fate.happened


@pytest.mark.parametrize("name", [CLAIMED, REQUESTED, "call.placed"])
@pytest.mark.parametrize("done", BOTH)
def test_a_commit_may_fail_or_its_answer_be_lost(
    house: House, name: str, done: bool
) -> None:
    fate = AtStep("loses the store", name, done)
    played(staged(house, 3, fate, people=3, cap=CAP))
    assert fate.happened


@pytest.mark.parametrize("name", [CLAIMED, REQUESTED, SENT])
@pytest.mark.parametrize("done", BOTH)
def test_nobody_is_called_after_a_cancel_that_came_between_two_steps(
    house: House, name: str, done: bool
) -> None:
    """I12: save where the right to call was stored before."""
    fate = AtStep("is canceled", name, done)
    drama = played(staged(house, 4, fate, people=4, cap=1))
    assert house.board(drama.campaign_id).state is CampaignState.CANCELED
    too_late = name == SENT or (name == REQUESTED and done)
    assert len(drama.exchange.lives) == int(too_late)


def test_a_plan_made_before_others_claimed_claims_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who froze over it wakes while all slots are taken again.

    The contact that it chose waits as before: nothing but the fence is in the way.
    """
    drama = staged(house, 6, people=2, cap=1)
    exchange = drama.exchange
    real, made = exchange._answered, exchange._made

    def refusing(order: CallOrder) -> Outcome:
        chosen = order.contact_id == exchange.orders[0].contact_id
        refused = not drama.trace.happened or (drama.frozen and chosen)
        return NotNow("429", retry_after=30.0) if refused else real(order)

    def long(order: CallOrder, at: datetime) -> Life:
        life = made(order, at)
        life.ended_at = life.reported_at = at + timedelta(minutes=4)
        exchange._told.clear()  # One call at a time: what is left is told too early.
        exchange._announce(life)
        return life

    def sleeping(step: Step) -> None:
        waits = house.read_snapshot(house.now(), 1).campaigns[0].candidates
        chosen = bool(waits and waits[0].call_id) and not drama.trace.happened
        if step.name == "the view" and chosen:
            happens("freezes", step, drama, drama.dice)

    monkeypatch.setattr(exchange, "_answered", refusing)
    monkeypatch.setattr(exchange, "_made", long)
    drama.fate = sleeping
    played(drama, cap=1)
    assert drama.trace.happened


def test_who_wakes_to_a_request_of_somebody_else_sends_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's answer was lost, and nobody can know yet what came of it."""
    drama = _unanswered(house, 10, monkeypatch)

    def sleeping(step: Step) -> None:
        if str(step) == f"before {REQUESTED}" and not drama.trace.happened:
            drama.trace.happened["slept"] += 1
            drama.take_over(8)

    drama.fate = sleeping
    played(drama, cap=1)
    assert drama.trace.happened


def test_a_claim_that_looked_idle_is_not_freed_once_it_is_requested(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new leader's view may be older than what the last one did."""
    drama = _unanswered(house, 11, monkeypatch)
    views: list[Snapshot] = []

    def taking_over(step: Step) -> None:
        if str(step) == f"before {REQUESTED}" and not views:
            views.append(house.snapshot())
        elif str(step) == f"after {SENT}" and not drama.trace.happened:
            drama.trace.happened["taken over"] += 1
            adoption = drama.scheduler()._scheduler._parts.adoption
            adoption._free_idle_claims(views[0])

    drama.fate = taking_over
    played(drama, cap=1)
    assert drama.trace.happened


def test_what_came_of_an_earlier_request_settles_no_later_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sent the first one slept over its answer."""
    drama = _unanswered(house, 12, monkeypatch)
    exchange, real = drama.exchange, drama.exchange._answered

    def refusing(order: CallOrder) -> Outcome:
        return NotNow("429") if order.request == 1 else real(order)

    def waking(step: Step) -> None:
        late = exchange.orders and exchange.orders[-1].request == 2
        if str(step) == f"after {SENT}" and late and not drama.trace.happened:
            drama.trace.happened["woken"] += 1
            call_id = exchange.orders[0].call_id
            house.calls.defer(call_id, reason="not now", until=house.now(), request=1)

    monkeypatch.setattr(exchange, "_answered", refusing)
    drama.fate = waking
    played(drama, cap=1)
    assert drama.trace.happened


def test_a_list_that_lags_within_the_quarantine_is_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    drama = _unanswered(house, 13, monkeypatch, hidden_seconds=35)
    played(drama, cap=1)
    [call] = house.call_rows(drama.campaign_id)
    assert call.requests == 1


def _unanswered(
    house: House, seed: int, monkeypatch: pytest.MonkeyPatch, hidden_seconds: float = 12
) -> Drama:
    """One person, whose call shows after some seconds; nothing else tells of it."""
    rates = replace(PERFECT, error_after=1.0, lost=1.0)
    drama = staged(house, seed, people=1, cap=1, rates=rates)
    made = drama.exchange._made

    def hidden(order: CallOrder, at: datetime) -> Life:
        life = made(order, at)
        life.listed_at = at + timedelta(seconds=hidden_seconds)
        return life

    monkeypatch.setattr(drama.exchange, "_made", hidden)
    return drama


@pytest.mark.parametrize("name", ["call.outcome_unknown", "call.deferred"])
@pytest.mark.parametrize("kind", ["dies", "freezes"])
@pytest.mark.parametrize("done", BOTH)
def test_an_unknown_outcome_is_settled_whoever_fails_meanwhile(
    house: House, name: str, done: bool, kind: str
) -> None:
    fate = AtStep(kind, name, done)
    rates = replace(PERFECT, error_before=1.0)
    drama = played(staged(house, 5, fate, people=2, cap=CAP, rates=rates))
    assert fate.happened
    calls = house.call_rows(drama.campaign_id)
    assert {(call.requests, call.failure) for call in calls} == {(2, "outcome unknown")}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_nobody_is_called_twice(house: House, seed: int) -> None:
    dice = Random(seed)
    fate = ByChance(dice, mean=6)
    mode = dice.choice(list(DialMode))
    drama = staged(house, seed, fate, people=4, cap=CAP, rates=Rates(), mode=mode)
    drama.meddling = 0.05
    played(drama)
    assert sum(drama.trace.happened.values()) >= 1


def test_without_any_webhook_every_outcome_is_known_all_the_same(house: House) -> None:
    drama = staged(house, 7, people=5, cap=CAP, rates=replace(LOST, lost=1.0))
    played(drama)
    assert drama.exchange.acknowledged == []


def test_a_provider_that_is_away_longer_than_silence_is_not_asked_twice(
    house: House,
) -> None:
    """Calls that end while it is away are not taken for lost ones."""
    drama = staged(house, 8, people=5, cap=CAP, rates=replace(LOST, lost=1.0))
    exchange = drama.exchange

    drama.until_called(2)
    exchange.down = True
    drama.take_over(400)
    assert len(exchange.lives) == 2
    exchange.down = False
    played(drama)


def test_a_list_that_lags_longer_than_the_quarantine_is_found_out(
    house: House,
) -> None:
    """Two calls for one person are then possible: it must not go unnoticed."""
    drama = staged(house, 9, people=1, cap=1, rates=replace(PERFECT, lost=1.0))
    exchange: Exchange = drama.exchange
    exchange.rates = replace(exchange.rates, error_after=1.0, list_lag=0.0)
    hidden = timedelta(seconds=300)
    made = exchange._made

    def lagging(order: object, at: object) -> object:
        life = made(order, at)  # type: ignore[arg-type]  # passed on as it came
        first = len(exchange.lives) == 1
        life.listed_at = life.created_at + (hidden if first else timedelta(0))
        life.ended_at = life.created_at + timedelta(hours=1)
        return life

    exchange._made = lagging  # type: ignore[assignment,method-assign]  # a slower list
    drama._ends_at = house.now() + timedelta(minutes=30)
    leader = drama.scheduler()
    leader.meanwhile = lambda process, seconds: _watch(drama, leader, seconds)
    leader.lead()
    campaign = house.load_campaign(drama.campaign_id)
    assert campaign.pause_cause is PauseCause.DUPLICATE_DETECTED
    [call] = house.call_rows(drama.campaign_id)
    assert "duplicate_detected" in house.topics(call.id)
    newest = max(exchange.lives.values(), key=lambda life: life.created_at)
    assert exchange.hang_ups, "one of the two was hung up"
    assert set(exchange.hang_ups) == {newest.id}
    _clear(house)


def _watch(drama: Drama, leader: object, seconds: float) -> None:
    drama._pass(max(seconds, 0.2))
    drama.house.settle()
    campaign = drama.house.load_campaign(drama.campaign_id)
    assert not drama.over, "it is not over while a call is"
    if campaign.state is CampaignState.PAUSED and drama.exchange.hang_ups:
        leader.alarm.stop()  # type: ignore[attr-defined]  # a SchedulerProcess


def _clear(house: House) -> None:
    house.settings.allow_requests_again(by=BY)
    house.settle()


def test_after_all_of_it_the_history_is_whole_and_the_read_tables_fit(
    house: House,
) -> None:
    """I7: rebuilt from the log, every row is as it stands."""
    house.settle()
    problems: list[object] = []
    verify(house.url, now=house.now, tell=problems.append)
    assert problems == []
