"""Queries of forecasts: of a campaign, of a draft, and how well past ones held."""

import strawberry

from domain.campaigns.campaign_terms import check_calling_terms, check_terms
from domain.errors import Invalid
from domain.forecast.scores import calibration
from domain.values import DialMode, uuid_or_none
from interfaces.graphql.commands.imports import CreateCampaignInput, terms_of
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import EVERYBODY, OPERATORS, must_be, query
from interfaces.graphql.types.campaigns.forecasts import (
    Calibration,
    Forecast,
    forecast_of_campaign,
)
from interfaces.graphql.types.contacts.imports import unused_upload
from projections.campaigns import campaign_board
from projections.forecasts import campaign_forecasts
from projections.forecasts.reader import Draft


@strawberry.type
class ForecastQueries:
    """Queries of forecasts."""

    @query(
        EVERYBODY,
        "Predicted finish time, calls, results and spend of an existing campaign or of"
        " a draft (for operators and admins).",
    )
    async def forecast(
        self,
        info: Info,
        campaign_id: strawberry.ID | None = None,
        draft: CreateCampaignInput | None = None,
    ) -> Forecast:
        """Simulate it; BAD_REQUEST unless exactly one of both is named."""
        if campaign_id is not None and draft is None:
            return await _of_campaign(info.context, campaign_id)
        if draft is None or campaign_id is not None:
            raise bad_request("Pass either campaignId or draft.")
        must_be(OPERATORS, info)
        return await _of_draft(info.context, draft)

    @query(EVERYBODY, "How well past forecasts held.")
    async def calibration(self, info: Info) -> list[Calibration]:
        """Summarise the scores of the latest finished campaigns."""
        found = await info.context.backend.read(campaign_forecasts.learned)
        scores = [one for own, _ in found for one in own]
        return [Calibration.of(one) for one in calibration(scores)]


async def _of_campaign(context: Context, campaign_id: strawberry.ID) -> Forecast:
    id_ = uuid_or_none(campaign_id)
    row = await context.backend.read(campaign_board.get, id_) if id_ else None
    if row is None:
        raise bad_request("There is no such campaign.")
    return await forecast_of_campaign(context, row)


async def _of_draft(context: Context, asked: CreateCampaignInput) -> Forecast:
    """Forecast a draft with an upload. Its name may still be missing."""
    backend = context.backend
    if asked.upload_id is None or asked.redial is not None:
        raise bad_request("A draft needs an uploadId: a redial has no forecast yet.")
    upload_id = uuid_or_none(asked.upload_id)
    if upload_id is None or await unused_upload(context, upload_id) is None:
        raise bad_request("There is no such upload, or it has expired.")
    now = backend.services.now()
    try:
        terms = terms_of(asked, context.viewer)
        check_calling_terms(terms, now)
        cap = 1 if asked.cap is None else asked.cap
        check_terms(asked.name or "draft", cap, asked.budget)
    except Invalid as error:
        raise bad_request(str(error)) from error
    draft = Draft(
        upload_id=upload_id,
        terms=terms,
        assistant_id=uuid_or_none(asked.assistant_id),
        cap=asked.cap,
        mode=asked.mode or DialMode.CONTINUOUS,
        budget=asked.budget,
    )
    reader = backend.services.forecast_reader
    return Forecast.of(await backend.run_forecast(reader.of_draft, draft, now))
