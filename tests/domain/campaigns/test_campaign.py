"""A campaign: what it records, when it is silent, when it refuses."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.errors import Conflict, Invalid, WrongState
from domain.gate.decision import LAWFUL_HOURS
from domain.gate.rules import CallPurpose
from domain.values import (
    CampaignState,
    DialMode,
    PauseCause,
    RefusalScope,
    VaultText,
    campaign_id_of,
)
from tests.support import EPOCH, Fact, given, new_events

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
    terms = NO_TERMS | {"terms_version": 1}
    return fact(Campaign.Changed, **CHANGEABLE | terms | own)


NOT_DERIVED = {"request_id": None, "redial_of": None, "is_test": False}
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

LEGAL: list[tuple[CampaignState, str, CampaignState, Fact]] = [
    (CREATED, "start", QUEUED, WAS_QUEUED),
    (QUEUED, "placed", DIALING, started(DIALING)),
    (DIALING, "ringing", RUNNING, running()),
    (PAUSED, "resume", QUEUED, resumed(QUEUED)),
    *[(state, "pause", PAUSED, WAS_PAUSED) for state in (QUEUED, DIALING, RUNNING)],
    *[(state, "complete", COMPLETED, WAS_COMPLETED) for state in STARTED],
    *[(state, "cancel", CANCELED, WAS_CANCELED) for state in OPEN],
    *[(state, "fail", FAILED, HAS_FAILED) for state in STARTED],
]

SILENT: list[tuple[CampaignState, str]] = [
    *[(state, "start") for state in (QUEUED, DIALING, RUNNING)],
    *[(state, "resume") for state in (QUEUED, DIALING, RUNNING)],
    (PAUSED, "pause"),
    (COMPLETED, "complete"),
    (CANCELED, "cancel"),
    *[(state, "fail") for state in OVER],
    *[(state, "placed") for state in (DIALING, RUNNING)],
    (RUNNING, "ringing"),
]

REFUSED: list[tuple[CampaignState, str]] = [
    *[(state, "start") for state in (PAUSED, *OVER)],
    *[(state, "pause") for state in (CREATED, *OVER)],
    *[(state, "resume") for state in (CREATED, *OVER)],
    *[(state, "complete") for state in (CREATED, CANCELED, FAILED)],
    *[(state, "cancel") for state in (COMPLETED, FAILED)],
]


def campaign(*facts: Fact) -> Campaign:
    return given(Campaign, *facts)


def in_state(state: CampaignState) -> Campaign:
    return campaign(*PAST[state])


def change(told: Campaign, **own: Any) -> None:
    told.change(at=AT, by=BY, **CHANGEABLE | own)


def raise_alert(
    told: Campaign, alert: SpendAlert = SpendAlert.THRESHOLD, budget: int = 20
) -> None:
    sums = {"spend": Decimal(16), "budget": Decimal(budget)}
    told.raise_spend_alert(alert=alert, **sums, at=AT, by=BY)


def take(told: Campaign, list_id: UUID = LIST, starts_at: int = 0) -> None:
    counts = {"starts_at": starts_at, "accepted": 3, "skipped": 1}
    told.import_contacts(list_id=list_id, **counts, at=AT, by=BY)


# --- Prepared -----------------------------------------------------------------


def create(**own: Any) -> Campaign:
    campaign_id = campaign_id_of(LIST)
    return Campaign.create(campaign_id=campaign_id, at=AT, by=BY, **ASKED | own)


HOPELESS = ("-1", "NaN", "Infinity", "1e999999", "1e-999999", "1000000000000.01")


def test_a_campaign_is_created_as_asked() -> None:
    told = create(name="  Spring ")
    assert new_events(told) == [WAS_CREATED]
    assert (told.id, told.state) == (campaign_id_of(LIST), CREATED)
    assert (told.started_at, told.created_on) == (None, AT)


@pytest.mark.parametrize(
    "own",
    [
        *({"name": name} for name in (" ", "x" * 201)),
        *({"cap": cap} for cap in (0, 10_001)),
        *({"budget": Decimal(text)} for text in ("0", *HOPELESS)),
    ],
    ids=str,
)
def test_a_value_out_of_bounds_is_refused_with_its_field(own: dict[str, Any]) -> None:
    for tell in (create, lambda **o: change(in_state(CREATED), **o)):
        with pytest.raises(Invalid) as refusal:
            tell(**own)
        assert refusal.value.fields.keys() == own.keys()


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        create(name="", cap=0)
    assert str(refusal.value) == "Name is empty; cap must be from 1 to 10,000."


@pytest.mark.parametrize("line", [" ", "x" * 201])
def test_a_campaign_needs_a_line(line: str) -> None:
    with pytest.raises(Invalid) as refusal:
        create(phone_number_id=line)
    assert "phoneNumberId" in refusal.value.fields


@pytest.mark.parametrize("own", [{"cap": 1}, {"cap": 10_000}, {"budget": None}])
def test_the_bounds_themselves_are_accepted(own: dict[str, Any]) -> None:
    asked = ASKED | NO_TERMS | NOT_DERIVED | own
    assert new_events(create(**own)) == [fact(Campaign.Created, **asked)]


@pytest.mark.parametrize("state", OPEN)
def test_contacts_can_be_imported_until_the_campaign_is_finished(
    state: CampaignState,
) -> None:
    told = in_state(state)
    take(told)
    assert new_events(told) == [imported(LIST, 3, 3)]
    assert (told.contacts, told.state) == (3, state)


def test_a_second_list_adds_to_the_first() -> None:
    told = campaign(WAS_CREATED, imported(LIST, 5, 5))
    take(told, OTHER_LIST, starts_at=5)
    assert new_events(told) == [imported(OTHER_LIST, 3, 8)]


def test_a_list_compared_with_fewer_contacts_is_refused() -> None:
    told = campaign(WAS_CREATED, imported(LIST, 5, 5))
    with pytest.raises(Conflict):
        take(told, OTHER_LIST, starts_at=0)
    assert new_events(told) == []


@pytest.mark.parametrize("last", [(), (WAS_CANCELED,)], ids=["open", "canceled"])
def test_a_list_is_imported_once(last: tuple[Fact, ...]) -> None:
    told = campaign(WAS_CREATED, imported(LIST, 3, 3), *last)
    take(told)
    assert new_events(told) == []


@pytest.mark.parametrize("state", OPEN)
def test_a_campaign_can_be_changed_until_it_is_finished(state: CampaignState) -> None:
    told = in_state(state)
    change(told, name=" Summer ", cap=2, line_quiet_gating=True, budget=None)
    new = {"name": "Summer", "cap": 2, "line_quiet_gating": True, "budget": None}
    assert new_events(told) == [changed(**new)]
    assert {field: getattr(told, field) for field in new} == new
    assert told.created_as.name == "Spring"


@pytest.mark.parametrize("state", PAST)
def test_a_change_to_the_present_values_records_nothing(state: CampaignState) -> None:
    told = in_state(state)
    change(told)
    assert new_events(told) == []


@pytest.mark.parametrize("state", OVER)
@pytest.mark.parametrize("command", [take, lambda told: change(told, cap=2)])
def test_a_finished_campaign_refuses_lists_and_changes(
    state: CampaignState, command: Callable[[Campaign], None]
) -> None:
    told = in_state(state)
    with pytest.raises(WrongState):
        command(told)
    assert new_events(told) == []


# --- Moves --------------------------------------------------------------------


@pytest.mark.parametrize(("was", "move", "becomes", "recorded"), LEGAL)
def test_a_legal_move_is_recorded(
    was: CampaignState, move: str, becomes: CampaignState, recorded: Fact
) -> None:
    told = in_state(was)
    MOVES[move](told)
    assert new_events(told) == [recorded]
    assert told.state is becomes


@pytest.mark.parametrize(("state", "move"), SILENT)
def test_a_move_to_the_present_state_records_nothing(
    state: CampaignState, move: str
) -> None:
    told = in_state(state)
    MOVES[move](told)
    assert new_events(told) == []


@pytest.mark.parametrize(("state", "move"), REFUSED)
def test_an_illegal_move_is_refused(state: CampaignState, move: str) -> None:
    told = in_state(state)
    with pytest.raises(WrongState):
        MOVES[move](told)
    assert new_events(told) == []
    assert told.state is state


@pytest.mark.parametrize(
    ("move", "recorded"), [("placed", started), ("ringing", running)]
)
@pytest.mark.parametrize("state", [CREATED, PAUSED, *OVER])
def test_a_placement_or_ringing_is_recorded_in_every_state(
    state: CampaignState, move: str, recorded: Callable[[CampaignState], Fact]
) -> None:
    told = in_state(state)
    MOVES[move](told)
    assert new_events(told) == [recorded(state)]
    assert (told.state, told.started_at is None) == (state, move == "ringing")


def test_ringing_before_the_placement_sets_the_campaign_running() -> None:
    told = in_state(QUEUED)
    MOVES["ringing"](told)
    MOVES["placed"](told)
    assert new_events(told) == [running(), started(RUNNING)]


def test_a_start_records_its_time() -> None:
    told = in_state(CREATED)
    MOVES["start"](told)
    assert (told.queued_at, told.started_at) == (AT, None)


@pytest.mark.parametrize("state", [QUEUED, DIALING, RUNNING])
def test_a_resumed_campaign_has_the_state_of_its_earlier_events(
    state: CampaignState,
) -> None:
    told = campaign(*PAST[state], WAS_PAUSED)
    MOVES["resume"](told)
    assert new_events(told) == [resumed(state)]
    assert (told.state, told.pause_cause) == (state, None)


def test_events_during_a_pause_decide_the_state_after_it() -> None:
    told = campaign(*PAST[PAUSED], started(PAUSED), running(PAUSED))
    MOVES["resume"](told)
    assert new_events(told) == [resumed(RUNNING)]


def test_a_pause_records_its_cause() -> None:
    told = in_state(RUNNING)
    line = RefusalScope.LINE
    told.pause(cause=PauseCause.ACCOUNT, scope=line, reason=WORDS, at=AT, by=BY)
    why = {"cause": PauseCause.ACCOUNT, "reason": WORDS, "scope": line}
    assert new_events(told) == [fact(Campaign.Paused, **why)]
    assert told.pause_cause is PauseCause.ACCOUNT


def test_a_second_pause_does_not_replace_the_first_cause() -> None:
    told = in_state(PAUSED)
    told.pause(cause=PauseCause.BUDGET, at=AT, by=BY)
    assert new_events(told) == []
    assert told.pause_cause is PauseCause.PERSON


@pytest.mark.parametrize("move", ["complete", "cancel", "fail"])
def test_a_finished_campaign_is_no_longer_paused(move: str) -> None:
    told = in_state(PAUSED)
    MOVES[move](told)
    assert (told.over, told.pause_cause) == (True, None)


def test_a_cancellation_records_whether_to_hang_up() -> None:
    told = in_state(RUNNING)
    told.cancel(hang_up=True, at=AT, by=BY)
    assert new_events(told) == [fact(Campaign.Canceled, hang_up=True)]


@pytest.mark.parametrize("state", PAST)
def test_only_a_started_campaign_may_dial(state: CampaignState) -> None:
    assert in_state(state).may_dial == (state in {QUEUED, DIALING, RUNNING})


# --- Money --------------------------------------------------------------------


def test_each_kind_of_spend_alert_is_raised_once() -> None:
    told = in_state(RUNNING)
    for alert in (*SpendAlert, *SpendAlert):
        raise_alert(told, alert)
    assert new_events(told) == [alerted(alert) for alert in SpendAlert]


def test_a_new_budget_can_raise_the_same_alert_again() -> None:
    told = campaign(
        *PAST[RUNNING], alerted(SpendAlert.LIMIT), changed(budget=Decimal(30))
    )
    raise_alert(told, SpendAlert.LIMIT, budget=30)
    assert new_events(told) == [alerted(SpendAlert.LIMIT, budget=30)]


@pytest.mark.parametrize("budget", [Decimal(30), None])
def test_no_alert_is_raised_for_a_former_budget(budget: Decimal | None) -> None:
    told = campaign(*PAST[RUNNING], changed(budget=budget))
    raise_alert(told, SpendAlert.LIMIT, budget=20)
    assert new_events(told) == []
