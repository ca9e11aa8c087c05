"""The events of a contact. Their fields and topics are stored: they never change.

`Contact` takes these classes as its own: `Contact.Erased` is derived from `Erased`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from eventsourcing.domain import AggregateEvent
from eventsourcing.utils import resolve_topic

from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.values import ContactStatus, VaultText

CONTACT = "contact"
"""Topic of the aggregate to which the events belong."""


class FinishReason(StrEnum):
    """Why a contact is not called again.

    OPTED_OUT, GOAL_REACHED, WRONG_PERSON: the disposition of a call. ANSWERED: a person
    was reached, and no rule is about that. NO_RULE: no rule names the outcome.
    ATTEMPTS_USED: all calls of the policy were made. RULE_USED_UP: all retries of the
    rule were made. POLICY_EXPIRED: the retry would be later than the policy allows.
    CAMPAIGN_ENDS: it would be later than the campaign's end. CALLBACK_MISSED: the call
    could not be made within a day of the time that was asked for. CALLBACK_WITHDRAWN: a
    better report of the call shows that the contact did not ask for a callback.
    """

    OPTED_OUT = "OPTED_OUT"
    GOAL_REACHED = "GOAL_REACHED"
    WRONG_PERSON = "WRONG_PERSON"
    ANSWERED = "ANSWERED"
    NO_RULE = "NO_RULE"
    ATTEMPTS_USED = "ATTEMPTS_USED"
    RULE_USED_UP = "RULE_USED_UP"
    POLICY_EXPIRED = "POLICY_EXPIRED"
    CAMPAIGN_ENDS = "CAMPAIGN_ENDS"
    CALLBACK_MISSED = "CALLBACK_MISSED"
    CALLBACK_WITHDRAWN = "CALLBACK_WITHDRAWN"


class ContactEvent(AggregateEvent):
    """Base of all events of a contact; each of them may be the first of its stream.

    `was` and `standing` are the contact's status before and after. `plan_was` is the
    kind of the planned call that the event ends or replaces, None if there was none.
    """

    actor: str
    campaign_id: UUID
    was: ContactStatus
    standing: ContactStatus
    plan_was: PlanKind | None

    def mutate(self, aggregate: Any) -> Any:
        """Apply the event; the first one of a stream begins with a blank contact."""
        if aggregate is None:
            kind = resolve_topic(CONTACT)
            aggregate = kind.unrecorded(
                self.originator_id, self.campaign_id, self.timestamp
            )
        return super().mutate(aggregate)


class Erased(ContactEvent):
    """Nothing personal is kept of the contact any more."""

    TOPIC = "contact.erased"
    plan_was: PlanKind | None = None

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event of release 1, in which an erasure began every stream."""
        del state["originator_topic"]


class Withdrawn(ContactEvent):
    """The last call under way failed, and the contact must not be called again."""

    TOPIC = "contact.withdrawn"
    plan_was: PlanKind | None = None


class CallPlanned(ContactEvent):
    """A further call, a retry or a callback, is planned after the call `call_id`.

    The event replaces an earlier plan. The call is attempt number `attempt`, not to be
    made before `due_at`, and not at `expires_at` or later. `because` is the outcome
    that a rule of the policy names; None for a callback. `finished_as` is the status of
    the contact without the plan.
    """

    TOPIC = "contact.call_planned"
    call_id: UUID
    attempt: int
    kind: PlanKind
    due_at: datetime
    expires_at: datetime | None
    because: CallOutcome | None
    terms_version: int
    history: ContactHistory
    finished_as: ContactStatus


class Finished(ContactEvent):
    """No call follows, for `reason`; a planned call is not made.

    A call that was requested already goes on.
    """

    TOPIC = "contact.finished"
    reason: FinishReason


class Returned(ContactEvent):
    """A member wants the finished contact to be called again, not before `due_at`."""

    TOPIC = "contact.returned"
    attempt: int
    due_at: datetime
    terms_version: int
    history: ContactHistory
    finished_as: ContactStatus


class WithheldFromCalls(ContactEvent):
    """The contact is finished without a call."""

    TOPIC = "contact.withheld"
    reason: Withheld


class Disposed(ContactEvent):
    """A member set or cleared the disposition; the status does not change.

    It replaces what the contact's calls say. `note` refers to the member's note.
    """

    TOPIC = "contact.disposed"
    disposition: Disposition | None
    disposition_was: Disposition | None
    note: VaultText | None


PLANS_A_CALL = (CallPlanned, Returned)
"""Events after which another call to the contact is planned."""
