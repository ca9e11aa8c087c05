"""Runs a Reconcile, and brings calls into the state that a test needs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from application.ports import (
    CallOrder,
    CallReport,
)
from domain.dial_view import OpenCall, Phase
from domain.values import CallStatus
from scheduler.reconciliation.reconcile import Findings, Reconcile
from tests.wiring import Clock, Services

EVERY = timedelta(seconds=30)
TIME_OUT = timedelta(seconds=20)
SILENCE = timedelta(seconds=600)
SENT = timedelta(seconds=5)
ENDED = CallReport(ended_reason="customer-ended-call", ended_at=None)


class Watch:
    """A Reconcile over the services of a test, with helpers that place calls."""

    def __init__(self, services: Services) -> None:
        assert isinstance(services.now, Clock)
        self.services, self.clock, self.under_way = services, services.now, set[UUID]()
        self.reconcile = Reconcile(
            calls=services.calls,
            provider=services.provider,
            is_under_way=lambda call_id: call_id in self.under_way,
            interval=EVERY,
            time_out=TIME_OUT,
        )

    def look(self, times: int = 1, *, every: timedelta = EVERY) -> Findings:
        for _ in range(times):
            self.clock.pass_(seconds=every.total_seconds())
            snapshot = self.services.snapshot()
            found = self.reconcile.run(
                snapshot, now=self.services.now(), silence=SILENCE
            )
        return found

    def claimed(self) -> UUID:
        [call_id] = self.services.claim(self.services.campaign(1))
        return call_id

    def requested(self) -> CallOrder:
        return self.request(self.claimed())

    def request(self, call_id: UUID) -> CallOrder:
        ticket = self.services.calls.request(
            call_id, dial_before=self.services.now() + SENT
        )
        assert ticket is not None
        return ticket.order

    def unknown(self) -> CallOrder:
        order = self.requested()
        self.services.calls.lose_outcome(order.call_id, reason="no clear answer")
        return order

    def placed(self, order: CallOrder | None = None, provider_id: str = "p1") -> UUID:
        order = order or self.requested()
        self.services.provider.show(order, provider_id)
        self.services.calls.place(
            order.call_id, provider_call_id=provider_id, placed_at=self.services.now()
        )
        return order.call_id

    def phase(self, call_id: UUID) -> Phase | None:
        calls = {call.call_id: call for call in self.services.snapshot().calls}
        found: OpenCall | None = calls.get(call_id)
        return found.phase if found else None

    def status(self, call_id: UUID) -> CallStatus:
        return self.services.load_call(call_id).status


def report(**fields: Any) -> CallReport:
    return CallReport(ended_reason="customer-ended-call", **fields)
