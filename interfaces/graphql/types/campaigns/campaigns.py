"""Campaigns: the list, and the details of one."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

import strawberry

from application.numbers import calling_code
from domain.campaigns.campaign import Campaign as CampaignAggregate
from domain.gate.rules import CallPurpose
from domain.values import uuid_or_none
from interfaces.graphql.backend import Backend
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError, bad_request
from interfaces.graphql.permissions import (
    AUDITORS,
    EVERYBODY,
    field,
    must_be,
    query,
)
from interfaces.graphql.types.assistants import Assistant, assistant_of
from interfaces.graphql.types.campaigns.arms import Arm
from interfaces.graphql.types.campaigns.calling_hours import CallingHours
from interfaces.graphql.types.campaigns.decisions import DispatchDecision
from interfaces.graphql.types.campaigns.dialability import (
    Dialability,
    dialability_of,
)
from interfaces.graphql.types.campaigns.forecasts import Forecast, forecast_of
from interfaces.graphql.types.campaigns.outcomes import (
    ActivityBucket,
    AnswerRate,
    CallbackCounts,
    Funnel,
    OutcomeCount,
)
from interfaces.graphql.types.campaigns.progress import CampaignProgress
from interfaces.graphql.types.campaigns.terms import OutputRule, RetryPolicy
from interfaces.graphql.types.contacts.contacts import Contact, waiting_filter
from interfaces.graphql.types.contacts.imports import ContactImport, ImportReport
from interfaces.graphql.types.enums import (
    CallOutcome,
    CampaignState,
    ContactStatus,
    DialMode,
    Disposition,
    PauseCause,
    WaitingCode,
    Withheld,
)
from interfaces.graphql.types.paging import Connection, page_size
from interfaces.state_reasons import state_reason
from projections import campaign_arms
from projections.calls import call_log
from projections.campaigns import answer_rates, campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.contacts import (
    callbacks,
    contact_import,
    contact_log,
    contact_results,
)
from projections.contacts.contact_filters import ContactFilters
from projections.engine.as_of import campaign_as_of
from projections.exports.columns import column_names
from projections.forecasts import campaign_forecasts

NARROWEST_BUCKET, WIDEST_BUCKET = 1, 86_400


@strawberry.type
class Campaign:
    """A campaign; `budget` is in US dollars."""

    row: strawberry.Private[CampaignRow]
    id: strawberry.ID
    name: str
    state: CampaignState
    pause_cause: PauseCause | None = strawberry.field(
        description="Who or what paused it; null unless PAUSED."
    )
    mode: DialMode
    cap: int
    line_quiet_gating: bool
    phone_number_id: str
    budget: Decimal | None
    created_at: datetime
    created_by: str
    queued_at: datetime | None = strawberry.field(
        description="When a person pressed Start."
    )
    started_at: datetime | None = strawberry.field(
        description="When the provider accepted the first call; null before that."
    )
    completed_at: datetime | None
    starts_at: datetime | None = strawberry.field(
        description="No call is placed before this time; null means as soon as the"
        " campaign is started."
    )
    ends_at: datetime | None = strawberry.field(
        description="No call is placed after this time; contacts still waiting are"
        " then withheld as EXPIRED."
    )
    retry_policy: RetryPolicy
    output_rules: list[OutputRule]
    callback_output: str | None
    purpose: CallPurpose
    calling_hours: CallingHours
    require_consent: bool
    is_test: bool = strawberry.field(
        description="True for a single test call made by placeTestCall."
    )
    assistant_changed_at: datetime | None = strawberry.field(
        description="When an assistant, without a pinned version, was last changed"
        " since the campaign was started or resumed."
    )
    progress: CampaignProgress
    export_url: str = strawberry.field(
        description="Where the results can be downloaded as CSV."
    )

    @classmethod
    def of(cls, row: CampaignRow) -> Self:
        """Build it from a row of the read model, or from one as of an earlier time."""
        terms = row.calling_terms
        return cls(
            row=row,
            id=strawberry.ID(str(row.id)),
            name=row.name,
            state=row.state,
            pause_cause=row.pause_cause,
            mode=row.mode,
            cap=row.cap,
            line_quiet_gating=row.line_quiet_gating,
            phone_number_id=row.phone_number_id,
            budget=row.budget,
            created_at=row.created_at,
            created_by=row.created_by,
            queued_at=row.queued_at,
            started_at=row.started_at,
            completed_at=row.completed_at,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            retry_policy=RetryPolicy.of(terms.policy),
            output_rules=[OutputRule.of(rule) for rule in terms.output_rules],
            callback_output=terms.callback_output,
            purpose=terms.purpose,
            calling_hours=CallingHours.of(terms.calling_hours),
            require_consent=terms.require_consent,
            is_test=row.is_test,
            assistant_changed_at=row.assistant_changed_at,
            progress=CampaignProgress.of(row),
            export_url=f"/campaigns/{row.id}/export.csv",
        )

    @field("Names of the columns that an export may contain, the standard ones first.")
    async def export_columns(self, info: Info) -> list[str]:
        """List the columns; BAD_REQUEST if there are too many to export."""
        return await info.context.backend.read(column_names, self.row.id)

    @field("Why it is PAUSED or FAILED, as text.")
    async def state_reason(self, info: Info) -> str | None:
        """Load the stored text, or describe the cause of the pause."""
        texts, text_id = info.context.loaders.texts, self.row.reason_words_id
        text = await texts.load(text_id) if text_id else None
        return state_reason(self.pause_cause, text)

    @field("Phone number of the line, if the provider reports it.")
    async def phone_number(self, info: Info) -> str | None:
        """Look up the line among those of the provider, null if it is not there."""
        backend = info.context.backend
        return await backend.run_slow(backend.lines.number_of, self.row.phone_number_id)

    @strawberry.field
    async def assistant(self, info: Info) -> Assistant:
        """Load the assistant that calls the contacts."""
        return await assistant_of(info.context, self.row.assistant_id)

    @field(
        "The provider's version of the assistant that all calls use until a pause; null"
        " if the provider has no versions, and before the first call."
    )
    async def assistant_version(self, info: Info) -> str | None:
        """Read the version from the campaign's events; it is shown for one campaign."""
        load, row = info.context.services.app.load, self.row
        found = await info.context.backend.run_reader(load, CampaignAggregate, row.id)
        return found.pinned_version(row.provider_assistant_id)

    @field("The campaign from which this one took its contacts.")
    async def redial_of(self, info: Info) -> "Campaign | None":
        """Load the campaign, None if the contacts came from a file."""
        source = self.row.redial_of
        found = await info.context.loaders.campaigns.load(source) if source else None
        return Campaign.of(found) if found else None

    @field("The campaigns that took their contacts from this one, oldest first.")
    async def redials(self, info: Info) -> "list[Campaign]":
        """Return the campaigns."""
        read = info.context.backend.read
        rows = await read(campaign_board.redials_of, self.row.id)
        return [Campaign.of(row) for row in rows]

    @field(
        "In the order of the file. search: prefixes of words of the name or business"
        " name, or first digits of the number; totalCount is then at most 10,000."
    )
    async def contacts(  # noqa: PLR0917 - the contract's arguments
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        statuses: list[ContactStatus] | None = None,
        search: str | None = None,
        outcomes: list[CallOutcome] | None = None,
        dispositions: list[Disposition] | None = None,
        withheld: list[Withheld] | None = None,
        waiting_for: list[WaitingCode] | None = None,
    ) -> Connection[Contact]:
        """Return one page of the contacts that match every filter."""
        waiting = None
        if waiting_for is not None:
            waiting = await waiting_filter(info, self.row.id, waiting_for)
        backend = info.context.backend
        code = await backend.run_reader(_calling_code, backend, search)
        page = await backend.read(
            contact_log.page,
            self.row.id,
            first=page_size(first, 50),
            after=after,
            statuses=statuses,
            search=search,
            calling_code=code,
            filters=ContactFilters(outcomes, dispositions, withheld, waiting),
        )
        return Connection[Contact].of(page, Contact.of)

    @strawberry.field
    async def imports(self, info: Info) -> list[ContactImport]:
        """Return the campaign's imports."""
        read = info.context.backend.read
        rows = await read(contact_import.of_campaign, self.row.id)
        return [ContactImport.of(row) for row in rows]

    @field("Calls placed and finished over time, for a chart.")
    async def activity(
        self, info: Info, bucket_seconds: int | None = 60
    ) -> list[ActivityBucket]:
        """Return the activity in intervals of 1 s to one day."""
        width = 60 if bucket_seconds is None else bucket_seconds
        if not NARROWEST_BUCKET <= width <= WIDEST_BUCKET:
            raise bad_request(f"bucketSeconds must be from 1 to {WIDEST_BUCKET:,}.")
        read = info.context.backend.read
        rows = await read(call_log.activity, self.row.id, bucket_seconds=width)
        return [ActivityBucket.of(row) for row in rows]

    @field(
        "Finished calls and contacts per outcome. A contact is counted under its"
        " latest finished call."
    )
    async def outcomes(self, info: Info) -> list[OutcomeCount]:
        """Return the counts per outcome."""
        read = info.context.backend.read
        rows = await read(contact_results.outcome_counts, self.row.id)
        return [OutcomeCount.of(row) for row in rows]

    @strawberry.field
    async def funnel(self, info: Info) -> Funnel:
        """Return the number of contacts per stage."""
        read = info.context.backend.read
        return Funnel.of(await read(contact_results.funnel, self.row.id))

    @field("Contacts that asked to be called back; none once the campaign is over.")
    async def callbacks(self, info: Info) -> CallbackCounts:
        """Count the planned callbacks."""
        backend = info.context.backend
        now = backend.services.now()
        counts = await backend.read(callbacks.callback_counts, self.row.id, now)
        return CallbackCounts.of(counts)

    @field("Answered calls by the hour of the contact's day; hours without calls not.")
    async def answer_rates(self, info: Info) -> list[AnswerRate]:
        """Count the campaign's finished calls by hour."""
        rows = await info.context.backend.read(answer_rates.answer_rates, self.row.id)
        return [AnswerRate.of(row) for row in rows]

    @field("Assistants compared in this campaign; empty without a comparison.")
    async def arms(self, info: Info) -> list[Arm]:
        """Return the arms, the campaign's own assistant first."""
        read = info.context.backend.read
        results = await read(campaign_arms.arm_results, self.row.id)
        return [Arm.of(result) for result in results]

    @field("How many of the contacts that wait may be called now, later or never.")
    async def dialability(self, info: Info) -> Dialability:
        """Count the waiting contacts."""
        found = await dialability_of(info.context, self.row.id)
        assert found is not None, "a campaign that is shown exists"
        return found

    @field("How the campaign will probably go from now on. Null once it is over.")
    async def forecast(self, info: Info) -> Forecast | None:
        """Simulate the campaign, unless that was done a moment ago."""
        return await forecast_of(info.context, self.row)

    @field("Forecasts that were stored, at the start and then every ten minutes.")
    async def forecasts(self, info: Info) -> list[Forecast]:
        """Return the stored forecasts, oldest first."""
        read = info.context.backend.read
        found = await read(campaign_forecasts.forecasts_of, self.row.id)
        return [Forecast.of(stored) for _, stored in found]

    @field("The scheduler's latest decision about this campaign, with its reasons.")
    async def last_decision(self, info: Info) -> DispatchDecision | None:
        """Load the decision, None before the first one."""
        decision = await info.context.loaders.decisions.load(self.row.id)
        return DispatchDecision.of(decision) if decision else None


def _calling_code(backend: Backend, search: str | None) -> str:
    """Return the calling code of the settings' region for a search with digits."""
    if not any(character.isdigit() for character in search or ""):
        return ""
    return calling_code(backend.services.settings.values().default_region)


@strawberry.type
class ImportedCampaign:
    """The result of an import: the campaign and the report about the file."""

    campaign: Campaign
    report: ImportReport


CampaignResult = Annotated[Campaign | UserError, strawberry.union("CampaignResult")]
ImportResult = Annotated[ImportedCampaign | UserError, strawberry.union("ImportResult")]


@strawberry.type
class CampaignQueries:
    """Queries of campaigns."""

    @query(EVERYBODY)
    async def campaigns(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        states: list[CampaignState] | None = None,
        search: str | None = None,
    ) -> Connection[Campaign]:
        """Return one page of campaigns, newest first."""
        page = await info.context.backend.read(
            campaign_board.page,
            first=page_size(first, 50),
            after=after,
            states=states,
            search=search,
        )
        return Connection[Campaign].of(page, Campaign.of)

    @query(
        EVERYBODY,
        "With asOf: its fields and progress at that time; for auditors and admins.",
    )
    async def campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        as_of: datetime | None = None,
    ) -> Campaign | None:
        """Return the campaign, None if the id is unknown or no UUID."""
        if as_of is not None:
            must_be(AUDITORS, info)
        row = await _row(info, uuid_or_none(id), as_of)
        return Campaign.of(row) if row else None


async def _row(
    info: Info, campaign_id: UUID | None, as_of: datetime | None
) -> CampaignRow | None:
    read = info.context.backend.read
    if campaign_id is None:
        return None
    if as_of is not None:
        return await read(campaign_as_of, campaign_id, as_of)
    return await read(campaign_board.get, campaign_id)
