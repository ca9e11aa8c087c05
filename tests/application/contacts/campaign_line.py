"""A campaign with retries, of which a test places and ends single calls."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.contacts.contact import Contact
from domain.outcomes import (
    CallOutcome,
)
from tests.application.calls.messages import record_message, report
from tests.wiring import Clock, Services

BUSY = {"endedReason": "customer-busy", "startedAt": None, "cost": 0.0}
HUMAN = {
    "artifact": {"messages": [{"role": "user", "message": "Yes, speaking, go on."}]}
}
POLICY = RetryPolicy(
    attempts=3,
    per_day=5,
    min_gap_minutes=1,
    expires_after_days=7,
    rules=(RetryRule((CallOutcome.BUSY, CallOutcome.NO_ANSWER), 9, (30,)),),
)
TERMS = CallingTerms(retry_policy=POLICY)


class Line:
    """A campaign, by default with one contact; the test decides how each call ends."""

    def __init__(
        self, services: Services, terms: CallingTerms = TERMS, people: int = 1
    ) -> None:
        self.services = services
        self.campaign_id = services.campaign(people, terms=terms)

    @property
    def contact(self) -> Contact:
        return self.services.app.load(Contact, self.contact_id)

    def later(self, **units: float) -> None:
        clock = self.services.now
        assert isinstance(clock, Clock)
        clock.pass_(**units)

    def place(self) -> UUID:
        [call_id] = self.services.claim(self.campaign_id)
        self.contact_id = self.services.load_call(call_id).contact_id
        before = self.services.now() + timedelta(seconds=5)
        assert self.services.calls.request(call_id, dial_before=before)
        self.services.calls.place(
            call_id, provider_call_id=str(call_id), placed_at=self.services.now()
        )
        return call_id

    def end(self, call_id: UUID, **fields: Any) -> None:
        body = report(call_id, **fields)
        body["message"]["call"]["id"] = str(call_id)
        record_message(self.services, body)

    def call(self, **fields: Any) -> UUID:
        call_id = self.place()
        self.end(call_id, **fields)
        return call_id

    def progress(self) -> dict[str, int]:
        row = self.services.board(self.campaign_id)
        names = ("pending", "queued", "ended", "failed", "canceled", "timed_out")
        return {name: n for name in names if (n := getattr(row, name))}

    def due(self) -> int:
        return len(self.services.candidates(self.campaign_id))
