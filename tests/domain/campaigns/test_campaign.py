"""A campaign: its creation, lists, changes and spend alerts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.errors import Conflict, Invalid, WrongState
from domain.values import (
    CampaignState,
    campaign_id_of,
)
from tests.domain.campaigns.campaign_facts import (
    ASKED,
    AT,
    BY,
    CREATED,
    DIALING,
    LIST,
    NO_TERMS,
    NOT_DERIVED,
    OPEN,
    OTHER_LIST,
    OVER,
    PAST,
    QUEUED,
    RUNNING,
    WAS_CANCELED,
    WAS_CREATED,
    alerted,
    campaign,
    change,
    changed,
    fact,
    imported,
    in_state,
    raise_alert,
    take,
)
from tests.support import Fact, new_events

# --- Creation, lists and changes ------------------------------------------------------


def create(**own: Any) -> Campaign:
    campaign_id = campaign_id_of(LIST)
    return Campaign.create(campaign_id=campaign_id, at=AT, by=BY, **ASKED | own)


HOPELESS = ("-1", "NaN", "Infinity", "1e999999", "1e-999999", "1000000000000.01")


def test_a_campaign_is_created_as_asked() -> None:
    subject = create(name="  Spring ")
    assert new_events(subject) == [WAS_CREATED]
    assert (subject.id, subject.state) == (campaign_id_of(LIST), CREATED)
    assert (subject.started_at, subject.created_on) == (None, AT)


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
    subject = in_state(state)
    take(subject)
    assert new_events(subject) == [imported(LIST, 3, 3)]
    assert (subject.contacts, subject.state) == (3, state)


def test_a_second_list_adds_to_the_first() -> None:
    subject = campaign(WAS_CREATED, imported(LIST, 5, 5))
    take(subject, OTHER_LIST, starts_at=5)
    assert new_events(subject) == [imported(OTHER_LIST, 3, 8)]


def test_a_list_compared_with_fewer_contacts_is_refused() -> None:
    subject = campaign(WAS_CREATED, imported(LIST, 5, 5))
    with pytest.raises(Conflict):
        take(subject, OTHER_LIST, starts_at=0)
    assert new_events(subject) == []


@pytest.mark.parametrize("last", [(), (WAS_CANCELED,)], ids=["open", "canceled"])
def test_a_list_is_imported_once(last: tuple[Fact, ...]) -> None:
    subject = campaign(WAS_CREATED, imported(LIST, 3, 3), *last)
    take(subject)
    assert new_events(subject) == []


@pytest.mark.parametrize("state", OPEN)
def test_a_campaign_can_be_changed_until_it_is_finished(state: CampaignState) -> None:
    subject = in_state(state)
    change(subject, name=" Summer ", cap=2, line_quiet_gating=True, budget=None)
    new = {"name": "Summer", "cap": 2, "line_quiet_gating": True, "budget": None}
    assert new_events(subject) == [changed(**new)]
    assert {field: getattr(subject, field) for field in new} == new
    assert subject.created_as.name == "Spring"


@pytest.mark.parametrize("state", PAST)
def test_a_change_to_the_present_values_records_nothing(state: CampaignState) -> None:
    subject = in_state(state)
    change(subject)
    assert new_events(subject) == []


@pytest.mark.parametrize("state", OVER)
@pytest.mark.parametrize("command", [take, lambda subject: change(subject, cap=2)])
def test_a_finished_campaign_refuses_lists_and_changes(
    state: CampaignState, command: Callable[[Campaign], None]
) -> None:
    subject = in_state(state)
    with pytest.raises(WrongState):
        command(subject)
    assert new_events(subject) == []


LATER = AT + timedelta(days=1)


@pytest.mark.parametrize("state", [CREATED, QUEUED])
def test_the_start_can_be_changed_until_the_first_call(state: CampaignState) -> None:
    for command in STARTS_LATER:
        subject = in_state(state)
        command(subject)
        assert subject.terms.starts_at == LATER


@pytest.mark.parametrize("state", [DIALING, RUNNING])
def test_no_command_changes_the_start_after_the_first_call(
    state: CampaignState,
) -> None:
    for command in STARTS_LATER:
        subject = in_state(state)
        with pytest.raises(WrongState, match="first call was placed already"):
            command(subject)
        assert new_events(subject) == []


def test_the_end_can_be_changed_after_the_first_call() -> None:
    subject = in_state(RUNNING)
    change(subject, terms=replace(subject.terms, ends_at=LATER))
    assert (subject.terms.starts_at, subject.terms.ends_at) == (None, LATER)


STARTS_LATER: tuple[Callable[[Campaign], None], ...] = (
    lambda it: it.start_not_before(LATER, at=AT, by=BY),
    lambda it: change(it, terms=replace(it.terms, starts_at=LATER)),
)
"""Each command that can change the start."""

# --- Spend alerts ---------------------------------------------------------------------


def test_each_kind_of_spend_alert_is_raised_once() -> None:
    subject = in_state(RUNNING)
    for alert in (*SpendAlert, *SpendAlert):
        raise_alert(subject, alert)
    assert new_events(subject) == [alerted(alert) for alert in SpendAlert]


def test_a_new_budget_can_raise_the_same_alert_again() -> None:
    subject = campaign(
        *PAST[RUNNING], alerted(SpendAlert.LIMIT), changed(budget=Decimal(30))
    )
    raise_alert(subject, SpendAlert.LIMIT, budget=30)
    assert new_events(subject) == [alerted(SpendAlert.LIMIT, budget=30)]


@pytest.mark.parametrize("budget", [Decimal(30), None])
def test_no_alert_is_raised_for_a_former_budget(budget: Decimal | None) -> None:
    subject = campaign(*PAST[RUNNING], changed(budget=budget))
    raise_alert(subject, SpendAlert.LIMIT, budget=20)
    assert new_events(subject) == []
