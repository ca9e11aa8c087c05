"""An independent computation of the shares, to check the policy against."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from uuid import UUID

from domain.calls.costs import FIRST_COST
from domain.dial_view import CampaignView, Phase
from domain.dispatching.plan_types import Plan
from domain.dispatching.policy import plan
from domain.values import (
    DialMode,
)
from tests.domain.dispatching.worlds import (
    DIALLED,
    NOW,
    World,
)
from tests.examples import examples

MANY = examples(40)


@dataclass
class JudgedPlan:
    """A plan with an independent computation of its shares."""

    world: World
    made: Plan
    given: Counter[UUID] = field(default_factory=Counter)

    @classmethod
    def of(cls, world: World) -> "JudgedPlan":
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
        """Return whether the common limits allow one more call if `freed` gets none."""
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
    """Return whether the last batch is still under way."""
    again = any(one.batch is not None for one in view.candidates)
    by_gate = sum(one.contacts for one in view.deferred_by_gate)
    held = view.active + view.ghosts + view.deferred - by_gate
    return view.batch is not None and (held > 0 or again)
