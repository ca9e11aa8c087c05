"""A provider in virtual time that misbehaves by seed, and keeps the true ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from random import Random
from threading import Lock
from typing import Any
from uuid import UUID

from application.ports import (
    Accepted,
    AccountRefused,
    CallOrder,
    ContactRefused,
    NeverLeft,
    NotNow,
    Outcome,
    ProviderCall,
    ProviderUnavailable,
    RequestRefused,
    Unknown,
)
from provider.reading import read_call
from tests.fakes import FakeProvider
from tests.wiring import Clock

TIME_OUT = 15.0
"""Seconds after which even a request without an answer has been acted on, or never."""

type Webhook = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Rates:
    """Shares from 0 to 1 of the requests, reads and messages that go wrong."""

    error_before: float = 0.06
    error_after: float = 0.06
    late_after: float = 0.03
    not_now: float = 0.08
    never_left: float = 0.04
    refused: float = 0.01
    account: float = 0.003
    person: float = 0.01
    blocked: float = 0.03
    reads: float = 0.1
    lost: float = 0.1
    late: float = 0.25
    twice: float = 0.15
    unrung: float = 0.05
    list_lag: float = 12.0


ANSWERS: dict[str | None, Outcome] = {
    "error_before": Unknown("500"),
    "never_left": NeverLeft("connection refused"),
    "refused": RequestRefused("400: something else"),
    "account": AccountRefused("402: no credit"),
    "person": ContactRefused("400: customer.number"),
}
"""Faults of a request that the provider did not act on."""

FAULTS = ("error_after", "late_after", "not_now", "blocked", *filter(None, ANSWERS))

PERFECT = Rates(*[0.0] * len(fields(Rates)))


@dataclass
class Life:
    """One call that the provider made: what it shows at any time."""

    id: str
    order: CallOrder
    created_at: datetime
    listed_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime
    reported_at: datetime
    reason: str
    cost: float

    def status(self, now: datetime) -> str:
        if now >= self.ended_at:
            return "ended"
        if self.answered_at and now >= self.answered_at:
            return "in-progress"
        return "ringing" if self.ringing_at and now >= self.ringing_at else "queued"

    def head(self) -> dict[str, Any]:
        metadata = {
            "autolynx_call_id": str(self.order.call_id),
            "autolynx_campaign_id": str(self.order.campaign_id),
            "autolynx_contact_id": str(self.order.contact_id),
            "attempt": self.order.attempt,
        }
        return {
            "id": self.id,
            "createdAt": self.created_at.isoformat(),
            "name": str(self.order.call_id),
            "assistantOverrides": {"metadata": metadata},
        }

    def result(self) -> dict[str, Any]:
        answered = self.answered_at and self.answered_at < self.ended_at
        start = {"startedAt": self.answered_at.isoformat()} if answered else {}  # type: ignore[union-attr]  # answered says so
        return {
            "endedReason": self.reason,
            "endedAt": self.ended_at.isoformat(),
            "cost": self.cost,
            "artifact": {"transcript": f"This was {self.id}."},
            **start,
        }

    def document(self, now: datetime) -> dict[str, Any]:
        status = self.status(now)
        shown = {**self.head(), "status": status}
        if status != "ended":
            return shown
        if now >= self.reported_at:
            return shown | self.result()
        return shown | {"endedReason": self.reason}

    def messages(self) -> list[tuple[datetime, dict[str, Any]]]:
        said = [("ringing", self.ringing_at), ("in-progress", self.answered_at)]
        told = [
            (at, self._update(status, at))
            for status, at in said
            if at and at < self.ended_at
        ]
        ended = self._update("ended", self.ended_at)
        ended["message"]["endedReason"] = self.reason
        report = {"type": "end-of-call-report", "call": self.head(), **self.result()}
        return [
            *told,
            (self.ended_at, ended),
            (self.reported_at, {"message": report}),
        ]

    def _update(self, status: str, at: datetime) -> dict[str, Any]:
        return {
            "message": {
                "type": "status-update",
                "status": status,
                "timestamp": at.timestamp() * 1000,
                "call": self.head(),
            }
        }


@dataclass
class Exchange(FakeProvider):
    """Tells `webhook` what happens; a message without a 200 is sent again."""

    clock: Clock = field(default_factory=Clock)
    dice: Random = field(default_factory=Random)
    rates: Rates = PERFECT
    webhook: Webhook = lambda _: True
    lives: dict[str, Life] = field(default_factory=dict)
    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    _told: list[tuple[datetime, int, dict[str, Any]]] = field(default_factory=list)
    _guard: Any = field(default_factory=Lock, repr=False)

    # --- The port -------------------------------------------------------------------

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        with self._guard:
            self.orders.append(order)
            return self._answered(order)

    def _answered(self, order: CallOrder) -> Outcome:
        if self.down:
            return NeverLeft("the provider is down")
        kind = _drawn(self.dice, {name: getattr(self.rates, name) for name in FAULTS})
        if kind in ANSWERS:
            return ANSWERS[kind]
        now = self.clock()
        match kind:
            case "not_now":
                return NotNow("429", retry_after=self.dice.choice([None, 1.0]))
            case "error_after":
                self._made(order, now)
                return Unknown("the answer was lost")
            case "late_after":
                self._made(order, now + _seconds(self.dice, 0, TIME_OUT))
                return Unknown("no answer in time")
        life = self._made(order, now)
        blocked = kind == "blocked"
        return Accepted(life.id, life.created_at, concurrency_blocked=blocked)

    def call(self, provider_call_id: str) -> ProviderCall | None:
        with self._guard:
            self._read()
            life = self.lives.get(provider_call_id)
            if life is None or life.created_at > self.clock():
                return None
            return read_call(life.document(self.clock()))

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        with self._guard:
            self._read()
            now = self.clock()
            found = [
                read_call(life.document(now))
                for life in self.lives.values()
                if life.listed_at <= now and life.created_at >= since
                if phone_number_id in (None, life.order.phone_number_id)
            ]
        shown = [call for call in found if call]
        return sorted(shown, key=lambda call: call.created_at, reverse=True)

    def hang_up(self, provider_call_id: str) -> None:
        with self._guard:
            self._read()
            now = self.clock()
            self.hang_ups.append(provider_call_id)
            life = self.lives[provider_call_id]
            if life.ended_at > now:
                life.ended_at, life.reason = now, "manually-canceled"
                life.reported_at = now + timedelta(seconds=3)
                self._told = [one for one in self._told if _call_of(one[2]) != life.id]
                self._announce(life)

    def _read(self) -> None:
        if self.down or self.dice.random() < self.rates.reads:
            raise ProviderUnavailable("500")

    # --- Time -----------------------------------------------------------------------

    def pass_until(self, until: datetime) -> None:
        """Let time pass, and tell what happens in it; nobody is told under a lock."""
        while (due := self._next_message(until)) is not None:
            at, tries, message = due
            self.clock.time = max(self.clock.time, at)
            if not self.down and self.webhook(message):
                self.acknowledged.append(message)
            elif tries < 8:
                again = self.clock() + timedelta(seconds=2.0**tries)
                with self._guard:
                    self._told.append((again, tries + 1, message))
        self.clock.time = max(self.clock.time, until)

    def _next_message(
        self, until: datetime
    ) -> tuple[datetime, int, dict[str, Any]] | None:
        with self._guard:
            due = [one for one in self._told if one[0] <= until]
            if not due:
                return None
            first = min(due, key=lambda one: one[0])
            self._told.remove(first)
            return first

    @property
    def all_over(self) -> bool:
        with self._guard:
            now = self.clock()
            return not self._told and all(
                life.reported_at <= now for life in self.lives.values()
            )

    # --- Calls ----------------------------------------------------------------------

    def _made(self, order: CallOrder, at: datetime) -> Life:
        seconds, dice = _seconds, self.dice
        unrung = dice.random() < self.rates.unrung
        ringing = at + seconds(dice, 1, 3)
        answered = ringing + seconds(dice, 2, 12) if dice.random() < 0.8 else None
        ended = (answered or ringing) + seconds(dice, 3, 30)
        life = Life(
            id=str(UUID(int=dice.getrandbits(128))),
            order=order,
            created_at=at,
            listed_at=at + seconds(dice, 0, self.rates.list_lag),
            ringing_at=None if unrung else ringing,
            answered_at=None if unrung else answered,
            ended_at=ringing if unrung else ended,
            reported_at=(ringing if unrung else ended) + seconds(dice, 1, 5),
            reason=_reason(unrung=unrung, answered=answered is not None),
            cost=0.0 if unrung else round(dice.uniform(0.01, 0.4), 4),
        )
        self.lives[life.id] = life
        self._announce(life)
        return life

    def _announce(self, life: Life) -> None:
        for at, message in life.messages():
            for _ in range(2 if self.dice.random() < self.rates.twice else 1):
                if self.dice.random() < self.rates.lost:
                    continue
                late = self.dice.random() < self.rates.late
                delay = _seconds(self.dice, 0, 25 if late else 0.5)
                self._told.append((at + delay, 0, message))


def _call_of(message: dict[str, Any]) -> str:
    return str(message["message"]["call"]["id"])


def _reason(*, unrung: bool, answered: bool) -> str:
    if unrung:
        return "call.start.error-vapifault-worker-not-available"
    return "customer-ended-call" if answered else "customer-did-not-answer"


def _seconds(dice: Random, low: float, high: float) -> timedelta:
    return timedelta(seconds=dice.uniform(low, high))


def _drawn(dice: Random, rates: dict[str, float]) -> str | None:
    roll = dice.random()
    for kind, rate in rates.items():
        roll -= rate
        if roll < 0:
            return kind
    return None
