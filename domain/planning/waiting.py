"""Why one contact is not called now, from its own plan or from its campaign's."""

from collections.abc import Iterable
from datetime import datetime

from domain.contacts.contact_history import PlanKind
from domain.gate.permit import Decision, Wait
from domain.values import WaitingCode

OF_CONTACTS = frozenset(
    {
        WaitingCode.RETRY_LATER,
        WaitingCode.RETRY_PLANNED,
        WaitingCode.CALLBACK_PLANNED,
        WaitingCode.OUTSIDE_HOURS,
        WaitingCode.NO_RULES,
        WaitingCode.FREQUENCY_CAP,
        WaitingCode.LIST_STALE,
    }
)
"""Reasons of single contacts, which do not apply to all of a campaign."""


def own_reason(
    *,
    planned_kind: PlanKind | None,
    planned_at: datetime | None,
    deferred_until: datetime | None,
    now: datetime,
    deferred_code: WaitingCode | None = None,
) -> WaitingCode | None:
    """Return why a PENDING contact waits, whatever its campaign waits for.

    `planned_at` is when its planned call is due, `deferred_until` when a call that was
    not made may be requested again, for the reason `deferred_code` if the gate refused
    its request. None: nothing of its own keeps it waiting.
    """
    if planned_at is not None and planned_at > now:
        is_callback = planned_kind is PlanKind.CALLBACK
        return (
            WaitingCode.CALLBACK_PLANNED if is_callback else WaitingCode.RETRY_PLANNED
        )
    if deferred_until is not None and deferred_until > now:
        return deferred_code or WaitingCode.RETRY_LATER
    return None


def group_reason(decision: Decision | None) -> WaitingCode | None:
    """Return why the contacts of a group wait, from the gate's decision about it.

    None if they may be called, or never, or if nothing was decided.
    """
    return decision.code if isinstance(decision, Wait) else None


def waiting_reason(
    own: WaitingCode | None,
    of_group: Decision | None,
    of_campaign: Iterable[WaitingCode],
) -> WaitingCode | None:
    """Return why a PENDING contact is not called now, None if nothing is known.

    Its own reason comes first (`own_reason`), then that of its group, then the
    campaign's. `of_campaign` are the reasons of the campaign's last plan.
    """
    return own or group_reason(of_group) or shared_reason(of_campaign)


def shared_reason(of_campaign: Iterable[WaitingCode]) -> WaitingCode | None:
    """Return the campaign's first reason that may apply to each of its contacts."""
    return next((code for code in of_campaign if code not in OF_CONTACTS), None)
