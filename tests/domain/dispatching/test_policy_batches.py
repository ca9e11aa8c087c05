"""The policy dials batches one after another (property tests)."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.dial_view import CampaignView, Candidate, DeferredByGate
from domain.dispatching.plan_types import Plan
from domain.dispatching.policy import plan
from domain.values import DialMode, WaitingCode
from tests.domain.dispatching.plan_oracle import MANY, is_open
from tests.domain.dispatching.worlds import (
    NOW,
    World,
    a_snapshot,
    a_view,
    candidates,
    the_conditions,
    worlds,
)
from tests.examples import examples

# --- Batches -------------------------------------------------------------------------


@MANY
@given(worlds())
def test_a_batch_is_filled_to_its_cap_and_the_next_waits_for_its_end(
    world: World,
) -> None:
    made = plan(world.snapshot, world.conditions)
    for view in world.snapshot.campaigns:
        claims = [one for one in made.claims if one.campaign_id == view.id]
        if view.mode is DialMode.CONTINUOUS:
            assert {one.batch for one in claims} <= {None}
            continue
        fresh = [one for one in claims if not one.requeued]
        room = view.cap - view.batch_contacts if is_open(view) else view.cap
        assert len(fresh) <= max(room, 0)
        expected = view.batch if is_open(view) else (view.batch or 0) + 1
        assert {one.batch for one in claims} <= {expected}


@dataclass
class BatchLife:
    """A campaign in batches, lived through pass by pass."""

    cap: int
    waiting: list[int]
    live: dict[int, int] = field(default_factory=dict)
    deferred: dict[int, int] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)
    batch: int | None = None

    def view(self) -> CampaignView:
        known = {**self.live, **self.deferred, **self.over}
        again = [self.candidate(n, batch) for n, batch in self.deferred.items()]
        fresh = [self.candidate(n, None) for n in self.waiting]
        return a_view(
            mode=DialMode.BATCH,
            cap=self.cap,
            pending=len(again) + len(fresh),
            active=len(self.live),
            unreported=len(self.live),
            batch=self.batch,
            batch_contacts=sum(batch == self.batch for batch in known.values()),
            candidates=tuple(sorted(again + fresh, key=lambda c: c.contact_id)),
        )

    def candidate(self, number: int, batch: int | None) -> Candidate:
        [one] = candidates(UUID(int=1), 1, batch)
        named: Candidate = replace(one, contact_id=UUID(int=number))
        return named

    def take(self, made: Plan) -> None:
        for claim in made.claims:
            number = claim.contact_id.int
            assert claim.batch is not None
            was_in = self.deferred.pop(number, claim.batch)
            assert was_in == claim.batch, "a deferred contact stays in its batch"
            if number in self.waiting:
                self.waiting.remove(number)
            self.live[number] = self.batch = claim.batch


@examples(12)
@given(st.data(), st.integers(1, 4), st.integers(1, 12))
def test_batches_are_dialled_strictly_one_after_another(
    data: st.DataObject, cap: int, people: int
) -> None:
    life = BatchLife(cap=cap, waiting=list(range(people)))
    for _ in range(30):
        most = data.draw(st.integers(1, 4))
        life.take(plan(a_snapshot(life.view()), the_conditions(max_requests=most)))
        is_under_way = {*life.live.values(), *life.deferred.values()}
        assert len(is_under_way) <= 1, "no two batches at once"
        sizes = Counter([*life.over.values(), *life.live.values()])
        assert all(size <= cap for size in sizes.values())
        for number in data.draw(st.lists(st.sampled_from(sorted(life.live) or [-1]))):
            if number in life.live:
                where = data.draw(st.sampled_from([life.over, life.deferred]))
                where[number] = life.live.pop(number)


def test_a_batch_is_filled_further_in_the_next_pass() -> None:
    view = a_view(
        waiting=9,
        mode=DialMode.BATCH,
        cap=5,
        batch=1,
        batch_contacts=2,
        active=2,
        unreported=2,
    )
    made = plan(a_snapshot(view), the_conditions())
    assert [claim.batch for claim in made.claims] == [1, 1, 1]


def test_a_contact_that_the_gate_refuses_for_a_day_does_not_hold_its_batch() -> None:
    tomorrow = NOW + timedelta(days=1)
    view = a_view(
        waiting=9,
        mode=DialMode.BATCH,
        cap=5,
        batch=1,
        batch_contacts=5,
        deferred=2,
        deferred_by_gate=(DeferredByGate(WaitingCode.FREQUENCY_CAP, 2, tomorrow),),
    )
    made = plan(a_snapshot(view), the_conditions())
    assert [claim.batch for claim in made.claims] == [2, 2, 2, 2, 2]


def test_a_contact_whose_call_is_repeated_soon_holds_its_batch() -> None:
    view = a_view(
        waiting=9, mode=DialMode.BATCH, cap=5, batch=1, batch_contacts=5, deferred=1
    )
    assert plan(a_snapshot(view), the_conditions()).claims == ()
