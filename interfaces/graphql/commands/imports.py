"""Mutations that take contacts into a campaign: of a file, or of another campaign."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from application.contacts.imports import Imported, NewCampaign
from application.contacts.redials import list_id_of
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import LAWFUL_HOURS
from domain.gate.rules import CallPurpose
from interfaces.auth.viewer import Viewer
from interfaces.graphql.commands.campaigns import campaign_after
from interfaces.graphql.context import Context, Info
from interfaces.graphql.from_log import report_from_log
from interfaces.graphql.permissions import OPERATORS, mutation
from interfaces.graphql.types.campaigns.arms import ArmInput
from interfaces.graphql.types.campaigns.calling_hours import CallingHoursInput
from interfaces.graphql.types.campaigns.campaigns import ImportedCampaign, ImportResult
from interfaces.graphql.types.campaigns.redials import RedialInput
from interfaces.graphql.types.campaigns.terms import OutputRuleInput, RetryPolicyInput
from interfaces.graphql.types.contacts.imports import ImportReport, report_of
from interfaces.graphql.types.enums import DialMode
from interfaces.graphql.types.paging import as_uuid
from interfaces.http.gil_switching import short_turns
from projections.contacts import contact_import


@strawberry.input(description="Exactly one of uploadId and redial is required.")
class CreateCampaignInput:
    """Input of `createCampaign`; the budget is in US dollars."""

    name: str
    upload_id: strawberry.ID | None = None
    assistant_id: strawberry.ID
    phone_number_id: str
    cap: int | None = strawberry.field(
        default=None, description="Null for the default of the settings."
    )
    mode: DialMode | None = DialMode.CONTINUOUS
    line_quiet_gating: bool | None = False
    budget: Decimal | None = None
    redial: RedialInput | None = None
    request_id: strawberry.ID | None = strawberry.field(
        default=None, description="The same requestId always answers the same campaign."
    )
    arms: list[ArmInput] | None = strawberry.field(
        default_factory=list,
        description="More assistants to compare with assistantId, with their shares in"
        " percent; at most three.",
    )
    retry_policy: RetryPolicyInput | None = strawberry.field(
        default=None, description="Null: each contact is called once."
    )
    output_rules: list[OutputRuleInput] | None = strawberry.field(default_factory=list)
    callback_output: str | None = strawberry.field(
        default=None,
        description="Name of the structured output that contains the requested callback"
        " time.",
    )
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    purpose: CallPurpose | None = CallPurpose.TELEMARKETING
    calling_hours: CallingHoursInput | None = None
    require_consent: bool | None = False


@strawberry.type
class ImportCommands:
    """Mutations that add the contacts of an upload to a campaign."""

    @mutation(
        OPERATORS,
        "Creates a campaign in state CREATED from the upload's accepted rows, or from"
        " finished contacts of another campaign.",
    )
    async def create_campaign(
        self,
        info: Info,
        input: CreateCampaignInput,  # noqa: A002 - the contract's name
    ) -> ImportResult:
        """Create a campaign; repeating it with the same input returns the same one."""
        context = info.context
        imported = await context.backend.run_slow(_create, context, input)
        return await _imported(context, imported)

    @mutation(OPERATORS, "Adds contacts to a campaign that is not finished.")
    async def import_contacts(
        self, info: Info, campaign_id: strawberry.ID, upload_id: strawberry.ID
    ) -> ImportResult:
        """Add the upload's accepted rows; numbers of the campaign are skipped."""
        context = info.context
        campaign, upload = (
            as_uuid("campaign", campaign_id),
            as_uuid("upload", upload_id),
        )
        imported = await context.backend.run_slow(_import, context, campaign, upload)
        return await _imported(context, imported)


@short_turns()
def _create(context: Context, asked: CreateCampaignInput) -> Imported:
    services, by = context.backend.services, context.viewer.email
    default_cap = services.settings.values().default_cap
    upload_id = None if asked.upload_id is None else as_uuid("upload", asked.upload_id)
    selection = None if asked.redial is None else asked.redial.to_selection()
    request_id = as_uuid("request", asked.request_id) if asked.request_id else None
    list_id = list_id_of(upload_id, selection, request_id, services.context.new_id)
    new = new_campaign(asked, list_id, request_id, context.viewer)
    if selection is None:
        return services.imports.create_campaign(new, default_cap=default_cap, by=by)
    return services.redials.create_campaign(
        new, selection, default_cap=default_cap, by=by
    )


def new_campaign(
    asked: CreateCampaignInput,
    list_id: UUID,
    request_id: UUID | None,
    viewer: Viewer,
) -> NewCampaign:
    """Return the application's form of the input; the contacts are those of a list."""
    return NewCampaign(
        name=asked.name,
        upload_id=list_id,
        assistant_id=as_uuid("assistant", asked.assistant_id),
        phone_number_id=asked.phone_number_id,
        cap=asked.cap,
        mode=asked.mode or DialMode.CONTINUOUS,
        line_quiet_gating=bool(asked.line_quiet_gating),
        budget=asked.budget,
        terms=terms_of(asked, viewer),
        request_id=request_id,
        compared=tuple(arm.to_compared() for arm in asked.arms or ()),
    )


def terms_of(asked: CreateCampaignInput, viewer: Viewer) -> CallingTerms:
    """Return the calling terms of the input."""
    return CallingTerms(
        retry_policy=asked.retry_policy.to_policy() if asked.retry_policy else None,
        output_rules=tuple(rule.to_rule() for rule in asked.output_rules or ()),
        callback_output=asked.callback_output,
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        purpose=asked.purpose or CallPurpose.TELEMARKETING,
        calling_hours=(
            asked.calling_hours.to_hours(viewer)
            if asked.calling_hours
            else LAWFUL_HOURS
        ),
        require_consent=bool(asked.require_consent),
    )


@short_turns()
def _import(context: Context, campaign_id: UUID, upload_id: UUID) -> Imported:
    by = context.viewer.email
    return context.services.imports.import_contacts(campaign_id, upload_id, by=by)


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
