"""What follows from a refusal for the contact: when to try again, or that it failed."""

from datetime import timedelta

from domain.values import RefusalKind

PLATFORM_RETRIES = (
    timedelta(seconds=1),
    timedelta(seconds=4),
    timedelta(seconds=10),
    timedelta(minutes=10),
)
"""Delays before a contact is called again after each refusal of the kind PLATFORM."""

MOST_UNKNOWN_REFUSALS = 3
"""Contacts whose requests were refused in a row for no known reason, before a pause.

The scheduler counts them at once, from the answers to its requests: such a refusal
probably is about all requests of the campaign.
"""

MOST_REFUSED_CONTACTS = 10
"""Contacts refused in a row, for any reason but capacity, before a campaign is paused.

They are counted in the log, with the calls that ended before they rang.
"""

LONGEST_CAPACITY_DELAY = timedelta(seconds=60)


def retry_delay(kind: RefusalKind, earlier: int) -> timedelta | None:
    """Return how long the contact waits after a refusal; None: it is not called again.

    `earlier` counts the contact's earlier refusals of the same kind, over all its
    calls. Refusals for lack of capacity are never counted against the contact.
    """
    match kind:
        case RefusalKind.CAPACITY:
            seconds = 2.0 ** min(earlier, 6)
            return min(timedelta(seconds=seconds), LONGEST_CAPACITY_DELAY)
        case RefusalKind.ACCOUNT:
            return timedelta(0)  # The campaign pauses; a resume makes it due.
        case RefusalKind.PLATFORM if earlier < len(PLATFORM_RETRIES):
            return PLATFORM_RETRIES[earlier]
        case _:
            return None
