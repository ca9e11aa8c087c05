"""Ended reasons that no rule covers, each from the event that reported it first."""

from collections.abc import Iterator

from domain.settings import Settings
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import RowOperation, put

UNKNOWN = "unknown_reason"

TABLE = Table(
    UNKNOWN,
    ("reason",),
    """
    create table if not exists unknown_reason (
        reason text primary key,
        position bigint not null,
        reported_at timestamptz not null
    );
    """,
)


@handles(Settings.UnknownReasonReported)
def unknown_reasons(event: object, position: int) -> Iterator[RowOperation]:
    """Store the reason that an event reports."""
    if isinstance(event, Settings.UnknownReasonReported):
        yield put(UNKNOWN, event.reason, position=position, reported_at=event.timestamp)
