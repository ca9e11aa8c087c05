"""Commands on existing campaigns: start, pause, resume, cancel, change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.app import AutoLynx, decide
from application.assistants import usable_assistant
from application.calls.call_service import CallService
from application.event_context import SCHEDULER, EventContext
from application.ports import CallLookup
from domain.assistant import Assistant
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.campaigns.campaign_terms import Caller
from domain.values import PauseCause, RefusalScope


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """What to change; None leaves a field as it is.

    `budget` is changed, possibly to None, if `budget_named`. `terms` has the fields of
    `CallingTerms` that are changed. `assistant_id` and `phone_number_id` (the line) may
    only change before the start and while the campaign is paused.
    """

    name: str | None = None
    cap: int | None = None
    line_quiet_gating: bool | None = None
    budget: Decimal | None = None
    budget_named: bool = False
    terms: Mapping[str, Any] = field(default_factory=dict)
    assistant_id: UUID | None = None
    phone_number_id: str | None = None

    def values_for(self, campaign: Campaign) -> dict[str, Any]:
        """Return all values after the change, without those of the caller."""
        gating = self.line_quiet_gating
        return {
            "name": campaign.name if self.name is None else self.name,
            "cap": campaign.cap if self.cap is None else self.cap,
            "line_quiet_gating": (
                campaign.line_quiet_gating if gating is None else gating
            ),
            "budget": self.budget if self.budget_named else campaign.budget,
            "terms": replace(campaign.terms, **self.terms),
        }


@dataclass(frozen=True, slots=True)
class StartTime:
    """The earliest time of a campaign's first call; None: as soon as it is started."""

    at: datetime | None


class CampaignService:
    """Each command returns the log position of its change, None without a change."""

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        calls: CallService,
        call_lookup: CallLookup,
        longest_call_seconds: Callable[[dict[str, Any]], int],
    ) -> None:
        """`longest_call_seconds` returns the limit in an assistant's configuration."""
        self._app, self._context = app, context
        self._longest_call_seconds = longest_call_seconds
        self._calls, self._call_lookup = calls, call_lookup

    def start(
        self, campaign_id: UUID, *, by: str, starts: StartTime | None = None
    ) -> int | None:
        """Start a campaign; `starts` changes the earliest time of its first call.

        Raises WrongState for `starts` once the first call was placed.
        """

        def command(campaign: Campaign, at: datetime) -> None:
            if starts is not None:
                campaign.start_not_before(starts.at, at=at, by=by)
            campaign.start(at=at, by=by)

        return self._run(campaign_id, command)

    def expire(self, campaign_id: UUID) -> int | None:
        """Record that the campaign's end has come, if it has."""
        return self._run(campaign_id, lambda it, at: it.expire(at=at, by=SCHEDULER))

    def pause(
        self,
        campaign_id: UUID,
        *,
        by: str,
        reason: str | None = None,
        cause: PauseCause = PauseCause.PERSON,
        scope: RefusalScope | None = None,
    ) -> int | None:
        """Stop new calls, except those whose request is stored already.

        `scope` names what the provider refused, for a pause with the cause ACCOUNT.
        """
        text, row = self._context.vault_text(campaign_id, reason or "")

        def command() -> int | None:
            campaign = self._app.load(Campaign, campaign_id)
            words = text if reason else None
            campaign.pause(
                cause=cause, scope=scope, reason=words, at=self._context.now(), by=by
            )
            paused = bool(campaign.pending_events)
            return self._app.append(campaign, vault=[row] if reason and paused else [])

        return decide(command)

    def resume(self, campaign_id: UUID, *, by: str) -> int | None:
        return self._run(campaign_id, lambda it, at: it.resume(at=at, by=by))

    def cancel(self, campaign_id: UUID, *, hang_up: bool, by: str) -> int | None:
        """No new calls, ever; with `hang_up` those under way are to be ended too."""
        position = self._run(
            campaign_id, lambda it, at: it.cancel(hang_up=hang_up, at=at, by=by)
        )
        for call_id in self._call_lookup.live_calls(campaign_id) if hang_up else ():
            self._calls.request_hang_up(call_id, by=by)
        return position

    def change(
        self, campaign_id: UUID, change: CampaignChange, *, by: str
    ) -> int | None:
        """Change a campaign; a new assistant records its use in the same append.

        Raises Invalid if the new assistant is not registered; WrongState if it is
        archived, or if the campaign's state does not allow the change.
        """

        def command() -> int | None:
            campaign, at = self._app.load(Campaign, campaign_id), self._context.now()
            assistant = self._new_assistant(campaign, change)
            caller = self._caller(campaign, assistant, change.phone_number_id)
            values = change.values_for(campaign)
            campaign.change(**values, caller=caller, at=at, by=by)
            if assistant is None:
                return self._app.append(campaign)
            assistant.choose(campaign_id=campaign_id, at=at, by=by)
            return self._app.append(campaign, assistant)

        return decide(command)

    def _new_assistant(
        self, campaign: Campaign, change: CampaignChange
    ) -> Assistant | None:
        """Return the assistant to which the campaign changes, None if it stays."""
        new = change.assistant_id
        if new is None or new == campaign.caller.assistant_id:
            return None
        return usable_assistant(self._app, new)

    def _caller(
        self, campaign: Campaign, assistant: Assistant | None, line: str | None
    ) -> Caller:
        """Return the campaign's caller with the new assistant and line, if any."""
        caller = campaign.caller
        if line is not None:
            caller = replace(caller, phone_number_id=line)
        if assistant is not None:
            caller = replace(
                caller,
                assistant_id=assistant.id,
                provider_assistant_id=assistant.provider_assistant_id,
                longest_call_seconds=self._longest_call_seconds(assistant.config),
            )
        return caller

    def raise_spend_alert(
        self, campaign_id: UUID, *, alert: SpendAlert, spend: Decimal, budget: Decimal
    ) -> int | None:
        def command(campaign: Campaign, at: datetime) -> None:
            campaign.raise_spend_alert(
                alert=alert, spend=spend, budget=budget, at=at, by=SCHEDULER
            )

        return self._run(campaign_id, command)

    def assistants_of(self, campaign_id: UUID) -> frozenset[str]:
        """Return the provider's ids of the assistants that call the contacts."""
        campaign = self._app.load(Campaign, campaign_id)
        callers = campaign.arms or (campaign.caller,)
        return frozenset(one.provider_assistant_id for one in callers)

    def note_assistant(
        self, campaign_id: UUID, assistant_id: str, *, version: str | None, digest: str
    ) -> int | None:
        """Pin an assistant's version; without one, record each later change.

        `assistant_id` is the provider's.
        """

        def command(campaign: Campaign, at: datetime) -> None:
            campaign.note_assistant(
                assistant_id, version=version, digest=digest, at=at, by=SCHEDULER
            )

        return self._run(campaign_id, command)

    def complete(self, campaign_id: UUID, *, version: int) -> int | None:
        """Complete the campaign if its version is still that of the snapshot.

        Raises IntegrityError if it changed while this was stored.
        """
        campaign = self._app.load(Campaign, campaign_id)
        if campaign.version != version:
            return None
        campaign.complete(at=self._context.now(), by=SCHEDULER)
        return self._app.append(campaign)

    def fail(self, campaign_id: UUID, *, reason: str) -> int | None:
        """End a campaign whose own data cannot be used."""
        text, row = self._context.vault_text(campaign_id, reason)

        def command() -> int | None:
            campaign = self._app.load(Campaign, campaign_id)
            campaign.fail(reason=text, at=self._context.now(), by=SCHEDULER)
            return self._app.append(
                campaign, vault=[row] if campaign.pending_events else []
            )

        return decide(command)

    def _run(
        self, campaign_id: UUID, change: Callable[[Campaign, datetime], None]
    ) -> int | None:
        def command() -> int | None:
            campaign = self._app.load(Campaign, campaign_id)
            change(campaign, self._context.now())
            return self._app.append(campaign)

        return decide(command)
