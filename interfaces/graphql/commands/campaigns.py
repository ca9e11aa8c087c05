"""What people do with campaigns."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import strawberry

from application.campaigns import CampaignChange
from application.contacts.imports import Imported, NewCampaign
from interfaces.graphql.context import Context, Info
from interfaces.graphql.from_log import campaign_from_log, report_from_log
from interfaces.graphql.permissions import OPERATORS, mutation
from interfaces.graphql.types.campaigns import (
    Campaign,
    CampaignResult,
    ImportedCampaign,
    ImportResult,
)
from interfaces.graphql.types.enums import DialMode
from interfaces.graphql.types.imports import ImportReport, report_of
from interfaces.graphql.types.paging import as_uuid
from interfaces.http.gil_switching import short_turns
from projections import campaign_board, contact_import


@strawberry.input
class CreateCampaignInput:
    name: str
    upload_id: strawberry.ID
    assistant_id: strawberry.ID
    phone_number_id: str
    cap: int | None = strawberry.field(
        default=None, description="Null for the settings' default."
    )
    mode: DialMode | None = DialMode.CONTINUOUS
    line_quiet_gating: bool | None = False
    budget: Decimal | None = None


@strawberry.input(
    description="A field left out stays as it is; budget: null takes the limit away."
)
class UpdateCampaignInput:
    name: str | None = None
    cap: int | None = None
    line_quiet_gating: bool | None = None
    budget: strawberry.Maybe[Decimal | None]


@strawberry.type
class CampaignCommands:
    @mutation(
        OPERATORS, "A new campaign in state CREATED with the upload's accepted rows."
    )
    async def create_campaign(
        self,
        info: Info,
        input: CreateCampaignInput,  # noqa: A002 - the contract's name
    ) -> ImportResult:
        context = info.context
        imported = await context.backend.run_slow(_create, context, input)
        return await _imported(context, imported)

    @mutation(OPERATORS, "More contacts for a campaign that is not over.")
    async def import_contacts(
        self, info: Info, campaign_id: strawberry.ID, upload_id: strawberry.ID
    ) -> ImportResult:
        context = info.context
        campaign, upload = (
            as_uuid("campaign", campaign_id),
            as_uuid("upload", upload_id),
        )
        imported = await context.backend.run_slow(_import, context, campaign, upload)
        return await _imported(context, imported)

    @mutation(OPERATORS)
    async def start_campaign(self, info: Info, id: strawberry.ID) -> CampaignResult:  # noqa: A002 - the contract's name
        start, by = (
            info.context.services.campaigns.start,
            info.context.viewer.email,
        )
        return await _told(info, id, lambda it: start(it, by=by))

    @mutation(OPERATORS, "No new calls; those under way go on.")
    async def pause_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        reason: str | None = None,
    ) -> CampaignResult:
        pause, by = (
            info.context.services.campaigns.pause,
            info.context.viewer.email,
        )
        return await _told(info, id, lambda it: pause(it, by=by, reason=reason))

    @mutation(OPERATORS)
    async def resume_campaign(self, info: Info, id: strawberry.ID) -> CampaignResult:  # noqa: A002 - the contract's name
        resume, by = (
            info.context.services.campaigns.resume,
            info.context.viewer.email,
        )
        return await _told(info, id, lambda it: resume(it, by=by))

    @mutation(
        OPERATORS, "No new calls, ever; with hangUp, those under way are ended too."
    )
    async def cancel_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        hang_up: bool | None = False,  # noqa: FBT001, FBT002 - the contract's argument
    ) -> CampaignResult:
        cancel, by = (
            info.context.services.campaigns.cancel,
            info.context.viewer.email,
        )
        ends = bool(hang_up)
        return await _told(info, id, lambda it: cancel(it, hang_up=ends, by=by))

    @mutation(OPERATORS)
    async def update_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        input: UpdateCampaignInput,  # noqa: A002 - the contract's name
    ) -> CampaignResult:
        update, by = (
            info.context.services.campaigns.change,
            info.context.viewer.email,
        )
        change = _change(input)
        return await _told(info, id, lambda it: update(it, change, by=by))


@short_turns()
def _create(context: Context, asked: CreateCampaignInput) -> Imported:
    backend = context.backend
    new = NewCampaign(
        name=asked.name,
        upload_id=as_uuid("upload", asked.upload_id),
        assistant_id=as_uuid("assistant", asked.assistant_id),
        phone_number_id=asked.phone_number_id,
        cap=asked.cap,
        mode=asked.mode or DialMode.CONTINUOUS,
        line_quiet_gating=bool(asked.line_quiet_gating),
        budget=asked.budget,
    )
    default_cap = backend.services.settings.values().default_cap
    by = context.viewer.email
    return backend.services.imports.create_campaign(new, default_cap=default_cap, by=by)


@short_turns()
def _import(context: Context, campaign_id: UUID, upload_id: UUID) -> Imported:
    by = context.viewer.email
    return context.services.imports.import_contacts(campaign_id, upload_id, by=by)


def _change(asked: UpdateCampaignInput) -> CampaignChange:
    return CampaignChange(
        name=asked.name,
        cap=asked.cap,
        line_quiet_gating=asked.line_quiet_gating,
        budget=asked.budget.value if asked.budget else None,
        budget_named=asked.budget is not None,
    )


async def _told(
    info: Info, id_: str, command: Callable[[UUID], int | None]
) -> Campaign:
    backend, campaign_id = info.context.backend, as_uuid("campaign", id_)
    position = await backend.run_command(command, campaign_id)
    return await campaign_after(info.context, campaign_id, position)


async def campaign_after(
    context: Context, campaign_id: UUID, position: int | None
) -> Campaign:
    """Show a campaign with what was just answered, by whatever shows it."""
    backend = context.backend
    current = await backend.is_visible(position)
    row = await backend.read(campaign_board.get, campaign_id)
    if row is None or not current:
        row = await backend.run_reader(
            campaign_from_log, backend.services.app, campaign_id, row
        )
    return Campaign.of(row)


async def _imported(context: Context, imported: Imported) -> ImportedCampaign:
    campaign = await campaign_after(context, imported.campaign_id, imported.position)
    report = await _report(context, imported.list_id)
    return ImportedCampaign(campaign=campaign, report=report)


async def _report(context: Context, list_id: UUID) -> ImportReport:
    backend = context.backend
    row = await backend.read(contact_import.get, list_id)
    if row is None:
        return await backend.run_reader(report_from_log, backend, list_id)
    return await report_of(context, row)
