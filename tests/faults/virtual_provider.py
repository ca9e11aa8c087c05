"""A provider in virtual time: it misbehaves by seed and keeps the true ledger."""

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
from provider.vapi.reading import read_call
from tests.fakes import FakeProvider
from tests.wiring import Clock

TIME_OUT = 15.0
"""Seconds within which the provider acts on a request that it never answers."""

type Webhook = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Rates:
    """Probabilities, 0 to 1, of each fault of requests, reads, messages and calls.

    `list_lag` is different: the longest time in seconds until a call is listed.
    """

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
"""Answers to requests that the provider did not act on."""

FAULTS = ("error_after", "late_after", "not_now", "blocked", *filter(None, ANSWERS))

PERFECT = Rates(*[0.0] * len(fields(Rates)))


@dataclass
class VirtualCall:
    """One call that the provider made, with its true times, reason and cost (USD)."""

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
        start = {"startedAt": self.answered_at.isoformat()} if answered else {}  # type: ignore[union-attr]  # implied by answered
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
        statuses = [("ringing", self.ringing_at), ("in-progress", self.answered_at)]
        updates = [
            (at, self._update(status, at))
            for status, at in statuses
            if at and at < self.ended_at
        ]
        ended = self._update("ended", self.ended_at)
        ended["message"]["endedReason"] = self.reason
        report = {"type": "end-of-call-report", "call": self.head(), **self.result()}
        return [
            *updates,
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
class VirtualProvider(FakeProvider):
    """Sends messages to `webhook`, again if it does not return true (the answer 200).

    `made_calls` is the ledger, by id; `acknowledged` are the messages that got 200.
    """

    clock: Clock = field(default_factory=Clock)
    random: Random = field(default_factory=Random)
    rates: Rates = PERFECT
    webhook: Webhook = lambda _: True
    made_calls: dict[str, VirtualCall] = field(default_factory=dict)
    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    _outgoing: list[tuple[datetime, int, dict[str, Any]]] = field(default_factory=list)
    _guard: Any = field(default_factory=Lock, repr=False)

    # --- The port -------------------------------------------------------------------

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        with self._guard:
            self.orders.append(order)
            return self._answer_order(order)

    def _answer_order(self, order: CallOrder) -> Outcome:
        if self.down:
            return NeverLeft("the provider is down")
        kind = _drawn(self.random, {name: getattr(self.rates, name) for name in FAULTS})
        if kind in ANSWERS:
            return ANSWERS[kind]
        now = self.clock()
        match kind:
            case "not_now":
                return NotNow("429", retry_after=self.random.choice([None, 1.0]))
            case "error_after":
                self._make_call(order, now)
                return Unknown("the answer was lost")
            case "late_after":
                self._make_call(order, now + _seconds(self.random, 0, TIME_OUT))
                return Unknown("no answer in time")
        call = self._make_call(order, now)
        blocked = kind == "blocked"
        return Accepted(call.id, call.created_at, concurrency_blocked=blocked)

    def call(self, provider_call_id: str) -> ProviderCall | None:
        with self._guard:
            self._read()
            call = self.made_calls.get(provider_call_id)
            if call is None or call.created_at > self.clock():
                return None
            return read_call(call.document(self.clock()))

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        with self._guard:
            self._read()
            now = self.clock()
            found = [
                read_call(call.document(now))
                for call in self.made_calls.values()
                if call.listed_at <= now and call.created_at >= since
                if phone_number_id in (None, call.order.phone_number_id)
            ]
        shown = [call for call in found if call]
        return sorted(shown, key=lambda call: call.created_at, reverse=True)

    def hang_up(self, provider_call_id: str) -> None:
        with self._guard:
            self._read()
            now = self.clock()
            self.hang_ups.append(provider_call_id)
            call = self.made_calls[provider_call_id]
            if call.ended_at > now:
                call.ended_at, call.reason = now, "manually-canceled"
                call.reported_at = now + timedelta(seconds=3)
                self._outgoing = [
                    item for item in self._outgoing if _call_of(item[2]) != call.id
                ]
                self._schedule_messages(call)

    def _read(self) -> None:
        if self.down or self.random.random() < self.rates.reads:
            raise ProviderUnavailable("500")

    # --- Time -----------------------------------------------------------------------

    def pass_until(self, until: datetime) -> None:
        """Advance the clock and send the messages that become due.

        The lock is not held while `webhook` runs.
        """
        while (due := self._next_message(until)) is not None:
            at, tries, message = due
            self.clock.time = max(self.clock.time, at)
            if not self.down and self.webhook(message):
                self.acknowledged.append(message)
            elif tries < 8:
                again = self.clock() + timedelta(seconds=2.0**tries)
                with self._guard:
                    self._outgoing.append((again, tries + 1, message))
        self.clock.time = max(self.clock.time, until)

    def _next_message(
        self, until: datetime
    ) -> tuple[datetime, int, dict[str, Any]] | None:
        with self._guard:
            due = [item for item in self._outgoing if item[0] <= until]
            if not due:
                return None
            first = min(due, key=lambda item: item[0])
            self._outgoing.remove(first)
            return first

    @property
    def all_over(self) -> bool:
        with self._guard:
            now = self.clock()
            return not self._outgoing and all(
                call.reported_at <= now for call in self.made_calls.values()
            )

    # --- Calls ----------------------------------------------------------------------

    def _make_call(self, order: CallOrder, at: datetime) -> VirtualCall:
        seconds, random = _seconds, self.random
        unrung = random.random() < self.rates.unrung
        ringing = at + seconds(random, 1, 3)
        answered = ringing + seconds(random, 2, 12) if random.random() < 0.8 else None
        ended = (answered or ringing) + seconds(random, 3, 30)
        call = VirtualCall(
            id=str(UUID(int=random.getrandbits(128))),
            order=order,
            created_at=at,
            listed_at=at + seconds(random, 0, self.rates.list_lag),
            ringing_at=None if unrung else ringing,
            answered_at=None if unrung else answered,
            ended_at=ringing if unrung else ended,
            reported_at=(ringing if unrung else ended) + seconds(random, 1, 5),
            reason=_reason(unrung=unrung, answered=answered is not None),
            cost=0.0 if unrung else round(random.uniform(0.01, 0.4), 4),
        )
        self.made_calls[call.id] = call
        self._schedule_messages(call)
        return call

    def _schedule_messages(self, call: VirtualCall) -> None:
        for at, message in call.messages():
            for _ in range(2 if self.random.random() < self.rates.twice else 1):
                if self.random.random() < self.rates.lost:
                    continue
                late = self.random.random() < self.rates.late
                delay = _seconds(self.random, 0, 25 if late else 0.5)
                self._outgoing.append((at + delay, 0, message))


def _call_of(message: dict[str, Any]) -> str:
    return str(message["message"]["call"]["id"])


def _reason(*, unrung: bool, answered: bool) -> str:
    if unrung:
        return "call.start.error-vapifault-worker-not-available"
    return "customer-ended-call" if answered else "customer-did-not-answer"


def _seconds(random: Random, low: float, high: float) -> timedelta:
    return timedelta(seconds=random.uniform(low, high))


def _drawn(random: Random, rates: dict[str, float]) -> str | None:
    roll = random.random()
    for kind, rate in rates.items():
        roll -= rate
        if roll < 0:
            return kind
    return None
