"""One phone number over all campaigns and contacts that have it.

The register of suppressed numbers consists of the facts of these streams. A stream is
named by a keyed digest of the number, so that an erased number stays suppressed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID, uuid5

from eventsourcing.domain import AggregateEvent, BaseAggregate, event

from domain.errors import WrongState
from domain.values import NAMESPACE, VaultText


class SuppressionSource(StrEnum):
    """Where an entry of the register comes from.

    CALL: the person opted out during a call. PERSON: a member, with the dashboard or
    the command line. IMPORT: a list. API: a program, with an API token.
    """

    CALL = "CALL"
    PERSON = "PERSON"
    IMPORT = "IMPORT"
    API = "API"


def number_id_of(number_key: str) -> UUID:
    """Return the id of the number's stream; `number_key` is its keyed digest in hex."""
    return uuid5(NAMESPACE, f"number:{number_key}")


class NumberEvent(AggregateEvent):
    """Base of all events of a number; each of them may be the first of its stream.

    `is_suppressed` is the state after the event, so that a reader of only the newest
    events of a stream knows it as well.
    """

    actor: str
    is_suppressed: bool

    def mutate(self, aggregate: Any) -> Any:
        """Apply the event; the first one that is read begins with a blank number."""
        if aggregate is None:
            before = self.originator_version - 1
            aggregate = Number.unrecorded(self.originator_id, self.timestamp, before)
        return super().mutate(aggregate)


class Number(BaseAggregate[UUID]):
    """`is_suppressed`: the number is on the register and may not be called."""

    TOPIC = "number"

    class Event(AggregateEvent):
        """Base that the library requires; no event creates a number."""

    class Suppressed(NumberEvent):
        """`phone` refers to the number itself, which only the vault contains."""

        TOPIC = "number.suppressed"
        source: SuppressionSource
        reason: VaultText | None
        phone: VaultText | None
        call_id: UUID | None
        campaign_id: UUID | None

    class Lifted(NumberEvent):
        """The number was taken off the register, and may be called again."""

        TOPIC = "number.lifted"
        reason: VaultText

    is_suppressed: bool

    @classmethod
    def unrecorded(cls, number_id: UUID, at: datetime, version: int = 0) -> Self:
        """Return a number of whose events none is known yet.

        `version` is that of the last event that is left out, 0 if there is none.
        """
        number = cls.__new__(cls)
        number.__base_init__(number_id, version, at)
        number.is_suppressed = False
        return number

    def suppress(
        self,
        *,
        source: SuppressionSource,
        reason: VaultText | None,
        phone: VaultText | None,
        call_id: UUID | None = None,
        campaign_id: UUID | None = None,
        at: datetime,
        by: str,
    ) -> None:
        """Add the number to the register; nothing changes if it is there already.

        `call_id` and `campaign_id` name the call in which the person opted out.
        """
        if self.is_suppressed:
            return
        self.trigger_event(
            self.Suppressed,
            timestamp=at,
            actor=by,
            is_suppressed=True,
            source=source,
            reason=reason,
            phone=phone,
            call_id=call_id,
            campaign_id=campaign_id,
        )

    def lift(self, *, reason: VaultText, at: datetime, by: str) -> None:
        """Remove the number from the register. Raises WrongState if it is not there."""
        if not self.is_suppressed:
            raise WrongState("This number is not suppressed: there is nothing to lift.")
        self.trigger_event(
            self.Lifted, timestamp=at, actor=by, is_suppressed=False, reason=reason
        )

    @event(Suppressed)
    def _suppressed(self, *, is_suppressed: bool) -> None:
        self.is_suppressed = is_suppressed

    @event(Lifted)
    def _lifted(self, *, is_suppressed: bool) -> None:
        self.is_suppressed = is_suppressed
