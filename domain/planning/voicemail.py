"""At most one voicemail message is left to a contact, however often it is called."""

from collections.abc import Iterable

from domain.calls.call import Call
from domain.outcomes import CallOutcome

LEAVES_NONE = frozenset(
    {
        CallOutcome.HUMAN,
        CallOutcome.DROPPED_EARLY,
        CallOutcome.NO_ANSWER,
        CallOutcome.BUSY,
        CallOutcome.DECLINED,
        CallOutcome.INVALID_NUMBER,
        CallOutcome.NOT_STARTED,
    }
)
"""Outcomes of calls that reached no machine, so that no message was left."""


def may_leave_voicemail(call: Call, earlier: Iterable[Call]) -> bool:
    """Return whether the next request of a call may lead to a voicemail message.

    `earlier` are the contact's calls before. A request of the same call whose outcome
    is unknown may have been acted on, so no further one may leave a message.
    """
    return call.unknowns == 0 and not any(map(_may_have_left_one, earlier))


def _may_have_left_one(call: Call) -> bool:
    """Return whether a message may have been left; in doubt one was."""
    if call.requests == 0 or not call.voicemail_allowed:
        return False
    if call.outcome is CallOutcome.FAULT:
        return call.started_at is not None
    return call.outcome not in LEAVES_NONE
