"""Runs a command on a call; stores its events with those that follow from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from application.app import Streams, decide
from application.calls.called_numbers import release_number
from application.calls.contact_planning import ContactPlanner, TermsCache
from application.calls.output_rules import OutputOptOuts
from application.event_context import SCHEDULER, EventContext
from application.ports import ContactLookup
from application.vault import MessageRow, TextRow, VaultRow
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.errors import AnotherProviderCall
from domain.planning.call_consequences import (
    must_pause,
    note_progress,
    pause_after,
    placed_event,
    rang,
    record_another_provider_call,
)
from domain.values import VaultText

EXPLAINED = (Call.Rejected, Call.Ended)
"""Events that refer to a text of the provider in the vault."""

type CallCommand = Callable[[Call, datetime], None]
"""Changes a call at a time; may run more than once, on a call loaded again."""


@dataclass(frozen=True, slots=True)
class StartedCampaigns:
    """Cache of campaign ids already recorded as started, or as ringing.

    Both are one-way, so a cached campaign need not be loaded again for each call.
    """

    started: set[UUID] = field(default_factory=set)
    ringing: set[UUID] = field(default_factory=set)

    def include(self, campaign_id: UUID, events: Sequence[object]) -> bool:
        """Return whether all that these events show of the campaign is recorded."""
        starts = placed_event(events) is not None and campaign_id not in self.started
        return not starts and not (rang(events) and campaign_id not in self.ringing)

    def note(self, campaign_id: UUID, events: Sequence[object]) -> None:
        """Remember what these stored events have shown of the campaign."""
        if placed_event(events):
            self.started.add(campaign_id)
        if rang(events):
            self.ringing.add(campaign_id)

    def copy(self) -> "StartedCampaigns":
        """Return an independent copy."""
        return StartedCampaigns(set(self.started), set(self.ringing))

    def add(self, other: "StartedCampaigns") -> None:
        """Add the campaigns of another cache."""
        self.started.update(other.started)
        self.ringing.update(other.ringing)


class CallUnitOfWork:
    """Load, decide, append: for one call, its campaign and its contact.

    `app` is where streams are loaded and appended: the application, or a UnitOfWork
    that stores the events of several commands together.
    """

    def __init__(
        self,
        app: Streams,
        context: EventContext,
        started: StartedCampaigns,
        terms: TermsCache,
        contact_lookup: ContactLookup,
    ) -> None:
        self._app, self._context, self._started = app, context, started
        self._planner = ContactPlanner(app, terms)
        self._opt_outs = OutputOptOuts(app, context, contact_lookup)

    def run(
        self,
        call_id: UUID,
        command: CallCommand,
        vault: Sequence[VaultRow] = (),
        duplicate_command: CallCommand | None = None,
    ) -> None:
        """Run `command` on a call and store its events with those of its campaign.

        `vault` rows are stored if the call recorded an event. The campaign is paused if
        `command` binds the call to another provider call id. If it raises because of a
        second id, none of its events is stored: the second id is recorded, together
        with the events of `duplicate_command`. Pass that for webhooks only: one message
        raises a suspicion, while an answer of the provider itself is proof. Raises
        NotFound if there is no such call.
        """

        def attempt() -> None:
            call, at = self._app.load(Call, call_id), self._context.now()
            try:
                command(call, at)
            except AnotherProviderCall as duplicate:
                rows = vault if duplicate_command else ()
                self._store_duplicate(
                    call_id, duplicate.other, at, duplicate_command, rows
                )
            else:
                self._store(call, at, vault)

        decide(attempt)

    def _store(self, call: Call, at: datetime, vault: Sequence[VaultRow]) -> None:
        # A copy: the append empties the list of pending events.
        events = tuple(call.pending_events)
        if not events:
            return
        rows = _in_campaign(_referred(vault, events), call.campaign_id)
        campaign = self._progressed_campaign(call.campaign_id, events, at)
        if must_pause(events):
            campaign = campaign or self._app.load(Campaign, call.campaign_id)
            rows += self._pause(campaign, events, rows, at)
        also = self._planner.changes(call, campaign, at)
        number, texts = self._opt_outs.suppressed(call, at)
        number = release_number(self._app, call, events, number, at)
        changed = (call, campaign, *also.changed, number)
        self._app.append(*changed, vault=[*rows, *texts], expect=also.expect or None)
        self._started.note(call.campaign_id, events)

    def _progressed_campaign(
        self, campaign_id: UUID, events: Sequence[object], at: datetime
    ) -> Campaign | None:
        """Record on the campaign that its first call was placed, or rang."""
        if self._started.include(campaign_id, events):
            return None
        campaign = self._app.load(Campaign, campaign_id)
        note_progress(campaign, events, at=at, provider=self._context.provider_actor)
        return campaign

    def _pause(
        self,
        campaign: Campaign,
        events: Sequence[object],
        rows: Sequence[VaultRow],
        at: datetime,
    ) -> list[VaultRow]:
        """Pause the campaign if it dials; return the vault rows of the explanation."""
        added: list[VaultRow] = []

        def explain(fault: Call.Ended) -> VaultText:
            text = _explanation(fault, rows)
            reason, row = self._context.vault_text(campaign.id, text)
            added.append(row)
            return reason

        pause_after(campaign, events, explain=explain, at=at, by=SCHEDULER)
        return added

    def _store_duplicate(
        self,
        call_id: UUID,
        provider_call_id: str,
        at: datetime,
        command: CallCommand | None,
        vault: Sequence[VaultRow],
    ) -> None:
        call = self._app.load(Call, call_id)
        campaign = self._app.load(Campaign, call.campaign_id)
        record_another_provider_call(
            call,
            campaign,
            provider_call_id,
            from_webhook=command is not None,
            at=at,
            provider=self._context.provider_actor,
            scheduler=SCHEDULER,
        )
        if command:
            command(call, at)
        self._app.append(call, campaign, vault=_in_campaign(vault, call.campaign_id))


def _explanation(fault: Call.Ended, rows: Sequence[VaultRow]) -> str:
    """Return why the campaign is paused, with the provider's explanation if any."""
    words_id = fault.words.words_id if fault.words else None
    for row in rows:
        if isinstance(row, TextRow) and row.id == words_id:
            return f"A call ended with {fault.reason}: {row.words}"
    return f"A call ended with {fault.reason}."


def _referred(vault: Sequence[VaultRow], events: Sequence[object]) -> list[VaultRow]:
    """Leave out texts that no event refers to: nothing would ever show them."""
    texts = {one.words for one in events if isinstance(one, EXPLAINED) and one.words}
    ids = {text.words_id for text in texts}
    return [row for row in vault if not isinstance(row, TextRow) or row.id in ids]


def _in_campaign(rows: Sequence[VaultRow], campaign_id: UUID) -> list[VaultRow]:
    return [
        row.in_campaign(campaign_id) if isinstance(row, MessageRow) else row
        for row in rows
    ]
