"""Which assistant a contact gets, and which comparisons are possible."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.arms import Arm, AssignedArm, assign_arm, check_arms, first_share
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import Caller
from domain.errors import Invalid, WrongState
from domain.values import CampaignState
from tests.domain.campaigns.campaign_facts import (
    ASKED,
    AT,
    BY,
    CREATED,
    PAST,
    PAUSED,
    WAS_CREATED,
    campaign,
    change,
    fact,
)
from tests.support import Fact

EXPERIMENT = UUID(int=5)


def arms(*shares: int) -> tuple[Arm, ...]:
    return tuple(
        Arm(UUID(int=number + 1), f"a-{number}", 600 + number, share)
        for number, share in enumerate(shares)
    )


def key(number: int) -> str:
    return f"{number:064x}"


def test_the_assignment_is_the_one_of_the_first_release_for_ever() -> None:
    drawn = [assign_arm(arms(30, 50, 20), EXPERIMENT, key(n)).number for n in range(20)]
    assert drawn == [2, 1, 0, 1, 0, 0, 0, 0, 1, 1, 2, 1, 2, 1, 2, 0, 1, 1, 1, 0]


@given(
    shares=st.lists(st.integers(1, 33), min_size=1, max_size=3),
    number=st.integers(0, 2**256 - 1),
    experiment=st.uuids(),
)
def test_a_number_keeps_its_arm_within_an_experiment(
    shares: list[int], number: int, experiment: UUID
) -> None:
    compared = arms(100 - sum(shares), *shares)
    first = assign_arm(compared, experiment, key(number))
    assert assign_arm(compared, experiment, key(number)) == first
    arm = compared[first.number]
    assert first == AssignedArm(
        first.number,
        arm.assistant_id,
        arm.provider_assistant_id,
        arm.longest_call_seconds,
    )


@pytest.mark.parametrize("shares", [(50, 50), (80, 20), (40, 30, 20, 10)])
def test_each_arm_gets_its_share_of_the_numbers(shares: tuple[int, ...]) -> None:
    drawn = [assign_arm(arms(*shares), EXPERIMENT, key(n)).number for n in range(4000)]
    for number, share in enumerate(shares):
        assert drawn.count(number) / 40 == pytest.approx(share, abs=3)


def test_another_experiment_draws_the_numbers_independently() -> None:
    compared = arms(50, 50)
    one, other = (
        [assign_arm(compared, id_, key(n)).number for n in range(1000)]
        for id_ in (EXPERIMENT, UUID(int=6))
    )
    agree = sum(a == b for a, b in zip(one, other, strict=True))
    assert 420 < agree < 580


@pytest.mark.parametrize(
    ("shares", "fault"),
    [
        ((10, 10, 10, 10), "at most 3"),
        ((0,), "at least 1 percent"),
        ((-5, 50), "at least 1 percent"),
        ((100,), "leave at least 1 percent"),
        ((50, 50), "leave at least 1 percent"),
    ],
)
def test_wrong_shares_are_refused_with_the_rule(
    shares: tuple[int, ...], fault: str
) -> None:
    with pytest.raises(Invalid, match=fault) as refused:
        first_share(shares)
    assert "arms" in refused.value.fields


def test_the_first_assistant_gets_the_rest() -> None:
    assert first_share((1, 2, 3)) == 94
    assert first_share((99,)) == 1


def test_an_assistant_cannot_be_compared_with_itself() -> None:
    first, second = arms(50, 50)
    with pytest.raises(Invalid, match="different"):
        check_arms((first, Arm(first.assistant_id, "a-0", 600, second.share)))


def compared_from_the_past(state: CampaignState) -> tuple[Fact, ...]:
    created, own = WAS_CREATED
    return ((created, own | {"arms": arms(50, 50)}), *PAST[state][1:])


def test_a_campaign_stores_its_arms_and_draws_within_its_own_experiment() -> None:
    made = Campaign.create(
        campaign_id=EXPERIMENT, at=AT, by=BY, arms=arms(50, 50), **ASKED
    )
    assert made.arms == arms(50, 50)
    assert made.arm_for(key(1)) == assign_arm(arms(50, 50), EXPERIMENT, key(1))


def test_a_campaign_continues_the_experiment_that_it_was_created_in() -> None:
    created, own = WAS_CREATED
    past = fact(created, **own | {"arms": arms(50, 50), "experiment_id": EXPERIMENT})
    drawn = [campaign(past).arm_for(key(n)) for n in range(20)]
    assert drawn == [assign_arm(arms(50, 50), EXPERIMENT, key(n)) for n in range(20)]


def test_a_campaign_without_a_comparison_has_no_arm() -> None:
    assert campaign(WAS_CREATED).arm_for(key(1)) is None


@pytest.mark.parametrize("state", [CREATED, PAUSED])
def test_compared_assistants_cannot_be_replaced_in_any_state(
    state: CampaignState,
) -> None:
    subject = campaign(*compared_from_the_past(state))
    with pytest.raises(WrongState, match="compares assistants"):
        change(subject, caller=Caller(UUID(int=9), "a-9", 60, "n-1"))


def test_the_line_of_a_comparison_can_be_changed_while_paused() -> None:
    subject = campaign(*compared_from_the_past(PAUSED))
    change(subject, caller=replace(subject.caller, phone_number_id="n-2"))
    assert subject.caller.phone_number_id == "n-2"
