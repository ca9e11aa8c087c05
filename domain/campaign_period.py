"""The period in which a campaign calls: from its start on, until before its end."""

from datetime import datetime


def has_begun(starts_at: datetime | None, at: datetime) -> bool:
    """Return whether calls are allowed since the start, if there is one."""
    return starts_at is None or starts_at <= at


def has_ended(ends_at: datetime | None, at: datetime) -> bool:
    """Return whether no call is allowed any more, because the end has come."""
    return ends_at is not None and ends_at <= at
