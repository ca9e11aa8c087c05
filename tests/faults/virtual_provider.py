"""A provider in virtual time: it misbehaves by seed and keeps the true ledger."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Lock
from typing import Any, Literal
from uuid import UUID

import orjson

from application.ports import (
    Accepted,
    CallOrder,
    NeverLeft,
    Outcome,
    ProviderCall,
    ProviderUnavailable,
    Unknown,
)
from domain.values import RefusalKind
from provider.simulator.faults.reporting import USUAL
from provider.vapi.messages.reading import read_call
from provider.vapi.requests.request_outcomes import read_outcome
from tests.fakes import FakeProvider
from tests.faults.provider_faults import FAULTS, PERFECT, REFUSALS, UNREACHED, Rates
from tests.faults.reporting_faults import LATE_GAP, describe, draw_reporting, gap_of
from tests.faults.virtual_call import (
    ENDINGS,
    REPORT,
    Document,
    Ending,
    VirtualCall,
)
from tests.wiring import Clock

FAR = datetime.max.replace(tzinfo=UTC)

TIME_OUT = 15.0
"""Seconds within which the provider acts on a request that it never answers."""

type Webhook = Callable[[Document], bool]
type Shape = Callable[[VirtualCall], VirtualCall]


def unchanged(call: VirtualCall) -> VirtualCall:
    return call


@dataclass
class VirtualProvider(FakeProvider):
    """Sends messages to `webhook`, again if it does not return true (the answer 200).

    `made_calls` is the ledger, by id; `acknowledged` are the messages that got 200;
    `refusals` are a contact id and the kind for each refusal, before or after the 201.
    `costs_stated` are the ids of calls whose true cost was in an acknowledged message
    or in an answer to a read. With a `limit`, a call above that many live ones is
    refused before (`over_limit` "refuse") or after the 201 ("end"). `shape` may change
    what happens in a call before it begins.
    """

    clock: Clock = field(default_factory=Clock)
    random: Random = field(default_factory=Random)
    rates: Rates = PERFECT
    limit: int | None = None
    over_limit: Literal["refuse", "end"] = "refuse"
    webhook: Webhook = lambda _: True
    shape: Shape = unchanged
    made_calls: dict[str, VirtualCall] = field(default_factory=dict)
    acknowledged: list[Document] = field(default_factory=list)
    refusals: list[tuple[UUID, RefusalKind]] = field(default_factory=list)
    costs_stated: set[str] = field(default_factory=set)
    forged: list[str] = field(default_factory=list)
    forged_early: list[Document] = field(default_factory=list)
    """Forged messages to be delivered before our process stores the answer."""
    _outgoing: list[tuple[datetime, int, Document]] = field(default_factory=list)
    _guard: Any = field(default_factory=Lock, repr=False)

    def restart(self, random: Random, rates: Rates) -> None:
        """Forget all calls; misbehave by this random generator and these rates."""
        self.random, self.rates = random, rates
        self.limit, self.over_limit, self.shape = None, "refuse", unchanged
        self.made_calls.clear()
        self.acknowledged.clear()
        self.orders.clear()
        self.refusals.clear()
        self.costs_stated.clear()
        self.forged.clear()
        self.forged_early.clear()

    def misbehaviour(self) -> Counter[str]:
        """Count the refusals, the unusual reports and the forged messages."""
        counts = Counter(
            f"refusal about the {kind.lower()}" for _, kind in self.refusals
        )
        for call in self.made_calls.values():
            counts[describe(call.reporting)] += 1
            if call.refusal:
                counts["call that ended before ringing"] += 1
            if call.id not in self.costs_stated:
                counts["call whose true cost was never stated"] += 1
        del counts[describe(USUAL)]
        counts["forged message about an unknown call"] = len(self.forged)
        return counts

    # --- The port -------------------------------------------------------------------

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        with self._guard:
            self.orders.append(order)
            return self._answer_order(order)

    def _answer_order(self, order: CallOrder) -> Outcome:
        if self.down:
            return NeverLeft("the provider is down")
        kind = _drawn(self.random, {name: getattr(self.rates, name) for name in FAULTS})
        now = self.clock()
        if kind in UNREACHED:
            return UNREACHED[kind]
        refusal = self._refusal(order, kind)
        if refusal is not None:
            return self._refuse(order, refusal)
        match kind:
            case "error_after":
                self._make_call(order, now)
                return Unknown("the answer was lost")
            case "late_after":
                self._make_call(order, now + _seconds(self.random, 0, TIME_OUT))
                return Unknown("no answer in time")
        call = self._make_call(order, now)
        self._forge(call)
        blocked = kind == "blocked"
        return Accepted(call.id, call.created_at, concurrency_blocked=blocked)

    def _refusal(self, order: CallOrder, kind: str | None) -> str | None:
        """Return the name of the refusal before the 201, if any."""
        if not order.phone.startswith("+"):
            return "number"
        if self._always(order, "person"):
            return "person"
        if kind in REFUSALS:
            return kind
        if self.over_limit == "refuse" and self._is_over_limit():
            return "over_limit"
        return None

    def _refuse(self, order: CallOrder, name: str) -> Outcome:
        kind, status, message = REFUSALS[name]
        self.refusals.append((order.contact_id, kind))
        asked = name == "not_now" and self.random.random() < 0.5
        return read_outcome(
            status,
            {"retry-after": "1"} if asked else {},
            orjson.dumps({"statusCode": status, "message": message}),
            now=self.clock(),
        )

    def _always(self, order: CallOrder, name: str) -> bool:
        """Return whether this contact is one that is always refused in this way."""
        rate: float = getattr(self.rates, name)
        return Random(f"{name} {order.phone}").random() < rate

    def _is_over_limit(self) -> bool:
        now = self.clock()
        live = sum(call.ended_at > now for call in self.made_calls.values())
        return self.limit is not None and live >= self.limit

    def call(self, provider_call_id: str) -> ProviderCall | None:
        with self._guard:
            self._read()
            call = self.made_calls.get(provider_call_id)
            if call is None or call.created_at > self.clock():
                return None
            return self._shown(call)

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        with self._guard:
            self._read()
            now = self.clock()
            found = [
                self._shown(call)
                for call in self.made_calls.values()
                if call.listed_at <= now and call.created_at >= since
                if phone_number_id in (None, call.order.phone_number_id)
            ]
        shown = [call for call in found if call]
        return sorted(shown, key=lambda call: call.created_at, reverse=True)

    def _shown(self, call: VirtualCall) -> ProviderCall | None:
        document = call.document(self.clock())
        if call.is_cost_stated_by(document):
            self.costs_stated.add(call.id)
        return read_call(document)

    def hang_up(self, provider_call_id: str) -> None:
        with self._guard:
            self._read()
            now = self.clock()
            self.hang_ups.append(provider_call_id)
            call = self.made_calls.get(provider_call_id)
            if call is not None and call.ended_at > now:
                self._end_now(call, now)

    def _end_now(self, call: VirtualCall, now: datetime) -> None:
        if call.refusal is not None:
            self.refusals.remove((call.order.contact_id, call.refusal))
        call.ended_at, call.reason = now, "manually-canceled"
        call.message, call.refusal = None, None
        if call.answered_at is None or call.answered_at >= now:
            call.cost = 0.0
        call.reporting = USUAL
        call.first_reported_at = call.reported_at = now + timedelta(seconds=3)
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
                self._acknowledge(message)
            elif tries < 8:
                again = self.clock() + timedelta(seconds=2.0**tries)
                with self._guard:
                    self._outgoing.append((again, tries + 1, message))
        self.clock.time = max(self.clock.time, until)

    def _acknowledge(self, body: Document) -> None:
        self.acknowledged.append(body)
        message, call = body["message"], self.made_calls.get(_call_of(body))
        if message["type"] == REPORT and call and call.is_cost_stated_by(message):
            self.costs_stated.add(call.id)

    def _next_message(self, until: datetime) -> tuple[datetime, int, Document] | None:
        with self._guard:
            due = [item for item in self._outgoing if item[0] <= until]
            if not due:
                return None
            first = min(due, key=lambda item: item[0])
            self._outgoing.remove(first)
            return first

    @property
    def next_change_at(self) -> datetime:
        """When a message is due, or a call ends or is reported; now if one is live."""
        with self._guard:
            now = self.clock()
            times = [at for at, _, _ in self._outgoing]
            times += [call.reported_at for call in self.made_calls.values()]
            if any(call.ended_at > now for call in self.made_calls.values()):
                return now
            return min((at for at in times if at > now), default=FAR)

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
        ending = self._ending(order)
        ringing = at + seconds(random, 1, 3)
        answered = ringing + seconds(random, 2, 12) if random.random() < 0.8 else None
        ended = (answered or ringing) + seconds(random, 3, 30)
        reporting = draw_reporting(random, self.rates)
        if ending is not None:
            ended, answered, reporting = ringing, None, replace(reporting, first="none")
            self.refusals.append((order.contact_id, ending.refusal))
        first_reported = ended + seconds(random, 1, 5)
        call = VirtualCall(
            id=str(UUID(int=random.getrandbits(128))),
            order=order,
            created_at=at,
            listed_at=at + seconds(random, 0, self.rates.list_lag),
            ringing_at=None if ending else ringing,
            answered_at=answered,
            ended_at=ended,
            first_reported_at=first_reported,
            reported_at=first_reported + gap_of(reporting),
            reason=ending.reason if ending else _reason(answered=answered is not None),
            cost=round(random.uniform(0.01, 0.4), 4) if answered else 0.0,
            message=ending.message if ending else None,
            refusal=ending.refusal if ending else None,
            reporting=reporting,
        )
        call = self.shape(call)
        self.made_calls[call.id] = call
        self._schedule_messages(call)
        return call

    def _ending(self, order: CallOrder) -> Ending | None:
        """Return why the call ends before it rings, if it does."""
        if self.over_limit == "end" and self._is_over_limit():
            return ENDINGS["end_capacity"]
        for name in ("end_contact", "end_carrier"):
            if self._always(order, name):
                return ENDINGS[name]
        names = ("end_capacity", "end_account", "end_platform")
        drawn = _drawn(self.random, {name: getattr(self.rates, name) for name in names})
        return ENDINGS[drawn] if drawn else None

    def _schedule_messages(self, call: VirtualCall) -> None:
        for at, message in call.messages():
            is_late_report = (
                at == call.reported_at and call.reporting.gap_seconds >= LATE_GAP
            )
            for _ in range(2 if self.random.random() < self.rates.twice else 1):
                if self.random.random() < self.rates.lost and not is_late_report:
                    continue
                late = self.random.random() < self.rates.late
                delay = _seconds(self.random, 0, 25 if late else 0.5)
                self._outgoing.append((at + delay, 0, message))

    def _forge(self, call: VirtualCall) -> None:
        """Make a message that names our call with an id that does not exist.

        A part of them is sent before the answer to the request is stored.
        """
        if self.random.random() >= self.rates.forged:
            return
        id_ = str(UUID(int=self.random.getrandbits(128)))
        at = call.created_at + _seconds(self.random, 0, 20)
        self.forged.append(id_)
        message = call.update("ringing", at, id_)
        if self.random.random() < self.rates.forged_early:
            self.forged_early.append(message)
        else:
            self._outgoing.append((at, 0, message))


def _call_of(body: Document) -> str:
    return str(body["message"]["call"]["id"])


def _reason(*, answered: bool) -> str:
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
