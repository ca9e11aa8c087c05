"""Mutations of a campaign's state and settings."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from application.campaigns.campaigns import CampaignChange, StartTime
from interfaces.auth.viewer import Viewer
from interfaces.graphql.context import Context, Info
from interfaces.graphql.from_log import campaign_from_log
from interfaces.graphql.permissions import OPERATORS, mutation
from interfaces.graphql.types.campaigns.calling_hours import CallingHoursInput
from interfaces.graphql.types.campaigns.campaigns import (
    Campaign,
    CampaignResult,
)
from interfaces.graphql.types.campaigns.terms import OutputRuleInput, RetryPolicyInput
from interfaces.graphql.types.paging import as_uuid
from projections.campaigns import campaign_board


@strawberry.input(
    description="Omitted fields stay unchanged; null clears budget, callbackOutput,"
    " startsAt and endsAt."
)
class UpdateCampaignInput:
    """Input of `updateCampaign`; the budget is in US dollars."""

    assistant_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The assistant and the line can be changed before the start and"
        " while the campaign is paused.",
    )
    phone_number_id: str | None = None
    name: str | None = None
    cap: int | None = None
    line_quiet_gating: bool | None = None
    budget: strawberry.Maybe[Decimal | None]
    retry_policy: RetryPolicyInput | None = None
    output_rules: list[OutputRuleInput] | None = None
    callback_output: strawberry.Maybe[str | None]
    starts_at: strawberry.Maybe[datetime | None]
    ends_at: strawberry.Maybe[datetime | None]
    calling_hours: CallingHoursInput | None = None


@strawberry.type
class CampaignCommands:
    """Mutations of a campaign's state and settings."""

    @mutation(
        OPERATORS,
        "at: earliest time of the first call. Omitted keeps startsAt, null clears it;"
        " WRONG_STATE after the first call.",
    )
    async def start_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        at: datetime | None = strawberry.UNSET,
    ) -> CampaignResult:
        """Queue a campaign, so that the scheduler calls its contacts."""
        start = info.context.services.campaigns.start
        by = info.context.viewer.email
        starts = None if at is strawberry.UNSET else StartTime(at)
        return await _after(info, id, lambda it: start(it, by=by, starts=starts))

    @mutation(OPERATORS, "Starts no new calls; calls in progress continue.")
    async def pause_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        reason: str | None = None,
    ) -> CampaignResult:
        """Start no new calls until the campaign is resumed."""
        pause = info.context.services.campaigns.pause
        by = info.context.viewer.email
        return await _after(info, id, lambda it: pause(it, by=by, reason=reason))

    @mutation(OPERATORS)
    async def resume_campaign(self, info: Info, id: strawberry.ID) -> CampaignResult:  # noqa: A002 - the contract's name
        """Continue a paused campaign."""
        resume = info.context.services.campaigns.resume
        by = info.context.viewer.email
        return await _after(info, id, lambda it: resume(it, by=by))

    @mutation(
        OPERATORS,
        "Starts no new calls for good; with hangUp, calls in progress are ended too.",
    )
    async def cancel_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        hang_up: bool | None = False,  # noqa: FBT001, FBT002 - the contract's argument
    ) -> CampaignResult:
        """End a campaign for good, and on request its live calls."""
        cancel = info.context.services.campaigns.cancel
        by = info.context.viewer.email
        ends = bool(hang_up)
        return await _after(info, id, lambda it: cancel(it, hang_up=ends, by=by))

    @mutation(OPERATORS)
    async def update_campaign(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        input: UpdateCampaignInput,  # noqa: A002 - the contract's name
    ) -> CampaignResult:
        """Change the given settings of a campaign that is not finished."""
        update = info.context.services.campaigns.change
        by = info.context.viewer.email
        change = _change(input, info.context.viewer)
        return await _after(info, id, lambda it: update(it, change, by=by))


def _change(asked: UpdateCampaignInput, viewer: Viewer) -> CampaignChange:
    return CampaignChange(
        name=asked.name,
        cap=asked.cap,
        line_quiet_gating=asked.line_quiet_gating,
        budget=asked.budget.value if asked.budget else None,
        budget_named=asked.budget is not None,
        terms=_changed_terms(asked, viewer),
        assistant_id=(
            None
            if asked.assistant_id is None
            else as_uuid("assistant", asked.assistant_id)
        ),
        phone_number_id=asked.phone_number_id,
    )


def _changed_terms(asked: UpdateCampaignInput, viewer: Viewer) -> dict[str, Any]:
    """Return the fields of `CallingTerms` that the input names."""
    terms: dict[str, Any] = {}
    if asked.retry_policy is not None:
        terms["retry_policy"] = asked.retry_policy.to_policy()
    if asked.output_rules is not None:
        terms["output_rules"] = tuple(rule.to_rule() for rule in asked.output_rules)
    if asked.calling_hours is not None:
        terms["calling_hours"] = asked.calling_hours.to_hours(viewer)
    for name in ("callback_output", "starts_at", "ends_at"):
        named = getattr(asked, name)
        if named is not None:
            terms[name] = named.value
    return terms


async def _after(
    info: Info, id_: str, command: Callable[[UUID], int | None]
) -> Campaign:
    backend, campaign_id = info.context.backend, as_uuid("campaign", id_)
    position = await backend.run_command(command, campaign_id)
    return await campaign_after(info.context, campaign_id, position)


async def campaign_after(
    context: Context, campaign_id: UUID, position: int | None
) -> Campaign:
    """Return a campaign that includes a command's result.

    It is read from its events if the read model does not include `position` in time.
    """
    backend = context.backend
    current = await backend.is_visible(position)
    row = await backend.read(campaign_board.get, campaign_id)
    if row is None or not current:
        row = await backend.run_reader(
            campaign_from_log, backend.services.app, campaign_id, row
        )
    return Campaign.of(row)
