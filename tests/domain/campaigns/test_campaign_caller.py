"""The assistant and the line of a campaign, and when they can be changed."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.campaign_terms import Caller
from domain.errors import Invalid, WrongState
from domain.values import CampaignState
from tests.domain.campaigns.campaign_facts import (
    ASKED,
    CREATED,
    PAST,
    PAUSED,
    campaign,
    change,
    changed,
    in_state,
)
from tests.support import new_events

FIRST = Caller(
    assistant_id=ASKED["assistant_id"],
    provider_assistant_id=ASKED["provider_assistant_id"],
    longest_call_seconds=ASKED["longest_call_seconds"],
    phone_number_id=ASKED["phone_number_id"],
)
CALLERS = st.builds(
    Caller,
    assistant_id=st.uuids(),
    provider_assistant_id=st.sampled_from(["a-1", "a-2"]),
    longest_call_seconds=st.integers(1, 3600),
    phone_number_id=st.sampled_from(["n-1", "n-2"]),
)
OTHER = Caller(UUID(int=7), "a-2", 60, "n-2")


@given(state=st.sampled_from([CREATED, PAUSED]), new=CALLERS)
def test_the_caller_can_be_changed_before_the_start_and_while_paused(
    state: CampaignState, new: Caller
) -> None:
    subject = in_state(state)
    change(subject, caller=new)
    assert new_events(subject) == [changed(caller=new)]
    assert subject.caller == new
    assert subject.created_as.phone_number_id == FIRST.phone_number_id
    assert subject.created_as.assistant_id == FIRST.assistant_id


@pytest.mark.parametrize("state", sorted(PAST.keys() - {CREATED, PAUSED}))
@pytest.mark.parametrize(
    "new",
    [replace(FIRST, phone_number_id="n-2"), replace(FIRST, assistant_id=UUID(int=7))],
)
def test_the_caller_cannot_be_changed_in_any_other_state(
    state: CampaignState, new: Caller
) -> None:
    subject = in_state(state)
    with pytest.raises(WrongState):
        change(subject, caller=new)
    assert new_events(subject) == []
    assert subject.caller == FIRST


@pytest.mark.parametrize("state", PAST)
def test_the_present_caller_can_be_named_in_every_state(state: CampaignState) -> None:
    subject = in_state(state)
    change(subject, caller=FIRST)
    assert new_events(subject) == []


def test_a_later_change_of_other_fields_leaves_the_caller() -> None:
    subject = campaign(*PAST[PAUSED], changed(caller=OTHER))
    change(subject, cap=2)
    assert new_events(subject) == [changed(cap=2)]
    assert subject.caller == OTHER


@pytest.mark.parametrize("line", ["", "  ", "x" * 1000])
def test_a_changed_line_must_be_named(line: str) -> None:
    subject = in_state(PAUSED)
    with pytest.raises(Invalid) as refused:
        change(subject, caller=replace(FIRST, phone_number_id=line))
    assert "phoneNumberId" in refused.value.fields
    assert new_events(subject) == []
