"""What new events of a call mean for its campaign and its contact."""

from collections.abc import Callable, Sequence
from datetime import datetime

from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.calls.events.call_event import ContactStatusChanged
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.values import ContactStatus, PauseCause, RefusalKind, VaultText


def placed_event(events: Sequence[object]) -> Call.Placed | None:
    """Return the event that the provider accepted the call, if it is among them."""
    return next((one for one in events if isinstance(one, Call.Placed)), None)


def rang(events: Sequence[object]) -> bool:
    """Return whether the phone rang or was answered."""
    return any(isinstance(one, Call.Ringing | Call.Answered) for one in events)


def note_progress(
    campaign: Campaign, events: Sequence[object], *, at: datetime, provider: str
) -> None:
    """Record on the campaign that a call was placed, or rang, by these events.

    `provider` is the actor of what the provider reports.
    """
    placed = placed_event(events)
    if placed is not None:
        campaign.note_placed(placed_at=placed.placed_at, at=at, by=placed.actor)
    if rang(events):
        campaign.note_ringing(at=at, by=provider)


def account_fault(events: Sequence[object]) -> Call.Ended | None:
    """Return the end that says that the account, assistant or line may not call."""
    for one in events:
        if isinstance(one, Call.Ended) and one.refusal is not None:
            return one if one.refusal.kind is RefusalKind.ACCOUNT else None
    return None


def is_rebound(events: Sequence[object]) -> bool:
    """Return whether the provider gave another id than a webhook had named before."""
    return any(isinstance(one, Call.Rebound) for one in events)


def waits_again(events: Sequence[object]) -> bool:
    """Return whether these events made the contact PENDING again."""
    changes = [one for one in events if isinstance(one, ContactStatusChanged)]
    return bool(changes) and (
        changes[-1].standing is ContactStatus.PENDING is not changes[0].was
    )


def must_pause(events: Sequence[object]) -> bool:
    """Return whether new events of a call pause its campaign."""
    return account_fault(events) is not None or is_rebound(events)


def pause_after(
    campaign: Campaign,
    events: Sequence[object],
    *,
    explain: Callable[[Call.Ended], VaultText],
    at: datetime,
    by: str,
) -> None:
    """Pause a campaign that dials, if these new events of one of its calls demand it.

    The provider refuses the account, assistant or line, as `explain` words it; or it
    gave another id than a webhook had named, so that two calls may be live.
    """
    fault = account_fault(events)
    if fault is not None and campaign.may_dial:
        scope = fault.refusal.scope if fault.refusal else None
        cause, reason = PauseCause.ACCOUNT, explain(fault)
        campaign.pause(cause=cause, scope=scope, reason=reason, at=at, by=by)
    if is_rebound(events) and campaign.may_dial:
        campaign.pause(cause=PauseCause.DUPLICATE_DETECTED, at=at, by=by)


def release_claim(
    call: Call, campaign: Campaign, *, until: datetime, at: datetime, by: str
) -> None:
    """Release a claim without an open request; cancel it if the campaign is over."""
    if call.request_open:
        return
    if campaign.over:
        call.cancel(at=at, by=by)
    call.defer(reason=DeferralReason.NOT_DIALLED, until=until, at=at, by=by)


def withdraw_from_calls(call: Call, contact: Contact, *, at: datetime, by: str) -> None:
    """Cancel a contact that waits for a call again, but must not be called."""
    if call.deferred:
        call.withdraw(at=at, by=by)
    else:
        contact.withdraw(at=at, by=by)


def record_another_provider_call(
    call: Call,
    campaign: Campaign,
    provider_call_id: str,
    *,
    from_webhook: bool,
    at: datetime,
    provider: str,
    scheduler: str,
) -> None:
    """Record a second provider call id, and pause the campaign if the id is new.

    It is proof if the provider itself gave both ids when it was asked. If one comes
    from a webhook alone, it is a suspicion until the provider was asked for both.
    `provider` and `scheduler` are the actors of the events.
    """
    record = call.suspect_duplicate if from_webhook else call.detect_duplicate
    record(provider_call_id=provider_call_id, at=at, by=provider)
    if call.pending_events and campaign.may_dial:
        campaign.pause(cause=PauseCause.DUPLICATE_DETECTED, at=at, by=scheduler)
