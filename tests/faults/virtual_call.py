"""A call in virtual time: its true course, and what its provider shows and reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from application.ports import CallOrder
from domain.values import RefusalKind
from provider.simulator.faults.reporting import USUAL, Reporting

type Document = dict[str, Any]

REPORT = "end-of-call-report"


@dataclass(frozen=True)
class Ending:
    """Why a call ended before it rang: the provider's words, and what they mean.

    The meaning is from the documentation of the provider's ended reasons, not from the
    table of the code under test.
    """

    reason: str
    refusal: RefusalKind
    message: str | None = None


ENDINGS: Mapping[str, Ending] = {
    "end_capacity": Ending(
        "call.start.error-subscription-concurrency-limit-reached",
        RefusalKind.CAPACITY,
    ),
    "end_account": Ending(
        "call.start.error-subscription-insufficient-credits", RefusalKind.ACCOUNT
    ),
    "end_contact": Ending(
        "call.start.error-vapi-number-international", RefusalKind.CONTACT
    ),
    "end_carrier": Ending(
        "call.start.error-get-transport",
        RefusalKind.CONTACT,
        "Account not authorized to call this number. Perhaps you need to enable some"
        " international permissions.",
    ),
    "end_platform": Ending(
        "call.start.error-vapifault-worker-not-available", RefusalKind.PLATFORM
    ),
}
"""The refusals after the answer 201, by their name in `Rates`."""


@dataclass
class VirtualCall:
    """One call that the provider made, with its true times, reason and cost (USD).

    `refusal` is the kind of an end before ringing. The last report is sent at
    `reported_at`; an earlier one, if `reporting` names one, at `first_reported_at`.
    """

    id: str
    order: CallOrder
    created_at: datetime
    listed_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime
    first_reported_at: datetime
    reported_at: datetime
    reason: str
    cost: float
    message: str | None = None
    refusal: RefusalKind | None = None
    reporting: Reporting = USUAL

    def status(self, now: datetime) -> str:
        if now >= self.ended_at:
            return "ended"
        if self.answered_at and now >= self.answered_at:
            return "in-progress"
        return "ringing" if self.ringing_at and now >= self.ringing_at else "queued"

    def head(self, id_: str | None = None) -> Document:
        """Return what identifies the call, with another provider id if given."""
        metadata = {
            "autolynx_call_id": str(self.order.call_id),
            "autolynx_campaign_id": str(self.order.campaign_id),
            "autolynx_contact_id": str(self.order.contact_id),
            "attempt": self.order.attempt,
        }
        return {
            "id": id_ or self.id,
            "createdAt": self.created_at.isoformat(),
            "name": str(self.order.call_id),
            "assistantOverrides": {"metadata": metadata},
        }

    def result(self) -> Document:
        """Return everything that a complete report contains besides the call."""
        explained = {"endedMessage": self.message} if self.message else {}
        common = {
            "endedReason": self.reason,
            **explained,
            "endedAt": self.ended_at.isoformat(),
            "cost": self.cost,
        }
        if self.answered_at is None or self.answered_at >= self.ended_at:
            return {**common, "artifact": {}, "analysis": {}}
        seconds = (self.ended_at - self.answered_at).total_seconds()
        return {
            **common,
            **self._prices(),
            "startedAt": self.answered_at.isoformat(),
            "durationMs": round(seconds * 1000),
            "durationSeconds": round(seconds, 3),
            "durationMinutes": round(seconds / 60, 4),
            "analysis": {"summary": f"The summary of {self.id}."},
            "artifact": {
                "transcript": f"AI: This was {self.id}.\n",
                "messages": [{"role": "bot", "message": f"This was {self.id}."}],
                "recordingUrl": f"https://recordings.example.com/{self.id}.wav",
            },
        }

    def _prices(self) -> Document:
        transport = round(self.cost / 4, 4)
        model = round(self.cost - transport, 4)
        return {
            "costBreakdown": {
                "transport": transport,
                "llm": model,
                "total": self.cost,
            },
            "costs": [
                {"type": "transport", "cost": transport},
                {"type": "model", "cost": model},
            ],
        }

    def is_cost_stated_by(self, document: Document) -> bool:
        """Return whether a report or an answer contains the true cost anywhere.

        The zero of an empty first report states nothing.
        """
        is_empty = self.reporting.first == "empty" and "endedAt" not in document
        return not is_empty and _contains_cost(document, self.cost)

    def document(self, now: datetime) -> Document:
        """Return what GET /call shows: complete, or only what was reported so far."""
        status = self.status(now)
        shown = {**self.head(), "status": status}
        if status != "ended":
            return shown
        if now < self.first_reported_at:
            return shown | {"endedReason": self.reason}
        return self._after(now) | shown

    def _after(self, now: datetime) -> Document:
        form, complete = self.reporting, self.result()
        if form.read == "complete":
            return complete
        reported = now >= self.reported_at
        document = (
            form.last_report(complete) if reported else form.first_report(complete)
        )
        return {"endedReason": self.reason, **_without_call(document)}

    def messages(self) -> list[tuple[datetime, Document]]:
        statuses = [("ringing", self.ringing_at), ("in-progress", self.answered_at)]
        updates = [
            (at, self.update(status, at))
            for status, at in statuses
            if at and at < self.ended_at
        ]
        ended = self.update("ended", self.ended_at)
        explained = {"endedMessage": self.message} if self.message else {}
        ended["message"] |= {"endedReason": self.reason, **explained}
        return [*updates, (self.ended_at, ended), *self._reports()]

    def _reports(self) -> list[tuple[datetime, Document]]:
        form, complete = self.reporting, self.result()
        last = (self.reported_at, self._report(form.last_report(complete)))
        if form.first == "none":
            return [last]
        first = self._report(form.first_report(complete))
        return [(self.first_reported_at, first), last]

    def _report(self, content: Document) -> Document:
        call = self.head() | content.get("call", {})
        return {"message": {**content, "type": REPORT, "call": call}}

    def update(self, status: str, at: datetime, id_: str | None = None) -> Document:
        return {
            "message": {
                "type": "status-update",
                "status": status,
                "timestamp": at.timestamp() * 1000,
                "call": self.head(id_),
            }
        }


def _without_call(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "call"}


def _contains_cost(document: Document, cost: float) -> bool:
    breakdown = document.get("costBreakdown") or {}
    parts = [part["cost"] for part in document.get("costs") or []]
    stated = [document.get("cost"), breakdown.get("total")]
    amounts = [Decimal(str(amount)) for amount in stated if amount is not None]
    if parts:
        amounts.append(sum((Decimal(str(part)) for part in parts), Decimal(0)))
    return Decimal(str(cost)) in amounts
