"""Events about the call's id at the provider, and about a second call there."""

from datetime import datetime

from domain.calls.events.call_event import CallEvent, ContactStatusChanged
from domain.values import Evidence


class Placed(ContactStatusChanged):
    """The provider accepted the call. `ghost`: the call was given up before."""

    TOPIC = "call.placed"
    provider_call_id: str
    placed_at: datetime
    ghost: bool
    evidence: Evidence | None


class Rebound(CallEvent):
    """The provider itself gave another id than the one that a webhook had named.

    `ghost`: messages about the former id had ended the call; the call with the new id
    may be live.
    """

    TOPIC = "call.rebound"
    provider_call_id: str
    provider_call_id_was: str
    placed_at: datetime
    ghost: bool


class DuplicateSuspected(CallEvent):
    """A webhook names this call with another id; the provider is asked for both."""

    TOPIC = "call.duplicate_suspected"
    provider_call_id: str


class DuplicateDismissed(CallEvent):
    """The provider does not show both calls: the suspicion was wrong."""

    TOPIC = "call.duplicate_dismissed"
    provider_call_id: str


class DuplicateDetected(CallEvent):
    """The provider itself shows a second call for this one."""

    TOPIC = "call.duplicate_detected"
    provider_call_id: str
