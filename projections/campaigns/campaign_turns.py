"""The last claim of each campaign, so that campaigns take turns."""

from collections.abc import Iterator

from domain.calls.call import Call
from projections.tables.definition import Table
from projections.tables.handlers import handles
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


@handles(Call.Created, Call.Requeued)
def campaign_turns(event: object, position: int) -> Iterator[RowOperation]:
    """Record the log position of the campaign's last claim.

    Positions order claims unambiguously and are the same after a rebuild; the times of
    several claims can be equal.
    """
    if isinstance(event, Call.Created | Call.Requeued):
        yield put(TURNS, event.campaign_id, claimed_position=position)
