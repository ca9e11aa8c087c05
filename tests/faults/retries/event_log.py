"""Reads the stored events as plain JSON, without any code of the domain.

The checks of the soak must not use the code whose decisions they judge.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from tests.wiring import Services


@dataclass(frozen=True)
class LoggedEvent:
    """An event at its position of the log; `values` are its fields as JSON has them."""

    position: int
    stream: UUID
    topic: str
    values: dict[str, Any]

    @property
    def at(self) -> datetime:
        return self.time("timestamp")

    def time(self, name: str) -> datetime:
        return datetime.fromisoformat(self.values[name])

    @property
    def campaign(self) -> UUID | None:
        if self.topic.startswith("campaign."):
            return self.stream
        found = self.values.get("campaign_id")
        return UUID(found) if found else None

    @property
    def contact(self) -> UUID | None:
        """The contact that an event of a call or of a contact is about."""
        if self.topic.startswith("contact."):
            return self.stream
        found = self.values.get("contact_id")
        return UUID(found) if found else None

    @property
    def move(self) -> tuple[str, str] | None:
        """The statuses of the contact before and after, if the event changes it."""
        was, standing = self.values.get("was"), self.values.get("standing")
        if self.contact is None or was is None or was == standing:
            return None
        return was, str(standing)

    @property
    def outcome(self) -> str | None:
        found = self.values.get("outcome")
        return found["outcome"] if found else None


def read_log(
    services: Services, campaigns: Collection[UUID], after: int = 0
) -> list[LoggedEvent]:
    """Read the events of some campaigns, their contacts and calls, in order.

    Events of phone numbers are included if a call of these campaigns caused them.
    """
    query = (
        "select notification_id, originator_id, topic, state from autolynx_events"
        " where notification_id > %s and"
        " split_part(topic, '.', 1) in ('campaign', 'call', 'contact', 'number')"
        " order by notification_id"
    )
    with services.reading.connection() as conn:
        rows = conn.execute(query, (after,)).fetchall()
    events = [
        LoggedEvent(int(position), stream, topic, orjson.loads(bytes(state)))
        for position, stream, topic, state in rows
    ]
    return [event for event in events if event.campaign in campaigns]


@dataclass
class Recount:
    """The status of each contact, counted from the events alone.

    `problems` are events that do not continue the status before them: a sum of such
    events would drift.
    """

    services: Services
    campaigns: Collection[UUID]
    position: int = 0
    statuses: dict[UUID, dict[UUID, str]] = field(default_factory=dict)
    contacts: Counter[UUID] = field(default_factory=Counter)
    over: dict[UUID, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def update(self) -> None:
        """Apply the events since the last update."""
        for event in read_log(self.services, self.campaigns, self.position):
            self.position = event.position
            self._apply(event)

    def _apply(self, event: LoggedEvent) -> None:
        campaign = event.campaign
        assert campaign is not None
        if event.topic == "campaign.contacts_imported":
            self.contacts[campaign] += event.values["accepted"]
        elif event.topic in {"campaign.canceled", "campaign.expired"}:
            self.over[campaign] = event.topic
        if event.move is None or event.contact is None:
            return
        known = self.statuses.setdefault(campaign, {})
        was, standing = event.move
        before = known.get(event.contact, "PENDING")
        if before != was:
            self.problems.append(
                f"I6: {event.topic} at {event.position} moves from {was}, not {before}"
            )
        known[event.contact] = standing

    def counts(self, campaign: UUID) -> Counter[str]:
        """Return the number of contacts by status, as they are to be shown."""
        known = self.statuses.get(campaign, {})
        counts = Counter(known.values())
        counts["PENDING"] += self.contacts[campaign] - len(known)
        if campaign in self.over:
            counts["CANCELED"] += counts.pop("PENDING", 0)
        return +counts
