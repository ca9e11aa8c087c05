"""The results of a finished campaign, compared with its forecasts."""

from dataclasses import replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.log import Occasion, Score, StoredForecast
from domain.forecast.quantities import Quantity
from domain.forecast.scores import half_time, scores_of
from domain.outcomes import ANSWERED
from domain.values import CampaignState
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.forecasts.campaign_forecasts import forecasts_of
from projections.forecasts.situation import counts_of
from projections.tables.checkpoint import one_snapshot
from projections.tables.queries import select_value
from storage.database import Conn

_LAST_END: LiteralString = """
    select max(ended_at) from call_log where campaign_id = %(campaign)s
"""


def results_of(
    conn: Conn, campaign_id: UUID
) -> tuple[tuple[Score, ...], CampaignCounts]:
    """Return the scores of a finished campaign's forecasts, and its calls.

    A campaign that was canceled or failed has no scores: nobody forecast that.
    """
    with one_snapshot(conn):
        row = campaign_board.get(conn, campaign_id)
        counts = counts_of(conn, campaign_id)
        made = forecasts_of(conn, campaign_id)
        ended = select_value(conn, _LAST_END, campaign=campaign_id)
    assert row is not None
    began = row.started_at or row.queued_at
    seconds = (ended - began).total_seconds() if ended and began else None
    counts = replace(
        counts,
        contacts=row.contacts,
        seconds=seconds,
        assistant_id=row.assistant_id,
        list_id=row.redial_of or row.id,
    )
    if row.state is not CampaignState.COMPLETED or not made or ended is None:
        return (), counts
    return scores_of(_scored(made, ended), _results(row, counts, ended)), counts


def _scored(
    made: list[tuple[Occasion, StoredForecast]], ended: datetime
) -> dict[Occasion, StoredForecast]:
    forecasts = [forecast for _, forecast in made]
    found = {Occasion.LAUNCH: forecasts[0]}
    middle = half_time(forecasts, ended.timestamp())
    return found if middle is None else {**found, Occasion.HALF_TIME: middle}


def _results(
    row: CampaignRow, counts: CampaignCounts, ended: datetime
) -> dict[Quantity, float]:
    answered = sum(one.calls for one in counts.outcomes if one.outcome in ANSWERED)
    return {
        Quantity.FINISH: ended.timestamp(),
        Quantity.CALLS: float(counts.calls),
        Quantity.ANSWERED: float(answered),
        Quantity.HUMAN: float(counts.human),
        Quantity.GOALS: float(counts.goals),
        Quantity.SPEND: float(row.spend),
    }
