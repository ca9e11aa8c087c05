"""A simulated call, from its creation to its end."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from provider.simulator.calls.call_plan import (
    WITH_A_PERSON,
    CallPlan,
    conversation,
    cost_of,
)
from provider.simulator.faults.fault_plan import CallFault
from provider.simulator.faults.reporting import USUAL, Reporting
from provider.simulator.people.scenes import Line, Person, Scene
from provider.simulator.settings import NEVER_ENDS, ORG_ID

STATUS_SINCE = {
    "reported_at": "ended",
    "first_reported_at": "ended",
    "ended_at": "ended",
    "started_at": "in-progress",
    "ringing_at": "ringing",
}
"""The status that began at each time, the latest first."""


@dataclass
class Delivery:
    """One webhook, with the outcome of its delivery."""

    label: str
    timestamp: int
    outcome: str = "pending"
    attempts: int = 0
    sent_once: asyncio.Event = field(default_factory=asyncio.Event)
    overtaken: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Any]:
        """Return the JSON form for the ledger."""
        return {
            "label": self.label,
            "timestamp": self.timestamp,
            "outcome": self.outcome,
            "attempts": self.attempts,
        }


@dataclass
class ToolResult:
    """A tool call that the assistant made; `result` is None without an answer."""

    name: str
    arguments: dict[str, Any]
    result: str | None

    def shown(self) -> dict[str, Any]:
        """Return the JSON form for the ledger."""
        return {
            "name": self.name,
            "arguments": self.arguments,
            "result": self.result,
        }


@dataclass
class SimulatedCall:
    """One call that was really created; live from `created_at` until `ended_at`.

    `callback_at` is the local time at which the person asks to be called, if they do.
    """

    id: str
    key: str
    request: dict[str, Any]
    plan: CallPlan
    assistant: dict[str, Any]
    line: dict[str, Any]
    base_url: str
    created_at: datetime
    callback_at: datetime
    speed: float
    blocked: bool = False
    faults: dict[CallFault, float] = field(default_factory=dict)
    reporting: Reporting = USUAL
    status: str = "queued"
    ringing_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    first_reported_at: datetime | None = None
    reported_at: datetime | None = None
    ended_reason: str | None = None
    cost: float = 0.0
    life: asyncio.Task[None] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    first_message_sent: asyncio.Event = field(default_factory=asyncio.Event)
    tool_results: list[ToolResult] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The customer's number, E.164."""
        return str(self.request["customer"]["number"])

    @property
    def overrides(self) -> dict[str, Any]:
        """The assistant overrides of the request."""
        return self.request.get("assistantOverrides") or {}

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the request."""
        return self.overrides.get("metadata") or {}

    @property
    def server(self) -> dict[str, Any] | None:
        """The server for messages: of the overrides, the assistant or the line."""
        for owner in (self.overrides, self.assistant, self.line):
            server: dict[str, Any] = owner.get("server") or {}
            if server.get("url"):
                return server
        return None

    @property
    def updated_at(self) -> datetime:
        """The time of the last change."""
        return (
            self.reported_at
            or self.first_reported_at
            or self.ended_at
            or self.started_at
            or self.ringing_at
            or self.created_at
        )

    def shows(self, after: CallFault) -> bool:
        """Return whether the call is old enough to be shown despite this fault."""
        return utc_now() - self.created_at >= self._lag(after)

    def as_shown(self) -> "SimulatedCall":
        """Return the state that is shown now; a fault may make it an older one."""
        stale = self._lag(CallFault.SHOWN_STALE)
        return self.as_of(utc_now() - stale) if stale else self

    def as_of(self, at: datetime) -> "SimulatedCall":
        """Return a copy with the state at that time."""
        known: dict[str, Any] = {
            name: time if (time := getattr(self, name)) and time <= at else None
            for name in STATUS_SINCE
        }
        status = next((STATUS_SINCE[name] for name in known if known[name]), "queued")
        if status != "ended":
            known |= {"ended_reason": None, "cost": 0.0}
        return replace(self, status=status, **known)

    def _lag(self, fault: CallFault) -> timedelta:
        return timedelta(seconds=self.faults.get(fault, 0.0))

    def wants(self, message_type: str) -> bool:
        """Return whether the server is to get messages of this type."""
        asked = self.overrides.get("serverMessages")
        if asked is None:
            asked = self.assistant.get("serverMessages")
        return asked is None or message_type in asked

    def end(self, reason: str, at: datetime) -> None:
        """End the call and compute its cost in US dollars."""
        self.status, self.ended_reason, self.ended_at = "ended", reason, at
        if self.started_at is not None:
            cut_short = reason == "manually-canceled"
            by_the_clock = self.talked * self.speed
            self.cost = cost_of(by_the_clock if cut_short else self.planned_talk)

    @property
    def planned_talk(self) -> float:
        """Seconds of talk before the speed, cut to the longest that was asked for."""
        if self.plan.reason == NEVER_ENDS:
            return self.plan.talk
        own = self.overrides.get("maxDurationSeconds")
        longest = float(own or self.assistant.get("maxDurationSeconds") or 600)
        return min(self.plan.talk, longest)

    def snapshot(self) -> dict[str, Any]:
        """Return the call as POST /call returned it; all messages contain this copy."""
        created = iso(self.created_at)
        echoed = ("name", "assistantId", "assistantVersion", "phoneNumberId")
        return {
            "id": self.id,
            "orgId": ORG_ID,
            "createdAt": created,
            "updatedAt": created,
            "type": "outboundPhoneCall",
            "cost": 0,
            **{key: self.request[key] for key in echoed if key in self.request},
            "customer": self.request["customer"],
            "status": "queued",
            "assistantOverrides": self.overrides,
            **({} if self.blocked else self._carrier()),
        }

    def lines(self) -> list[Line]:
        """Return the conversation, empty if nobody answered."""
        if self.started_at is None:
            return []
        name = self.request["customer"].get("name") or "the customer"
        greeting = str(self.assistant.get("firstMessage") or "Hello.")
        reason = self.ended_reason or self.plan.reason
        answer = self.tool_results[-1].result if self.tool_results else None
        person = Person(name, self.callback_at)
        lines = conversation(self.plan, reason, greeting, person, answer)
        return lines if self.leaves_voicemail else lines[:1]

    @property
    def leaves_voicemail(self) -> bool:
        """Whether the assistant speaks to a machine that the provider recognised."""
        reason = self.ended_reason or self.plan.reason
        return reason != "voicemail" or self.overrides.get("voicemailMessage") != ""

    @property
    def scene(self) -> Scene | None:
        """What happened in the call; None if nobody picked up, or it was cut short."""
        reason = self.ended_reason or self.plan.reason
        is_scene = self.started_at is not None and reason in WITH_A_PERSON
        return self.plan.scene if is_scene else None

    @property
    def talked(self) -> float:
        """Seconds from the answer to the end, by the clock of the messages."""
        if self.started_at is None or self.ended_at is None:
            return 0.0
        return (self.ended_at - self.started_at).total_seconds()

    def _carrier(self) -> dict[str, Any]:
        sid = f"CA{UUID(self.id).hex}"
        socket_url = self.base_url.replace("http", "ws", 1)
        return {
            "phoneCallProvider": "twilio",
            "phoneCallProviderId": sid,
            "phoneCallTransport": "pstn",
            "monitor": {
                "listenUrl": f"{socket_url}/{self.id}/listen",
                "controlUrl": f"{self.base_url}/{self.id}/control",
            },
            "transport": {
                "provider": "twilio",
                "conversationType": "voice",
                "callSid": sid,
                "accountSid": self.line.get("twilioAccountSid", ""),
            },
        }


def iso(time: datetime) -> str:
    """Format a time as the API does: ISO 8601 in UTC with milliseconds."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(time: datetime) -> int:
    """Return milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def utc_now() -> datetime:
    """Return the current time in whole milliseconds, the resolution of the API."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def provider_id(at: datetime, dice: Random) -> str:
    """Return a UUIDv7: a second run with the same seed gets other ids."""
    bits = epoch_ms(at) << 80 | 7 << 76 | dice.getrandbits(12) << 64
    return str(UUID(int=bits | 2 << 62 | dice.getrandbits(62)))
