"""When a call stops counting for its number, because it rang no phone."""

from collections.abc import Sequence

from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.values import ContactStatus, Refusal


def stops_counting(
    call: Call, events: Sequence[object], *, confirmed: bool = False
) -> bool:
    """Return whether the events prove that the call rang no phone.

    A call with a request whose outcome was never known counts for ever: that request
    may have rung the phone. So does one whose provider id only a webhook has named,
    because that may be forged, until the provider has `confirmed` the id.
    """
    is_certain = confirmed or not call.bound_by_message
    return is_certain and outcomes_known(call) and proves_nothing_rang(events)


def outcomes_known(call: Call) -> bool:
    """Return whether no request of the call was ever without a known outcome."""
    return not call.unknowns


def proves_nothing_rang(events: Sequence[object]) -> bool:
    """Return whether the events prove that the latest request rang no phone.

    It never left, or the provider refused it before a phone rang.
    """
    for one in events:
        match one:
            case Call.Rejected() | Call.Deferred(refusal=Refusal()):
                return True
            case Call.Deferred(why=DeferralReason.NEVER_LEFT):
                return True
            case Call.Ended(refusal=Refusal(), was=ContactStatus.QUEUED):
                return True
    return False


def is_confirmed_end(call: Call, provider_call_id: str) -> bool:
    """Return whether the provider gives the id of a webhook that ended the call."""
    same = call.provider_call_id == provider_call_id
    return same and call.bound_by_message and call.ended


def since_request(events: Sequence[object]) -> Sequence[object]:
    """Return the events from the latest request on."""
    requests = [n for n, one in enumerate(events) if isinstance(one, Call.Requested)]
    return events[requests[-1] :] if requests else events
