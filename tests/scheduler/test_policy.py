"""What the policy promises, each promise checked against plans drawn by chance."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.costs import FIRST_COST
from domain.dial_view import CampaignView, Candidate, Phase
from domain.values import (
    CampaignState,
    DialMode,
    PauseCause,
    RefusalScope,
    WaitingCode,
)
from scheduler.plan_types import Plan, Verdict, Waiting
from scheduler.policy import plan
from tests.scheduler.worlds import (
    DIALLED,
    LINES,
    NOW,
    YESTERDAY,
    World,
    a_call,
    a_snapshot,
    a_view,
    candidates,
    the_conditions,
    worlds,
)

MANY = settings(max_examples=200)


@dataclass
class Judged:
    """A plan beside an independent account of what it gave to whom."""

    world: World
    made: Plan
    given: Counter[UUID] = field(default_factory=Counter)

    @classmethod
    def of(cls, world: World) -> "Judged":
        made = plan(world.snapshot, world.conditions)
        return cls(world, made, Counter(one.campaign_id for one in made.claims))

    @property
    def views(self) -> tuple[CampaignView, ...]:
        return self.world.snapshot.campaigns

    def cost(self, campaign_id: UUID) -> Decimal:
        for view in self.views:
            if view.id == campaign_id:
                known = view.costs_reported
                cautious = (view.spend + 10 * FIRST_COST) / (known + 10)
                mean = view.spend / known if known else cautious
                return max(cautious, mean).quantize(Decimal("0.0001"), ROUND_UP)
        return FIRST_COST

    def holds(self, view: CampaignView) -> int:
        return view.active + view.ghosts + self.given[view.id]

    # What is left of everything that is shared, after the plan.

    def slots(self) -> int:
        phases = Counter(call.phase for call in self.world.snapshot.calls)
        held = phases.total() - phases[Phase.REPORTING]
        return self.world.conditions.global_cap - held - self.given.total()

    def requests(self) -> int:
        return self.world.conditions.max_requests - self.given.total()

    def turns(self, line: str) -> int | None:
        allowed = self.world.conditions.line_limits.get(line)
        used = sum(self.given[v.id] for v in self.views if v.phone_number_id == line)
        return None if allowed is None else allowed - used

    def daily(self) -> Decimal | None:
        budget, snapshot = self.world.conditions.daily_budget, self.world.snapshot
        if budget is None:
            return None
        day = NOW.date()
        today = [call for call in snapshot.calls if call.claimed_at.date() == day]
        reserved = sum((self.cost(call.campaign_id) for call in today), Decimal(0))
        claimed = sum(
            (self.cost(id_) * count for id_, count in self.given.items()), Decimal(0)
        )
        return budget - snapshot.spent_today - reserved - claimed

    # Whether one more would have been right.

    def wants_more(self, view: CampaignView) -> bool:
        return (
            view.state in DIALLED
            and not self.is_barred(view)
            and self.holds(view) < view.cap
            and self.has_another(view)
            and self.can_afford(view, self.given[view.id] + 1)
        )

    def is_barred(self, view: CampaignView) -> bool:
        conditions = self.world.conditions
        is_busy = view.phone_number_id in conditions.busy_lines
        waits = is_busy and view.id not in conditions.filling
        return (
            self.world.snapshot.duplicates_open
            or conditions.provider_down is not None
            or (view.line_quiet_gating and waits)
        )

    def has_another(self, view: CampaignView) -> bool:
        again = [one for one in view.candidates if one.batch is not None]
        fresh = len(view.candidates) - len(again)
        if view.mode is DialMode.BATCH:
            if is_open(view):
                fresh = min(fresh, max(view.cap - view.batch_contacts, 0))
            else:
                fresh = min(fresh, view.cap)
        return self.given[view.id] < len(again) + fresh

    def can_afford(self, view: CampaignView, calls: int) -> bool:
        if view.budget is None:
            return True
        expected = (view.unreported + calls) * self.cost(view.id)
        return view.spend + expected <= view.budget or self.cost(view.id) == 0

    def lets_in(self, view: CampaignView, freed: CampaignView | None = None) -> bool:
        """Whether what is shared has one more, should `freed` give one back."""
        back = 1 if freed else 0
        turns, daily = self.turns(view.phone_number_id), self.daily()
        same_line = freed is not None and freed.phone_number_id == view.phone_number_id
        money_back = self.cost(freed.id) if freed else Decimal(0)
        return (
            self.slots() + back > 0
            and self.requests() + back > 0
            and (turns is None or turns + same_line > 0)
            and (daily is None or daily + money_back >= self.cost(view.id))
        )


def is_open(view: CampaignView) -> bool:
    """Whether the batch that was opened last is not over."""
    again = any(one.batch is not None for one in view.candidates)
    held = view.active + view.ghosts + view.deferred
    return view.batch is not None and (held > 0 or again)


# --- Never too much ------------------------------------------------------------------


@MANY
@given(worlds())
def test_no_campaign_exceeds_its_cap(world: World) -> None:
    judged = Judged.of(world)
    for view in judged.views:
        assert judged.given[view.id] == 0 or judged.holds(view) <= view.cap


@MANY
@given(worlds())
def test_all_campaigns_together_stay_under_the_global_cap(world: World) -> None:
    judged = Judged.of(world)
    assert judged.given.total() == 0 or judged.slots() >= 0


@MANY
@given(worlds())
def test_no_more_is_claimed_than_can_be_requested(world: World) -> None:
    judged = Judged.of(world)
    assert judged.requests() >= 0
    for line in LINES:
        turns = judged.turns(line)
        assert turns is None or turns >= 0


@MANY
@given(worlds())
def test_what_is_spent_and_reserved_stays_within_every_budget(world: World) -> None:
    judged = Judged.of(world)
    for view in judged.views:
        given_ = judged.given[view.id]
        assert given_ == 0 or judged.can_afford(view, given_)
    daily = judged.daily()
    assert daily is None or judged.given.total() == 0 or daily >= 0


@MANY
@given(worlds())
def test_nobody_is_claimed_where_something_bars_it(world: World) -> None:
    judged = Judged.of(world)
    for view in judged.views:
        if view.state not in DIALLED or judged.is_barred(view):
            assert judged.given[view.id] == 0


@MANY
@given(worlds())
def test_who_is_claimed_was_a_candidate_in_the_files_order(world: World) -> None:
    made = plan(world.snapshot, world.conditions)
    for view in world.snapshot.campaigns:
        claimed = [c.contact_id for c in made.claims if c.campaign_id == view.id]
        listed = [one.contact_id for one in view.candidates]
        assert claimed == listed[: len(claimed)]


# --- Never too little, and fairly ----------------------------------------------------


@MANY
@given(worlds())
def test_no_slot_stays_free_while_somebody_could_be_called(world: World) -> None:
    judged = Judged.of(world)
    for view in judged.views:
        assert not (judged.wants_more(view) and judged.lets_in(view))


@MANY
@given(worlds())
def test_nobody_could_get_more_but_from_one_who_holds_no_more(world: World) -> None:
    judged = Judged.of(world)
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
    judged = Judged.of(world)
    verdicts = {verdict.campaign_id: verdict for verdict in judged.made.verdicts}
    assert verdicts.keys() == {view.id for view in judged.views}
    for view in judged.views:
        verdict = verdicts[view.id]
        assert verdict.placed == judged.given[view.id]
        named = sum(reason.contacts for reason in verdict.reasons)
        assert verdict.placed + named == view.pending
        assert all(reason.contacts > 0 for reason in verdict.reasons)
        assert all(reason.message for reason in verdict.reasons)


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


@settings(MANY, max_examples=25)
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


def test_a_batch_goes_on_being_filled_in_the_next_pass() -> None:
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


# --- Single reasons, in words --------------------------------------------------------


def verdict_of(view: CampaignView, **conditions: object) -> Verdict:
    made = plan(a_snapshot(view), the_conditions(**conditions))
    [verdict] = made.verdicts
    return verdict


@pytest.mark.parametrize(
    ("view", "conditions", "code"),
    [
        (a_view(waiting=9, cap=4), {}, WaitingCode.CAP_FULL),
        (a_view(waiting=9), {"global_cap": 4}, WaitingCode.GLOBAL_CAP_FULL),
        (a_view(waiting=9), {"max_requests": 4}, WaitingCode.RATE_LIMITED),
        (a_view(waiting=9), {"line_limits": {LINES[0]: 4}}, WaitingCode.PROVIDER_BUSY),
        (a_view(waiting=9, budget=Decimal(1)), {}, WaitingCode.BUDGET_SPENT),
        (
            a_view(waiting=9),
            {"daily_budget": Decimal(1)},
            WaitingCode.DAILY_BUDGET_SPENT,
        ),
        (
            a_view(waiting=4, pending=9, deferred=5, next_due_at=NOW),
            {},
            WaitingCode.RETRY_LATER,
        ),
        (
            a_view(waiting=9, cap=4, mode=DialMode.BATCH),
            {},
            WaitingCode.CAP_FULL,
        ),
        (
            a_view(
                waiting=4,
                pending=9,
                cap=8,
                mode=DialMode.BATCH,
                batch=2,
                batch_contacts=4,
                active=1,
                unreported=1,
            ),
            {},
            WaitingCode.BATCH_UNDER_WAY,
        ),
    ],
)
def test_what_bounds_a_plan_is_named(
    view: CampaignView, conditions: dict[str, object], code: WaitingCode
) -> None:
    verdict = verdict_of(view, **conditions)
    assert verdict.placed == 4
    assert [(why.code, why.contacts) for why in verdict.reasons] == [(code, 5)]


@pytest.mark.parametrize(
    ("view", "conditions", "code"),
    [
        (
            a_view(waiting=3, state=CampaignState.PAUSED),
            {},
            WaitingCode.PAUSED,
        ),
        (
            a_view(waiting=3, line_quiet_gating=True),
            {"busy_lines": frozenset(LINES[:1])},
            WaitingCode.LINE_BUSY,
        ),
        (a_view(waiting=3), {"provider_down": "no route"}, WaitingCode.PROVIDER_DOWN),
        (
            a_view(waiting=3),
            {
                "claiming_blocked": Waiting(
                    WaitingCode.OUTCOME_UNKNOWN, "It is looked for."
                )
            },
            WaitingCode.OUTCOME_UNKNOWN,
        ),
        (
            a_view(waiting=3, start_failures=10, start_failure="call.start.error-x"),
            {},
            WaitingCode.PAUSED,
        ),
    ],
)
def test_what_bars_a_campaign_is_named_alone(
    view: CampaignView, conditions: dict[str, object], code: WaitingCode
) -> None:
    verdict = verdict_of(view, **conditions)
    assert [(why.code, why.contacts) for why in verdict.reasons] == [(code, 3)]


def test_ten_calls_in_a_row_that_rang_nobody_pause_their_campaign_alone() -> None:
    tenth = {"start_failures": 10, "start_failure": "call.start.error-get-transport"}
    failing, other = a_view(1, waiting=2, **tenth), a_view(2, waiting=2)
    made = plan(a_snapshot(failing, other), the_conditions())
    [pause] = made.pauses
    assert (pause.campaign_id, pause.cause) == (
        failing.id,
        PauseCause.PROVIDER_REFUSALS,
    )
    assert "call.start.error-get-transport" in pause.message
    assert {one.campaign_id for one in made.claims} == {other.id}


def test_nine_calls_in_a_row_that_rang_nobody_pause_nobody() -> None:
    made = plan(a_snapshot(a_view(waiting=2, start_failures=9)), the_conditions())
    assert (made.pauses, len(made.claims)) == ((), 2)


def test_a_duplicate_bars_every_campaign() -> None:
    first, second = a_view(1, waiting=2), a_view(2, waiting=2)
    snapshot = a_snapshot(first, second, duplicates_open=True)
    made = plan(snapshot, the_conditions())
    assert made.claims == ()
    codes = {why.code for one in made.verdicts for why in one.reasons}
    assert codes == {WaitingCode.DUPLICATE_DETECTED}


def test_slots_of_unknown_outcome_are_told_from_live_ones() -> None:
    view = a_view(waiting=5, cap=3, active=3, unreported=3)
    phases = (Phase.UNKNOWN, Phase.PLACED, Phase.PLACED)
    calls = tuple(a_call(n, view.id, phase) for n, phase in enumerate(phases))
    [verdict] = plan(a_snapshot(view, calls=calls), the_conditions()).verdicts
    assert [(why.code, why.contacts) for why in verdict.reasons] == [
        (WaitingCode.OUTCOME_UNKNOWN, 1),
        (WaitingCode.CAP_FULL, 4),
    ]


def test_the_day_s_budget_is_waited_for_until_midnight_utc() -> None:
    verdict = verdict_of(a_view(waiting=5), daily_budget=Decimal(0))
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    assert [why.until for why in verdict.reasons] == [midnight]


def test_ghosts_of_a_campaign_that_is_over_hold_global_room() -> None:
    view = a_view(waiting=5)
    ghosts = tuple(a_call(n, UUID(int=99), Phase.GHOST) for n in range(3))
    made = plan(a_snapshot(view, calls=ghosts), the_conditions(global_cap=4))
    assert len(made.claims) == 1


@pytest.mark.parametrize(("unreported", "pauses"), [(0, [PauseCause.BUDGET]), (1, [])])
def test_a_budget_pauses_once_it_is_spent_not_while_it_is_reserved(
    unreported: int, pauses: list[PauseCause]
) -> None:
    view = a_view(
        waiting=5,
        budget=Decimal(1),
        spend=Decimal("0.90"),
        costs_reported=3,
        unreported=unreported,
    )
    made = plan(a_snapshot(view), the_conditions())
    assert made.claims == ()
    assert [pause.cause for pause in made.pauses] == pauses
    [verdict] = made.verdicts
    assert verdict.reasons[0].code is WaitingCode.BUDGET_SPENT


def test_a_deferred_call_is_requested_again_not_made_anew() -> None:
    fresh, again = candidates(UUID(int=1), 1), candidates(UUID(int=1), 1, batch=1)
    view = a_view(pending=2, candidates=(*again, *fresh))
    made = plan(a_snapshot(view), the_conditions())
    assert [claim.requeued for claim in made.claims] == [True, False]


# --- Refusals -----------------------------------------------------------------------


def test_a_line_that_the_provider_does_not_show_stops_only_its_campaigns() -> None:
    here, there = a_view(1, waiting=2), a_view(2, waiting=2, phone_number_id=LINES[1])
    conditions = the_conditions(lines_down={LINES[0]: "500: odd"})
    made = plan(a_snapshot(here, there), conditions)
    assert {one.campaign_id for one in made.claims} == {there.id}
    [reason] = made.verdicts[0].reasons
    assert reason.code is WaitingCode.PROVIDER_DOWN
    assert "500: odd" in reason.message


def test_a_campaign_pauses_for_a_refusal_that_another_one_met() -> None:
    scope = RefusalScope.LINE
    view = a_view(waiting=2, account_scope=scope, account_refusal="404: no line")
    made = plan(a_snapshot(view), the_conditions())
    [pause] = made.pauses
    assert (pause.cause, pause.scope) == (PauseCause.ACCOUNT, RefusalScope.LINE)
    assert pause.message == "404: no line"
    assert made.claims == ()
