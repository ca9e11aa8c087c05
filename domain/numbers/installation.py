"""The installation itself: its key, which turns phone numbers into keyed digests.

The key lies in the vault and is created once. It is never replaced: with another key no
suppressed number would be recognised.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Self
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from domain.values import NAMESPACE

INSTALLATION_ID = uuid5(NAMESPACE, "installation")


class Installation(Aggregate):
    """`key_digest` proves which key the numbers were keyed with.

    `counts_earlier_calls`: the calls of earlier releases count for frequency caps.
    """

    TOPIC = "installation"

    class Created(Aggregate.Created):
        """The key was created; `key_digest` is the digest of its vault row."""

        TOPIC = "installation.key_created"
        actor: str
        key_digest: str

    class RulesApplied(Aggregate.Event):
        """A campaign that an earlier release started obeys calling rules from now on.

        Its contacts may wait, so an alert names the campaign.
        """

        TOPIC = "installation.rules_applied"
        actor: str
        campaign_id: UUID

    class EarlierCallsCounted(Aggregate.Event):
        """The `calls` that earlier releases requested were counted for their numbers.

        No call is requested before.
        """

        TOPIC = "installation.earlier_calls_counted"
        actor: str
        calls: int

    @classmethod
    def create(cls, *, key_digest: str, at: datetime, by: str) -> Self:
        """Record that the key was created; `key_digest` is of its vault row."""
        return cls._create(
            cls.Created,
            id=INSTALLATION_ID,
            timestamp=at,
            actor=by,
            key_digest=key_digest,
        )

    @event(Created)
    def __init__(self, key_digest: str) -> None:
        self.key_digest = key_digest
        self.counts_earlier_calls = False

    def record_earlier_calls(
        self, calls: int, campaign_ids: Collection[UUID], *, at: datetime, by: str
    ) -> None:
        """Record, once, that earlier calls count for frequency caps.

        `calls` is how many were counted; `campaign_ids` obey rules from now on.
        """
        if self.counts_earlier_calls:
            return
        for campaign_id in campaign_ids:
            self.trigger_event(
                self.RulesApplied, timestamp=at, actor=by, campaign_id=campaign_id
            )
        self.trigger_event(
            self.EarlierCallsCounted, timestamp=at, actor=by, calls=calls
        )

    @event(RulesApplied)
    def _rules_applied(self) -> None:
        """Change nothing: the event raises an alert."""

    @event(EarlierCallsCounted)
    def _earlier_calls_counted(self) -> None:
        self.counts_earlier_calls = True
