"""Sets of states, and how the state of a campaign changes a contact's status.

Read models and queries take these definitions from here, in Python or as parameters of
their SQL, so that each rule exists once.
"""

from collections.abc import Collection, Mapping

from domain.values import CallStatus, CampaignState, ContactStatus

FINISHED = frozenset(
    {CampaignState.COMPLETED, CampaignState.CANCELED, CampaignState.FAILED}
)
"""States of a campaign that never change again."""

MAY_DIAL = frozenset(
    {CampaignState.QUEUED, CampaignState.DIALING, CampaignState.RUNNING}
)
"""States of a campaign whose contacts may be called."""

STARTED = MAY_DIAL | {CampaignState.PAUSED}
"""States of a campaign that was started and is not finished."""

CANCELS_PENDING = frozenset({CampaignState.CANCELED})
"""States of a campaign in which a contact that is PENDING counts as CANCELED.

No event is stored for these contacts, so their rows still contain PENDING.
"""

ACTIVE = frozenset(
    {ContactStatus.QUEUED, ContactStatus.RINGING, ContactStatus.IN_PROGRESS}
)
"""Statuses of a contact whose call is under way."""

NOT_FINISHED = ACTIVE | {ContactStatus.PENDING}
"""Statuses of a contact whose call is under way or still to be made."""

LIVE = frozenset({CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS})
"""Statuses of a call that may still change."""

STATUS_AFTER_END = dict.fromkeys(ContactStatus, CallStatus.ENDED) | {
    ContactStatus.FAILED: CallStatus.FAILED
}
"""The status of a call after its end, by the contact's status because of it."""


def shown_status(
    stored: ContactStatus, state: CampaignState, *, expired: bool = False
) -> ContactStatus:
    """Return the status of a contact in a campaign of that state.

    `expired`: the campaign's end has come, see `Campaign.expire`.
    """
    if stored is ContactStatus.PENDING and (expired or state in CANCELS_PENDING):
        return ContactStatus.CANCELED
    return stored


def stored_statuses(
    shown: Collection[ContactStatus], state: CampaignState, *, expired: bool = False
) -> frozenset[ContactStatus]:
    """Return the stored statuses of the contacts that have one of the `shown` ones."""
    return frozenset(
        stored
        for stored in ContactStatus
        if shown_status(stored, state, expired=expired) in shown
    )


def shown_counts(
    stored: Mapping[ContactStatus, int], state: CampaignState, *, expired: bool = False
) -> dict[ContactStatus, int]:
    """Return the number of contacts by shown status, from those by stored status."""
    counts = dict.fromkeys(ContactStatus, 0)
    for status, contacts in stored.items():
        counts[shown_status(status, state, expired=expired)] += contacts
    return counts
