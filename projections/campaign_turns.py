"""When each campaign last claimed a contact, so that campaigns take turns."""

from collections.abc import Iterator

from domain.call import Call
from projections.tables.definition import Table
from projections.tables.row_operations import RowOperation, put

TURNS = "campaign_turn"

TABLE = Table(
    TURNS,
    ("campaign_id",),
    """
    create table if not exists campaign_turn (
        campaign_id uuid primary key,
        claimed_position bigint not null
    );
    """,
)


def campaign_turns(event: object, position: int) -> Iterator[RowOperation]:
    """Record the log position of the campaign's last claim.

    A position orders claims unambiguously, and a rebuild finds the same ones; times of
    several claims can be equal.
    """
    if isinstance(event, Call.Created | Call.Requeued):
        yield put(TURNS, event.campaign_id, claimed_position=position)
