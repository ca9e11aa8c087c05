"""A call is told something: what it records is stored, with what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from application.app import Streams, decide
from application.event_context import SCHEDULER, EventContext
from application.vault import MessageRow, TextRow, VaultRow
from domain.call import Call
from domain.call_events import ContactStatusChanged
from domain.campaign import Campaign
from domain.contact import Contact
from domain.errors import AnotherProviderCall
from domain.values import ContactStatus, PauseCause, RefusalKind

EXPLAINED = (Call.Rejected, Call.Ended)
"""Events that refer to a text of the provider in the vault."""

type Tell = Callable[[Call, datetime], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """Campaigns that are known to have started, and to have rung somebody.

    Neither changes back: no need to load them again for each call.
    """

    started: set[UUID] = field(default_factory=set)
    ringing: set[UUID] = field(default_factory=set)

    def copy(self) -> "Learned":
        return Learned(set(self.started), set(self.ringing))

    def add(self, other: "Learned") -> None:
        self.started.update(other.started)
        self.ringing.update(other.ringing)


class Telling:
    def __init__(self, app: Streams, context: EventContext, learned: Learned) -> None:
        self._app, self._context, self._learned = app, context, learned

    def __call__(
        self,
        call_id: UUID,
        tell: Tell,
        vault: Sequence[VaultRow] = (),
        of_another: Tell | None = None,
    ) -> None:
        """Run `tell` on a call and store its events with those of its campaign.

        `vault` rows are stored if the call recorded an event. If `tell` names another
        provider call id, nothing it says is recorded: the second id is, together with
        the events of `of_another`. Pass `of_another` for webhooks only: one message
        raises a suspicion, while an answer of the provider itself is proof.
        """

        def command() -> None:
            call, at = self._app.load(Call, call_id), self._context.now()
            try:
                tell(call, at)
            except AnotherProviderCall as duplicate:
                kept = vault if of_another else ()
                self._detect_duplicate(call_id, duplicate.other, at, of_another, kept)
            else:
                self._store(call, at, vault)

        decide(command)

    def _store(self, call: Call, at: datetime, vault: Sequence[VaultRow]) -> None:
        facts = call.pending_events
        if not facts:
            return
        placed = next((fact for fact in facts if isinstance(fact, Call.Placed)), None)
        rang = any(isinstance(fact, (Call.Ringing, Call.Answered)) for fact in facts)
        campaign = self._campaign_learns(call.campaign_id, placed, at, rang=rang)
        rows = _in_campaign(_referred(vault, facts), call.campaign_id)
        refused = _account_refusal(facts)
        if refused is not None:
            campaign = campaign or self._app.load(Campaign, call.campaign_id)
            rows += self._pause_for_account(campaign, refused, rows, at)
        if _came_back(facts):
            contact = self._withdrawn_if_erased(call, at)
            fence = None if contact else {call.contact_id: 0}
            self._app.append(call, campaign, contact, vault=rows, expect=fence)
        else:
            self._app.append(call, campaign, vault=rows)
        if placed:
            self._learned.started.add(call.campaign_id)
        if rang:
            self._learned.ringing.add(call.campaign_id)

    def _pause_for_account(
        self,
        campaign: Campaign,
        ended: Call.Ended,
        rows: Sequence[VaultRow],
        at: datetime,
    ) -> list[VaultRow]:
        """Pause the campaign with the provider's words; return the rows to store."""
        if not campaign.may_dial or ended.refusal is None:
            return []
        text = f"A call ended with {ended.reason}."
        for row in rows:
            if (
                isinstance(row, TextRow)
                and ended.words
                and row.id == ended.words.words_id
            ):
                text = f"A call ended with {ended.reason}: {row.words}"
        said, paused = self._context.vault_text(campaign.id, text)
        campaign.pause(
            cause=PauseCause.ACCOUNT,
            scope=ended.refusal.scope,
            reason=said,
            at=at,
            by=SCHEDULER,
        )
        return [paused]

    def _withdrawn_if_erased(self, call: Call, at: datetime) -> Contact | None:
        """Let an erased contact wait no more: nobody may call it again."""
        contact = self._app.find(Contact, call.contact_id)
        if contact is not None and call.deferred:
            call.withdraw(at=at, by=SCHEDULER)
        elif contact is not None:
            contact.withdraw(at=at, by=SCHEDULER)
        return contact

    def _campaign_learns(
        self, campaign_id: UUID, placed: Call.Placed | None, at: datetime, *, rang: bool
    ) -> Campaign | None:
        starts = placed is not None and campaign_id not in self._learned.started
        if not starts and not (rang and campaign_id not in self._learned.ringing):
            return None
        campaign = self._app.load(Campaign, campaign_id)
        if placed is not None:
            campaign.note_placed(placed_at=placed.placed_at, at=at, by=placed.actor)
        if rang:
            campaign.note_ringing(at=at, by=self._context.provider_actor)
        return campaign

    def _detect_duplicate(
        self,
        call_id: UUID,
        other: str,
        at: datetime,
        tell: Tell | None,
        vault: Sequence[VaultRow],
    ) -> None:
        """Record a second provider call id, and pause the campaign if it is new.

        It is proof if the provider itself gave both ids. If either comes from a webhook
        alone, it is a suspicion until the provider was asked for both.
        """
        call = self._app.load(Call, call_id)
        is_proof = tell is None and not call.bound_by_message
        record = call.detect_duplicate if is_proof else call.suspect_duplicate
        record(provider_call_id=other, at=at, by=self._context.provider_actor)
        campaign = self._app.load(Campaign, call.campaign_id)
        if call.pending_events and campaign.may_dial:
            cause = PauseCause.DUPLICATE_DETECTED
            campaign.pause(cause=cause, at=at, by=SCHEDULER)
        if tell:
            tell(call, at)
        self._app.append(call, campaign, vault=_in_campaign(vault, call.campaign_id))


def _account_refusal(facts: Sequence[object]) -> Call.Ended | None:
    """Return the end that pauses the campaign, if there is one among the events."""
    for fact in facts:
        if isinstance(fact, Call.Ended) and fact.refusal is not None:
            return fact if fact.refusal.kind is RefusalKind.ACCOUNT else None
    return None


def _referred(vault: Sequence[VaultRow], facts: Sequence[object]) -> list[VaultRow]:
    """Leave out texts to which no event refers: nothing would ever show them."""
    words = {fact.words for fact in facts if isinstance(fact, EXPLAINED) and fact.words}
    ids = {one.words_id for one in words}
    return [row for row in vault if not isinstance(row, TextRow) or row.id in ids]


def _came_back(facts: Sequence[object]) -> bool:
    """Tell whether the contact waits to be called again after these facts."""
    moves = [fact for fact in facts if isinstance(fact, ContactStatusChanged)]
    return bool(moves) and (
        moves[-1].standing is ContactStatus.PENDING is not moves[0].was
    )


def _in_campaign(rows: Sequence[VaultRow], campaign_id: UUID) -> list[VaultRow]:
    return [
        row.in_campaign(campaign_id) if isinstance(row, MessageRow) else row
        for row in rows
    ]
