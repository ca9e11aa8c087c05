"""The installation itself: its key, which turns phone numbers into keyed digests.

The key lies in the vault and is created once. It is never replaced: with another key no
suppressed number would be recognised.
"""

from datetime import datetime
from typing import Self
from uuid import uuid5

from eventsourcing.domain import Aggregate, event

from domain.values import NAMESPACE

INSTALLATION_ID = uuid5(NAMESPACE, "installation")


class Installation(Aggregate):
    """`key_digest` proves which key the numbers were keyed with."""

    TOPIC = "installation"

    class Created(Aggregate.Created):
        """The key was created; `key_digest` is the digest of its vault row."""

        TOPIC = "installation.key_created"
        actor: str
        key_digest: str

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
