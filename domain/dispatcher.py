"""The stream of claims, which ensures that no contact is claimed twice.

Each claim is appended with the version that follows the last claim in the snapshot of
its plan. If another scheduler has claimed meanwhile, that version is taken and the
append fails. The stream is never loaded. See docs/decisions/0007-claims-are-a-fence.md.
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
    """A contact that one plan reserved for one attempt.

    `batch` is the number of the campaign's batch, None in the mode CONTINUOUS.
    """

    campaign_id: UUID
    contact_id: UUID
    call_id: UUID
    attempt: int
    batch: int | None


class Dispatcher:
    """Holds the event class of the stream; there is no state, so it is no aggregate."""

    class CallsClaimed(Aggregate.Event):
        """Contacts were reserved for calls; `claim_id` is the same in their calls."""

        TOPIC = "dispatcher.calls_claimed"
        actor: str
        claim_id: UUID
        claims: tuple[Claim, ...]


# The library registers the topics of aggregates only.
register_topic(Dispatcher.CallsClaimed.TOPIC, Dispatcher.CallsClaimed)


def claim_calls(
    *, seen: int, claim_id: UUID, claims: tuple[Claim, ...], at: datetime, by: str
) -> Dispatcher.CallsClaimed:
    """Return the event that follows the `seen` claims of the snapshot.

    Storing it raises IntegrityError if another claim was stored after the snapshot.
    """
    fact: type[Any] = Dispatcher.CallsClaimed  # The library creates its constructor.
    claimed: Dispatcher.CallsClaimed = fact(
        originator_id=DISPATCHER_ID,
        originator_version=seen + 1,
        timestamp=at,
        actor=by,
        claim_id=claim_id,
        claims=claims,
    )
    return claimed
