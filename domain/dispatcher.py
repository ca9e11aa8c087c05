"""The log of claims: the fence that lets one scheduler at a time plan calls.

It is written at the version that the plan's own snapshot shows, and never loaded:
who saw less than every earlier claim cannot append the next one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate
from eventsourcing.utils import register_topic

from domain.values import NAMESPACE

DISPATCHER_ID = uuid5(NAMESPACE, "dispatcher")


@dataclass(frozen=True, slots=True)
class Claim:
    """One contact, taken by one plan to be called in one attempt."""

    campaign_id: UUID
    contact_id: UUID
    call_id: UUID
    attempt: int
    batch: int | None


class Dispatcher:
    """The stream's name and its one kind of fact; there is no state to rebuild."""

    class CallsClaimed(Aggregate.Event):
        TOPIC = "dispatcher.calls_claimed"
        actor: str
        claim_id: UUID
        claims: tuple[Claim, ...]


# The library registers the topics of aggregates only.
register_topic(Dispatcher.CallsClaimed.TOPIC, Dispatcher.CallsClaimed)


def claim_calls(
    *, seen: int, claim_id: UUID, claims: tuple[Claim, ...], at: datetime, by: str
) -> Dispatcher.CallsClaimed:
    """The next claim after the `seen` ones; storing it fails where one was missed."""
    fact: type[Any] = Dispatcher.CallsClaimed  # The library makes its constructor.
    claimed: Dispatcher.CallsClaimed = fact(
        originator_id=DISPATCHER_ID,
        originator_version=seen + 1,
        timestamp=at,
        actor=by,
        claim_id=claim_id,
        claims=claims,
    )
    return claimed
