"""Stores forecasts of campaigns, and their scores at the end."""

from uuid import UUID

from application.app import AutoLynx
from application.event_context import SCHEDULER, EventContext
from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.log import (
    Occasion,
    Score,
    StoredForecast,
    forecast_made,
    forecasts_scored,
    stream_of,
)


class ForecastService:
    """Appends to the streams of forecasts; both methods return the log's position.

    They raise IntegrityError if another process appended to the stream meanwhile.
    """

    def __init__(self, app: AutoLynx, context: EventContext) -> None:
        self._app, self._context = app, context

    def record(
        self, campaign_id: UUID, occasion: Occasion, forecast: StoredForecast
    ) -> int | None:
        """Store a forecast."""
        version = self._app.highest_version(stream_of(campaign_id)) + 1
        return self._app.append(
            forecast_made(
                campaign_id, occasion, forecast, version=version, by=SCHEDULER
            )
        )

    def score(
        self, campaign_id: UUID, scores: tuple[Score, ...], counts: CampaignCounts
    ) -> int | None:
        """Store how good the forecasts of a finished campaign were."""
        version = self._app.highest_version(stream_of(campaign_id)) + 1
        return self._app.append(
            forecasts_scored(
                campaign_id,
                scores,
                counts,
                version=version,
                at=self._context.now(),
                by=SCHEDULER,
            )
        )
