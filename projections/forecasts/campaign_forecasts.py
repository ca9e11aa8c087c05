"""Forecasts that were made, and the scores and calls of finished campaigns."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson

from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.log import CampaignForecast, Occasion, Score, StoredForecast
from domain.states import FINISHED
from domain.values import CampaignState
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select_value
from projections.tables.row_operations import RowOperation, put
from projections.tables.state_sql import literals
from storage.database import Conn
from storage.log.mapper import from_plain, to_plain

FORECASTS, LEARNED = "campaign_forecast", "campaign_learned"

MOST_LEARNED = 200
"""Number of the latest finished campaigns from which forecasts learn."""

TABLES = (
    Table(
        FORECASTS,
        ("campaign_id", "made_at"),
        """
    create table if not exists campaign_forecast (
        campaign_id uuid not null,
        made_at timestamptz not null,
        occasion text not null,
        forecast text not null,
        primary key (campaign_id, made_at)
    );
    """,
    ),
    Table(
        LEARNED,
        ("campaign_id",),
        """
    create table if not exists campaign_learned (
        campaign_id uuid primary key,
        position bigint not null,
        scores text not null,
        counts text not null
    );
    create index if not exists campaign_learned_position
        on campaign_learned (position);
    """,
        handler_version=2,
    ),
)


@handles(CampaignForecast.Made, CampaignForecast.Scored)
def campaign_forecasts(event: object, position: int) -> Iterator[RowOperation]:
    """Store forecasts, and what was learned when a campaign was over."""
    match event:
        case CampaignForecast.Made():
            yield put(
                FORECASTS,
                (event.campaign_id, event.forecast.made_at),
                occasion=event.occasion,
                forecast=_json(to_plain(event.forecast)),
            )
        case CampaignForecast.Scored():
            yield put(
                LEARNED,
                event.campaign_id,
                position=position,
                scores=_json([to_plain(one) for one in event.scores]),
                counts=_json(to_plain(event.counts)),
            )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


# --- Queries --------------------------------------------------------------------------

_FORECASTS: LiteralString = """
    select occasion, forecast from campaign_forecast
    where campaign_id = %(campaign)s order by made_at
"""
_LEARNED: LiteralString = f"""
    select scores, counts from campaign_learned
    order by position desc limit {MOST_LEARNED}
"""  # noqa: S608 - our own text
_DUE: LiteralString = """
    select c.id from campaign_board c
    left join lateral (
        select max(made_at) as made_at from campaign_forecast f
        where f.campaign_id = c.id
    ) last on true
    where c.state = any(%(states)s) and not c.is_test
        and (last.made_at is null or last.made_at <= %(before)s)
    order by last.made_at nulls first, c.queued_at, c.id limit %(most)s
"""
_UNSCORED: LiteralString = f"""
    select c.id from campaign_board c
    where c.state in {literals(FINISHED)} and not c.is_test
        and c.awaiting_reports = 0 and c.contacts > c.pending
        and not exists (select from campaign_learned l where l.campaign_id = c.id)
    order by c.created_at, c.id limit %(most)s
"""  # noqa: S608 - our own text

DIALLED = [CampaignState.QUEUED, CampaignState.DIALING, CampaignState.RUNNING]


def forecasts_of(
    conn: Conn, campaign_id: UUID
) -> list[tuple[Occasion, StoredForecast]]:
    """Read the forecasts of a campaign, oldest first."""
    return [
        (Occasion(occasion), from_plain(StoredForecast, orjson.loads(text)))
        for occasion, text in conn.execute(_FORECASTS, {"campaign": campaign_id})
    ]


def latest_position(conn: Conn) -> int:
    """Return the position of the last score: what was learned depends on it."""
    return int(
        select_value(conn, "select coalesce(max(position), 0) from campaign_learned")
    )


def learned(conn: Conn) -> list[tuple[list[Score], CampaignCounts]]:
    """Read the scores and calls of the latest finished campaigns, newest first."""
    return [
        (
            [from_plain(Score, one) for one in orjson.loads(scores)],
            from_plain(CampaignCounts, orjson.loads(counts)),
        )
        for scores, counts in conn.execute(_LEARNED)
    ]


def due(conn: Conn, before: datetime, most: int) -> list[UUID]:
    """Return the campaigns being dialled without a forecast made after `before`.

    Campaigns without any forecast come first, then those with the oldest one.
    """
    states = [str(one) for one in DIALLED]
    values = {"states": states, "before": before, "most": most}
    return [id_ for (id_,) in conn.execute(_DUE, values)]


def unscored(conn: Conn, most: int) -> list[UUID]:
    """Return finished campaigns from which nothing was learned yet, oldest first."""
    return [id_ for (id_,) in conn.execute(_UNSCORED, {"most": most})]
