"""The policy shares slots within all limits, completely and fairly (property tests)."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.dispatching.policy import plan
from tests.domain.dispatching.plan_oracle import MANY, JudgedPlan
from tests.domain.dispatching.worlds import (
    DIALLED,
    LINES,
    NOW,
    YESTERDAY,
    World,
    a_snapshot,
    a_view,
    the_conditions,
    worlds,
)

# --- Never too much ------------------------------------------------------------------


@MANY
@given(worlds())
def test_no_campaign_exceeds_its_cap(world: World) -> None:
    judged = JudgedPlan.of(world)
    for view in judged.views:
        assert judged.given[view.id] == 0 or judged.holds(view) <= view.cap


@MANY
@given(worlds())
def test_all_campaigns_together_stay_under_the_global_cap(world: World) -> None:
    judged = JudgedPlan.of(world)
    assert judged.given.total() == 0 or judged.slots() >= 0


@MANY
@given(worlds())
def test_no_more_is_claimed_than_can_be_requested(world: World) -> None:
    judged = JudgedPlan.of(world)
    assert judged.requests() >= 0
    for line in LINES:
        turns = judged.turns(line)
        assert turns is None or turns >= 0


@MANY
@given(worlds())
def test_spend_and_reservations_stay_within_every_budget(world: World) -> None:
    judged = JudgedPlan.of(world)
    for view in judged.views:
        given_ = judged.given[view.id]
        assert given_ == 0 or judged.can_afford(view, given_)
    daily = judged.daily()
    assert daily is None or judged.given.total() == 0 or daily >= 0


@MANY
@given(worlds())
def test_a_barred_campaign_claims_no_contacts(world: World) -> None:
    judged = JudgedPlan.of(world)
    for view in judged.views:
        if view.state not in DIALLED or judged.is_barred(view):
            assert judged.given[view.id] == 0


@MANY
@given(worlds())
def test_claims_follow_the_order_of_the_candidates(world: World) -> None:
    made = plan(world.snapshot, world.conditions)
    for view in world.snapshot.campaigns:
        claimed = [c.contact_id for c in made.claims if c.campaign_id == view.id]
        listed = [one.contact_id for one in view.candidates]
        assert claimed == listed[: len(claimed)]


# --- Never too little, and fairly ----------------------------------------------------


@MANY
@given(worlds())
def test_no_slot_stays_free_while_somebody_could_be_called(world: World) -> None:
    judged = JudgedPlan.of(world)
    for view in judged.views:
        assert not (judged.wants_more(view) and judged.lets_in(view))


@MANY
@given(worlds())
def test_shares_differ_by_one_at_most_if_a_slot_could_be_moved(
    world: World,
) -> None:
    judged = JudgedPlan.of(world)
    for poor in filter(judged.wants_more, judged.views):
        for rich in judged.views:
            more = judged.holds(rich) - judged.holds(poor) > 1
            could_give = judged.given[rich.id] > 0 and judged.lets_in(poor, rich)
            assert not (more and could_give)


def test_the_remainder_goes_to_the_oldest_of_those_that_never_claimed() -> None:
    young = a_view(1, waiting=5, queued_at=NOW)
    old = a_view(2, waiting=5, queued_at=YESTERDAY)
    made = plan(a_snapshot(young, old), the_conditions(global_cap=3))
    shares = Counter(claim.campaign_id for claim in made.claims)
    assert shares == {old.id: 2, young.id: 1}


def test_the_remainder_goes_to_the_campaign_that_has_waited_longest() -> None:
    old = a_view(1, waiting=5, queued_at=YESTERDAY, claimed_position=80)
    young = a_view(2, waiting=5, queued_at=NOW, claimed_position=70)
    made = plan(a_snapshot(old, young), the_conditions(global_cap=1))
    assert [claim.campaign_id for claim in made.claims] == [young.id]


@dataclass
class Rotation:
    """Campaigns with endless contacts that share fewer slots than there are campaigns.

    `skipped` counts the claims of others since each campaign was last served or became
    able to claim.
    """

    campaigns: int
    slots: int
    live: list[UUID] = field(default_factory=list)
    last: dict[UUID, int] = field(default_factory=dict)
    skipped: Counter[UUID] = field(default_factory=Counter)
    position: int = 100

    def step(self, ended: set[int]) -> set[UUID]:
        """End the calls in these slots, plan once; return the campaigns served."""
        self.live = [id_ for slot, id_ in enumerate(self.live) if slot not in ended]
        held = Counter(self.live)
        views = [
            a_view(
                number,
                waiting=3,
                queued_at=YESTERDAY + timedelta(minutes=number),
                active=held[UUID(int=number)],
                unreported=held[UUID(int=number)],
                claimed_position=self.last.get(UUID(int=number)),
            )
            for number in range(1, self.campaigns + 1)
        ]
        made = plan(a_snapshot(*views), the_conditions(global_cap=self.slots))
        for claim in made.claims:
            self._claim(claim.campaign_id, {view.id for view in views})
        return {claim.campaign_id for claim in made.claims}

    def _claim(self, served: UUID, all_: set[UUID]) -> None:
        self.position += 1
        self.last[served] = self.position
        self.live.append(served)
        for waiting in all_ - set(self.live):
            self.skipped[waiting] += 1
        self.skipped[served] = 0


@MANY
@given(st.data(), st.integers(1, 5), st.integers(1, 12))
def test_no_campaign_is_passed_over_by_more_than_one_call_of_each_other(
    data: st.DataObject, slots: int, more: int
) -> None:
    rotation = Rotation(campaigns=slots + more, slots=slots)
    for _ in range(20):
        rotation.step(data.draw(st.sets(st.integers(0, slots - 1))))
        assert max(rotation.skipped.values()) < rotation.campaigns


@MANY
@given(st.integers(1, 6), st.integers(1, 30))
def test_all_campaigns_are_served_within_their_number_over_the_slots(
    slots: int, more: int
) -> None:
    campaigns = slots + more
    rotation, turns = Rotation(campaigns, slots), -(-campaigns // slots)
    passes = [rotation.step(ended=set(range(slots))) for _ in range(3 * turns)]
    for first in range(2 * turns + 1):
        assert len(set[UUID]().union(*passes[first : first + turns])) == campaigns


# --- Why not -------------------------------------------------------------------------


@MANY
@given(worlds())
def test_the_claims_and_the_reasons_account_for_all_who_wait(world: World) -> None:
    judged = JudgedPlan.of(world)
    verdicts = {verdict.campaign_id: verdict for verdict in judged.made.verdicts}
    assert verdicts.keys() == {view.id for view in judged.views}
    for view in judged.views:
        verdict = verdicts[view.id]
        assert verdict.placed == judged.given[view.id]
        named = sum(reason.contacts for reason in verdict.reasons)
        assert verdict.placed + named == view.pending
        assert all(reason.contacts > 0 for reason in verdict.reasons)
        assert all(reason.message for reason in verdict.reasons)
