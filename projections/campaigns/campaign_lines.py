"""All lines from which each campaign has called or may call, with former ones.

A call that was requested before the line was changed is found on its former line only.
"""

from collections.abc import Iterator

from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import Caller
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import RowOperation, put

LINES = "campaign_line"

TABLE = Table(
    LINES,
    ("campaign_id", "phone_number_id"),
    """
    create table if not exists campaign_line (
        campaign_id uuid not null,
        phone_number_id text not null,
        primary key (campaign_id, phone_number_id)
    );
    """,
)


@handles(Campaign.Created, Campaign.Changed)
def campaign_lines(event: object, _position: int) -> Iterator[RowOperation]:
    """Add the line that an event names to those of its campaign."""
    match event:
        case Campaign.Created():
            yield put(LINES, (event.originator_id, event.phone_number_id))
        case Campaign.Changed(caller=Caller(phone_number_id=line)):
            yield put(LINES, (event.originator_id, line))
