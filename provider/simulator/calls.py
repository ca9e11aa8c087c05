"""A call as the provider knows it, and the shapes in which it shows it."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from provider.simulator.fates import AGREED, Fate, Line, conversation, cost_of
from provider.simulator.recordings import Recordings
from provider.simulator.settings import NEVER_ENDS, ORG_ID


@dataclass
class Delivery:
    """One server message on its way, and what became of it."""

    label: str
    timestamp: int
    outcome: str = "pending"
    attempts: int = 0
    sent_once: asyncio.Event = field(default_factory=asyncio.Event)
    overtaken: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "timestamp": self.timestamp,
            "outcome": self.outcome,
            "attempts": self.attempts,
        }


@dataclass
class SimulatedCall:
    """One call that was really created; live from `created_at` until `ended_at`."""

    id: str
    key: str
    request: dict[str, Any]
    fate: Fate
    assistant: dict[str, Any]
    line: dict[str, Any]
    base_url: str
    created_at: datetime
    speed: float
    blocked: bool = False
    list_lag: float = 0.0
    get_lag: float = 0.0
    status: str = "queued"
    ringing_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reported_at: datetime | None = None
    ended_reason: str | None = None
    cost: float = 0.0
    life: asyncio.Task[None] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    first_message_sent: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def number(self) -> str:
        return str(self.request["customer"]["number"])

    @property
    def overrides(self) -> dict[str, Any]:
        return self.request.get("assistantOverrides") or {}

    @property
    def metadata(self) -> dict[str, Any]:
        return self.overrides.get("metadata") or {}

    @property
    def server(self) -> dict[str, Any] | None:
        """The first place that names a URL for messages."""
        for owner in (self.overrides, self.assistant, self.line):
            server: dict[str, Any] = owner.get("server") or {}
            if server.get("url"):
                return server
        return None

    @property
    def updated_at(self) -> datetime:
        return (
            self.reported_at
            or self.ended_at
            or self.started_at
            or self.ringing_at
            or self.created_at
        )

    def wants(self, message_type: str) -> bool:
        asked = self.overrides.get("serverMessages")
        if asked is None:
            asked = self.assistant.get("serverMessages")
        return asked is None or message_type in asked

    def end(self, reason: str, at: datetime) -> None:
        self.status, self.ended_reason, self.ended_at = "ended", reason, at
        if self.started_at is not None:
            cut_short = reason == "manually-canceled"
            by_the_clock = self.talked * self.speed
            self.cost = cost_of(by_the_clock if cut_short else self.planned_talk)

    @property
    def planned_talk(self) -> float:
        """Seconds of talk before the speed, cut to the longest that was asked for."""
        if self.fate.reason == NEVER_ENDS:
            return self.fate.talk
        own = self.overrides.get("maxDurationSeconds")
        longest = float(own or self.assistant.get("maxDurationSeconds") or 600)
        return min(self.fate.talk, longest)

    def snapshot(self) -> dict[str, Any]:
        """Show the call as POST /call returned it: what messages carry for ever."""
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

    def shown(self, recordings: Recordings) -> dict[str, Any]:
        """Show the call as GET /call/{id} does now."""
        times = {"startedAt": self.started_at, "endedAt": self.ended_at}
        return {
            **self.snapshot(),
            "status": self.status,
            "updatedAt": iso(self.updated_at),
            **({"endedReason": self.ended_reason} if self.ended_reason else {}),
            **{key: iso(time) for key, time in times.items() if time},
            **(self.outcome(recordings) if self.reported_at else {}),
        }

    def outcome(self, recordings: Recordings) -> dict[str, Any]:
        """Show what is known after post-processing, at every depth it is sent."""
        artifact = self.artifact(recordings)
        twins = ("messages", "transcript", "recordingUrl", "stereoRecordingUrl")
        analysis = self._analysis()
        return {
            "analysis": analysis,
            "artifact": artifact,
            "cost": self.cost,
            **(_priced(self.cost, self.talked) if self.started_at else {}),
            "summary": analysis.get("summary", ""),
            **{key: artifact[key] for key in twins if key in artifact},
        }

    def artifact(self, recordings: Recordings) -> dict[str, Any]:
        lines = self.lines()
        spoken = [
            {"role": "assistant" if role == "bot" else role, "content": text}
            for role, text in lines
        ]
        return {
            "messages": self._messages(lines),
            "messagesOpenAIFormatted": spoken,
            "transcript": transcript(lines),
            **(recordings.artifact(self.id) if self.started_at else {}),
            "variableValues": self.overrides.get("variableValues") or {},
            "nodes": [],
            "transfers": [],
        }

    def lines(self) -> list[Line]:
        if self.started_at is None:
            return []
        name = self.request["customer"].get("name") or "the customer"
        greeting = str(self.assistant.get("firstMessage") or "Hello.")
        reason = self.ended_reason or self.fate.reason
        return conversation(self.fate, reason, greeting, name)

    @property
    def talked(self) -> float:
        """Seconds from the answer to the end, by the clock of the messages."""
        if self.started_at is None or self.ended_at is None:
            return 0.0
        return (self.ended_at - self.started_at).total_seconds()

    def ledger_row(self, recordings: Recordings) -> dict[str, Any]:
        times = ("created_at", "ringing_at", "started_at", "ended_at", "reported_at")
        return {
            "id": self.id,
            "number": self.number,
            "name": self.request.get("name"),
            "assistantId": self.request["assistantId"],
            "phoneNumberId": self.request["phoneNumberId"],
            "customerName": self.request["customer"].get("name"),
            "metadata": self.metadata,
            "variableValues": self.overrides.get("variableValues") or {},
            "status": self.status,
            "endedReason": self.ended_reason,
            "concurrencyBlocked": self.blocked,
            "cost": self.cost,
            "recordingUrl": recordings.mono(self.id) if self.started_at else None,
            "transcript": transcript(self.lines()),
            "webhooks": [delivery.shown() for delivery in self.deliveries],
            **{_camel(name): _iso_or_none(getattr(self, name)) for name in times},
        }

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

    def _analysis(self) -> dict[str, Any]:
        if self.started_at is None:
            return {}
        agreed = ("user", AGREED) in self.lines()
        name = self.request["customer"].get("name") or "The customer"
        return {
            "summary": f"{name} {'agreed' if agreed else 'did not agree'}.",
            "successEvaluation": str(agreed).lower(),
            "structuredData": {"confirmed": agreed},
        }

    def _messages(self, lines: list[Line]) -> list[dict[str, Any]]:
        if self.started_at is None:
            return []
        start, step = epoch_ms(self.started_at), self.talked / max(len(lines), 1)
        return [
            {
                "role": role,
                "message": text,
                "time": start + round(index * step * 1000),
                "endTime": start + round((index + 0.8) * step * 1000),
                "secondsFromStart": round(index * step, 3),
                "duration": round(0.8 * step * 1000),
            }
            for index, (role, text) in enumerate(lines)
        ]


def iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def utc_now() -> datetime:
    """Read the clock in whole milliseconds, as far as the API shows them."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def provider_id(at: datetime, dice: Random) -> str:
    """Make a UUIDv7, so that a second run on the same seed makes other calls."""
    bits = epoch_ms(at) << 80 | 7 << 76 | dice.getrandbits(12) << 64
    return str(UUID(int=bits | 2 << 62 | dice.getrandbits(62)))


def transcript(lines: list[Line]) -> str:
    speakers = {"bot": "AI", "user": "User"}
    return "".join(f"{speakers[role]}: {text}\n" for role, text in lines)


def _priced(total: float, minutes_in_seconds: float) -> dict[str, Any]:
    """Split a cost as the provider does; the parts add up to the total."""
    shares = {"transport": 0.11, "stt": 0.12, "llm": 0.02, "tts": 0.15}
    parts = {key: round(total * share, 4) for key, share in shares.items()}
    parts["vapi"] = round(total - sum(parts.values()), 4)
    minutes = round(minutes_in_seconds / 60, 4)
    return {
        "costBreakdown": {
            **parts,
            "chat": 0,
            "total": total,
            "llmPromptTokens": 412,
            "llmCompletionTokens": 58,
            "llmCachedPromptTokens": 0,
            "ttsCharacters": 113,
        },
        "costs": _costs(parts, minutes),
    }


def _costs(parts: dict[str, float], minutes: float) -> list[dict[str, Any]]:
    ears = {"provider": "deepgram", "model": "nova-2"}
    mind = {"provider": "openai", "model": "gpt-4o-mini"}
    voice = {"provider": "vapi", "voiceId": "Elliot"}
    tokens = {"promptTokens": 412, "completionTokens": 58}
    timed: dict[str, Any] = {"minutes": minutes}
    return [
        {
            "type": "transport",
            "provider": "twilio",
            "cost": parts["transport"],
            **timed,
        },
        {"type": "transcriber", "transcriber": ears, "cost": parts["stt"], **timed},
        {"type": "model", "model": mind, "cost": parts["llm"], **tokens},
        {"type": "voice", "voice": voice, "characters": 113, "cost": parts["tts"]},
        {"type": "vapi", "subType": "normal", "cost": parts["vapi"], **timed},
    ]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _iso_or_none(time: datetime | None) -> str | None:
    return None if time is None else iso(time)
