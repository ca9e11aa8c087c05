"""Shares the slots of one pass: the demand of each campaign, and the common limits."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import heapify, heappop, heapreplace
from uuid import UUID

from domain.dial_view import CampaignView, Candidate, Phase, Snapshot
from domain.dispatching.costs import Expected, expected_of, reserved
from domain.dispatching.plan_types import Conditions, Waiting
from domain.values import ZERO, WaitingCode


@dataclass(frozen=True, slots=True)
class Demand:
    """The calls that one campaign could use in this pass, and their limits.

    barrier: why it may not call anybody, None if it may.
    room: free slots under its cap.
    affordable: further calls that its budget allows, None without a budget.
    cost: US dollars that one more call is expected to cost.
    batch: batch to which its claims belong, None in the mode CONTINUOUS.
    eligible: the contacts that may be claimed, in the order of their file.
    unknown: its requests without a clear answer.
    """

    view: CampaignView
    barrier: Waiting | None
    room: int
    affordable: int | None
    cost: Decimal
    batch: int | None
    eligible: tuple[Candidate, ...]
    unknown: int

    @property
    def id(self) -> UUID:
        """Id of the campaign."""
        return self.view.id

    @property
    def calls(self) -> int:
        """Number of calls that the campaign could use."""
        if self.barrier is not None:
            return 0
        bounds = [self.room, len(self.eligible)]
        return min(bounds if self.affordable is None else [*bounds, self.affordable])


@dataclass(frozen=True, slots=True)
class Money:
    """Expected costs, and reservations for calls without a final cost; US dollars."""

    expected: dict[UUID, Expected]
    reserved: Mapping[UUID, Decimal]
    reserved_today: Decimal

    @classmethod
    def of(cls, snapshot: Snapshot, now: datetime) -> "Money":
        """Estimate the costs of a snapshot's campaigns and open calls."""
        expected = {view.id: expected_of(view) for view in snapshot.campaigns}
        by_campaign: defaultdict[UUID, Decimal] = defaultdict(Decimal)
        today, reserved_today = now.astimezone(UTC).date(), ZERO
        for call in snapshot.calls:
            amount = reserved(call, expected.get(call.campaign_id, Expected()), now)
            by_campaign[call.campaign_id] += amount
            if call.claimed_at.astimezone(UTC).date() == today:
                reserved_today += amount
        return cls(expected, by_campaign, reserved_today)

    def affordable(self, view: CampaignView) -> int | None:
        """Return how many more calls the campaign's budget allows; None: any number."""
        if view.budget is None:
            return None
        headroom = view.budget - view.spend - self.reserved.get(view.id, ZERO)
        return max(int(headroom / self.expected[view.id].call), 0)

    def left_today(
        self, snapshot: Snapshot, daily_budget: Decimal | None
    ) -> Decimal | None:
        """Return the rest of the UTC day's budget less reservations; None: no limit."""
        if daily_budget is None:
            return None
        return daily_budget - snapshot.spent_today - self.reserved_today


@dataclass(slots=True)
class Remaining:
    """The common limits that are left in this pass.

    `slots` under the global cap, `requests` at the configured pace, requests for each
    slowed line, US dollars of `daily_budget` (None: no limit) until `midnight` (UTC).
    """

    slots: int
    requests: int
    lines: dict[str, int]
    daily_budget: Decimal | None
    midnight: datetime

    @classmethod
    def of(
        cls, snapshot: Snapshot, conditions: Conditions, money: Money
    ) -> "Remaining":
        """Compute what is left before the pass.

        Ghosts of campaigns that are over use slots too: they may be live.
        """
        used = sum(call.phase is not Phase.REPORTING for call in snapshot.calls)
        return cls(
            slots=max(conditions.global_cap - used, 0),
            requests=conditions.max_requests,
            lines=dict(conditions.line_limits),
            daily_budget=money.left_today(snapshot, conditions.daily_budget),
            midnight=_next_midnight(conditions.now),
        )

    def lacking_for(self, demand: Demand) -> WaitingCode | None:
        """Return why the campaign cannot get one more call, None if it can."""
        line = demand.view.phone_number_id
        if self.slots <= 0:
            return WaitingCode.GLOBAL_CAP_FULL
        if self.daily_budget is not None and self.daily_budget < demand.cost:
            return WaitingCode.DAILY_BUDGET_SPENT
        if self.lines.get(line, 1) <= 0:
            return WaitingCode.PROVIDER_BUSY
        return WaitingCode.RATE_LIMITED if self.requests <= 0 else None

    def take(self, demand: Demand) -> None:
        """Deduct one call of the campaign."""
        line = demand.view.phone_number_id
        self.slots -= 1
        self.requests -= 1
        if line in self.lines:
            self.lines[line] -= 1
        if self.daily_budget is not None:
            self.daily_budget -= demand.cost


def _next_midnight(now: datetime) -> datetime:
    day = now.astimezone(UTC) + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def share(demands: list[Demand], left: Remaining) -> dict[UUID, int]:
    """Give slots one by one, max-min fair over the slots in use; return the counts.

    Among campaigns that use equally many, the one that has waited longest since its
    last claim comes first. A free slot thus passes from campaign to campaign instead
    of returning to the one whose call has just ended.
    """
    shares = {demand.id: 0 for demand in demands}
    queue = [
        (demand.view.active + demand.view.ghosts, order, demand)
        for order, demand in enumerate(sorted(demands, key=_last_claim))
    ]
    heapify(queue)
    while queue:
        used, order, demand = queue[0]
        wants_more = shares[demand.id] < demand.calls
        if wants_more and left.lacking_for(demand) is None:
            left.take(demand)
            shares[demand.id] += 1
            heapreplace(queue, (used + 1, order, demand))
        else:
            heappop(queue)
    return shares


def _last_claim(demand: Demand) -> tuple[int, datetime, UUID]:
    """Sort by the last claim, campaigns without a claim first; then by age."""
    view = demand.view
    return view.claimed_position or 0, view.queued_at or view.created_at, demand.id
