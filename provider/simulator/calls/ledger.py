"""The ledger of the calls that the simulator placed, with high-water marks."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from provider.simulator.calls.calls import SimulatedCall, iso
from provider.simulator.calls.outcomes import transcript
from provider.simulator.calls.recordings import Recordings


@dataclass
class HighWater:
    """Current and largest number of live calls, by key."""

    live: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    def up(self, key: str) -> None:
        """Count one more live call."""
        self.live[key] += 1
        self.most[key] = max(self.most[key], self.live[key])

    def down(self, key: str) -> None:
        """Count one live call less."""
        self.live[key] -= 1


@dataclass
class Ledger:
    """Every call in order of creation, with high-water marks and counts."""

    calls: dict[str, SimulatedCall] = field(default_factory=dict)
    total: HighWater = field(default_factory=HighWater)
    campaigns: HighWater = field(default_factory=HighWater)
    lines: HighWater = field(default_factory=HighWater)
    customers: HighWater = field(default_factory=HighWater)
    requests: dict[str, Counter[str]] = field(default_factory=dict)
    webhooks: Counter[str] = field(default_factory=Counter)
    open_calls: int = 0
    open_deliveries: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def live(self) -> int:
        """Number of live calls."""
        return self.total.live["all"]

    def opened(self, call: SimulatedCall) -> None:
        """Add a new call."""
        self.calls[call.id] = call
        self.open_calls += 1
        for mark, key in self._marks(call):
            mark.up(key)
        self.touch()

    def closed(self, call: SimulatedCall) -> None:
        """Record the end of a call."""
        for mark, key in self._marks(call):
            mark.down(key)
        self.touch()

    def reported(self) -> None:
        """Record that a call was reported and is complete."""
        self.open_calls -= 1
        self.touch()

    def answered(self, route: str, outcome: str) -> None:
        """Count a request by route and outcome."""
        self.requests.setdefault(route, Counter())[outcome] += 1

    def touch(self) -> None:
        """Wake up `wait_until_quiet` to check again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_until_quiet(self, calls: int) -> None:
        """Wait until this number of calls exist and all are over and reported."""
        while not self._is_quiet(calls):
            await self._changed.wait()

    def shown(self, recordings: Recordings) -> dict[str, Any]:
        """Return the ledger as JSON values."""
        return {
            "calls": [_row(call, recordings) for call in self.calls.values()],
            "live": self.live,
            "highWater": {
                "all": self.total.most["all"],
                "campaigns": dict(self.campaigns.most),
                "phoneNumbers": dict(self.lines.most),
                "customers": dict(self.customers.most),
            },
            "requests": {route: dict(seen) for route, seen in self.requests.items()},
            "webhooks": dict(self.webhooks),
        }

    def _is_quiet(self, calls: int) -> bool:
        still_open = self.open_calls or self.open_deliveries
        return len(self.calls) >= calls and not still_open

    def _marks(self, call: SimulatedCall) -> list[tuple[HighWater, str]]:
        """Return the high-water marks that count this call; none for a blocked one."""
        if call.blocked:
            return []
        return [
            (self.total, "all"),
            (self.campaigns, str(call.metadata.get("autolynx_campaign_id", ""))),
            (self.lines, str(call.request["phoneNumberId"])),
            (self.customers, call.number),
        ]


def _row(call: SimulatedCall, recordings: Recordings) -> dict[str, Any]:
    times = ("created_at", "ringing_at", "started_at", "ended_at", "reported_at")
    return {
        "id": call.id,
        "number": call.number,
        "extension": call.request["customer"].get("extension"),
        "name": call.request.get("name"),
        "assistantId": call.request["assistantId"],
        "phoneNumberId": call.request["phoneNumberId"],
        "customerName": call.request["customer"].get("name"),
        "metadata": call.metadata,
        "variableValues": call.overrides.get("variableValues") or {},
        "status": call.status,
        "endedReason": call.ended_reason,
        "concurrencyBlocked": call.blocked,
        "cost": call.cost,
        "recordingUrl": recordings.mono(call.id) if call.started_at else None,
        "transcript": transcript(call.lines()),
        "scene": call.scene,
        "toolCalls": [result.shown() for result in call.tool_results],
        "webhooks": [delivery.shown() for delivery in call.deliveries],
        **{_camel(name): _iso_or_none(getattr(call, name)) for name in times},
    }


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _iso_or_none(time: datetime | None) -> str | None:
    return None if time is None else iso(time)
