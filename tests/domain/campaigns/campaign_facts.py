"""Past events of a campaign, its states, and its commands with usual arguments."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import CanMutateAggregate

from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.gate.decision import LAWFUL_HOURS
from domain.gate.rules import CallPurpose
from domain.values import (
    CampaignState,
    DialMode,
    PauseCause,
    VaultText,
)
from tests.support import EPOCH, Fact, given

CREATED, QUEUED = CampaignState.CREATED, CampaignState.QUEUED
DIALING, RUNNING = CampaignState.DIALING, CampaignState.RUNNING
PAUSED, COMPLETED = CampaignState.PAUSED, CampaignState.COMPLETED
CANCELED, FAILED = CampaignState.CANCELED, CampaignState.FAILED
BY = "ann@example.com"
AT = EPOCH + timedelta(minutes=1)
PLACED_AT = EPOCH + timedelta(seconds=50)
LIST, OTHER_LIST = uuid4(), uuid4()
WORDS = VaultText(words_id=uuid4(), digest="d1")
ASKED: dict[str, Any] = {
    "name": "Spring",
    "assistant_id": uuid4(),
    "provider_assistant_id": "a-1",
    "phone_number_id": "n-1",
    "cap": 8,
    "mode": DialMode.CONTINUOUS,
    "line_quiet_gating": False,
    "budget": Decimal(20),
    "longest_call_seconds": 600,
}
NO_TERMS: dict[str, Any] = {
    "retry_policy": None,
    "output_rules": (),
    "callback_output": None,
    "starts_at": None,
    "ends_at": None,
    "purpose": CallPurpose.TELEMARKETING,
    "calling_hours": LAWFUL_HOURS,
    "require_consent": False,
}
CHANGEABLE = {key: ASKED[key] for key in ("name", "cap", "line_quiet_gating", "budget")}


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {"actor": BY, **own}


def imported(list_id: UUID, accepted: int, contacts: int) -> Fact:
    counts = {"accepted": accepted, "skipped": 1, "contacts": contacts}
    return fact(Campaign.ContactsImported, list_id=list_id, **counts)


def alerted(alert: SpendAlert, spend: int = 16, budget: int = 20) -> Fact:
    sums = {"spend": Decimal(spend), "budget": Decimal(budget)}
    return fact(Campaign.SpendAlertRaised, alert=alert, **sums)


def started(state: CampaignState) -> Fact:
    return fact(Campaign.DialingStarted, started_at=PLACED_AT, state=state)


def running(state: CampaignState = RUNNING) -> Fact:
    return fact(Campaign.Running, state=state)


def resumed(state: CampaignState) -> Fact:
    return fact(Campaign.Resumed, state=state)


def changed(**own: Any) -> Fact:
    terms = NO_TERMS | {"terms_version": 1, "caller": None}
    return fact(Campaign.Changed, **CHANGEABLE | terms | own)


NOT_DERIVED = {
    "request_id": None,
    "redial_of": None,
    "is_test": False,
    "arms": (),
    "experiment_id": None,
}
WAS_CREATED = fact(Campaign.Created, **ASKED, **NO_TERMS, **NOT_DERIVED)
WAS_QUEUED = fact(Campaign.Queued)
WAS_PAUSED = fact(Campaign.Paused, cause=PauseCause.PERSON, reason=None, scope=None)
WAS_COMPLETED = fact(Campaign.Completed)
WAS_CANCELED = fact(Campaign.Canceled, hang_up=False)
HAS_FAILED = fact(Campaign.Failed, reason=WORDS)

PAST: dict[CampaignState, tuple[Fact, ...]] = {
    CREATED: (WAS_CREATED,),
    QUEUED: (WAS_CREATED, WAS_QUEUED),
    DIALING: (WAS_CREATED, WAS_QUEUED, started(DIALING)),
    RUNNING: (WAS_CREATED, WAS_QUEUED, started(DIALING), running()),
    PAUSED: (WAS_CREATED, WAS_QUEUED, WAS_PAUSED),
    COMPLETED: (WAS_CREATED, WAS_QUEUED, WAS_COMPLETED),
    CANCELED: (WAS_CREATED, WAS_CANCELED),
    FAILED: (WAS_CREATED, WAS_QUEUED, HAS_FAILED),
}
OVER = (COMPLETED, CANCELED, FAILED)

MOVES: dict[str, Callable[[Campaign], None]] = {
    "start": lambda c: c.start(at=AT, by=BY),
    "pause": lambda c: c.pause(cause=PauseCause.PERSON, at=AT, by=BY),
    "resume": lambda c: c.resume(at=AT, by=BY),
    "complete": lambda c: c.complete(at=AT, by=BY),
    "cancel": lambda c: c.cancel(hang_up=False, at=AT, by=BY),
    "fail": lambda c: c.fail(reason=WORDS, at=AT, by=BY),
    "placed": lambda c: c.note_placed(placed_at=PLACED_AT, at=AT, by=BY),
    "ringing": lambda c: c.note_ringing(at=AT, by=BY),
}

OPEN = (CREATED, QUEUED, DIALING, RUNNING, PAUSED)
STARTED = (QUEUED, DIALING, RUNNING, PAUSED)


def campaign(*facts: Fact) -> Campaign:
    return given(Campaign, *facts)


def in_state(state: CampaignState) -> Campaign:
    return campaign(*PAST[state])


def change(subject: Campaign, **own: Any) -> None:
    subject.change(at=AT, by=BY, **CHANGEABLE | own)


def raise_alert(
    subject: Campaign, alert: SpendAlert = SpendAlert.THRESHOLD, budget: int = 20
) -> None:
    sums = {"spend": Decimal(16), "budget": Decimal(budget)}
    subject.raise_spend_alert(alert=alert, **sums, at=AT, by=BY)


def take(subject: Campaign, list_id: UUID = LIST, starts_at: int = 0) -> None:
    counts = {"starts_at": starts_at, "accepted": 3, "skipped": 1}
    subject.import_contacts(list_id=list_id, **counts, at=AT, by=BY)
