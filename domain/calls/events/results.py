"""Events about the results of a conversation."""

from datetime import datetime

from domain.calls.callbacks import Obstacle
from domain.calls.events.call_event import CallEvent
from domain.outcomes import Disposition, DispositionSource
from domain.values import Evidence


class DispositionSet(CallEvent):
    """The business result of the call is known, or was corrected.

    `disposition` is None if the best report no longer means what an earlier one meant.
    """

    TOPIC = "call.disposition_set"
    disposition: Disposition | None
    disposition_was: Disposition | None
    source: DispositionSource
    evidence: Evidence | None


class CallbackRequested(CallEvent):
    """The contact asked to be called at `due_at`; the last request of a call counts.

    `time_zone` is the IANA zone in which the time was agreed.
    """

    TOPIC = "call.callback_requested"
    due_at: datetime
    time_zone: str
    source: DispositionSource


class CallbackWithdrawn(CallEvent):
    """The best report no longer contains the request for a callback."""

    TOPIC = "call.callback_withdrawn"
    source: DispositionSource


class CallbackIgnored(CallEvent):
    """The contact asked for a call at a time that is not possible: none is planned.

    The message with the request is in the vault.
    """

    TOPIC = "call.callback_ignored"
    obstacle: Obstacle
    source: DispositionSource
