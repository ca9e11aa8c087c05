"""Whom to call next, and why not the others: a pure function of one snapshot.

Read it as the specification. A plan holds the claims of one pass and, for every
campaign, what the pass found: claims + contacts of the reasons = pending.

1. A campaign that is paused, or that something bars, asks for nothing.
2. Of its contacts those are eligible whose turn it is, in the file's order: in
   batches, only those of the batch that is open.
3. It asks for as many as fit under its cap and its budget. Ghosts hold room; calls
   whose cost is not final hold money, as `scheduler/costs.py` estimates it.
4. What all share (the global cap, the day's budget, the pace, the turns of a line that
   refuses) is given one by one to the campaign that holds the fewest calls;
   among equals, to the one that has waited longest since its last claim.
5. Whoever is left over is told why.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import heapify, heappop, heapreplace
from uuid import UUID

from domain.dial_view import CampaignView, Candidate, Phase, PlannedCall, Snapshot
from domain.states import MAY_DIAL, STARTED
from domain.values import (
    ZERO,
    CampaignState,
    DialMode,
    PauseCause,
    RefusalScope,
    WaitingCode,
)
from scheduler.costs import Expected, expected_of, reserved

MOST_START_FAILURES = 10
"""Contacts refused in a row, after which a campaign is paused."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Contacts that this pass leaves pending, and why, in an operator's words."""

    code: WaitingCode
    message: str
    contacts: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the loop knows beside the snapshot.

    `most` calls may be requested in this pass, `lines` names fewer for lines that the
    provider slowed down. `busy_lines` had a live call, ours or not, when the fill
    began; `filling` are the campaigns whose fill was open before. `lines_down` gives
    for a line why the provider does not show its calls; nobody is called from it.
    `barred` says why nobody at all may be called yet.
    """

    now: datetime
    global_cap: int
    most: int
    lines: Mapping[str, int]
    busy_lines: frozenset[str] = frozenset()
    filling: frozenset[UUID] = frozenset()
    daily_budget: Decimal | None = None
    provider_down: str | None = None
    lines_down: Mapping[str, str] = field(default_factory=dict)
    barred: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pass found for one campaign; `room` before anything was claimed."""

    campaign_id: UUID
    room: int
    placed: int
    reasons: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """A campaign that cannot go on until a person does something."""

    campaign_id: UUID
    cause: PauseCause
    message: str
    scope: RefusalScope | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    claims: tuple[PlannedCall, ...]
    verdicts: tuple[Verdict, ...]
    pauses: tuple[Pause, ...]


def plan(snapshot: Snapshot, conditions: Conditions) -> Plan:
    """Fill the free slots fairly: the campaign that holds the fewest comes first."""
    views = [view for view in snapshot.campaigns if view.state in STARTED]
    unknown = Counter(
        call.campaign_id for call in snapshot.calls if call.phase is Phase.UNKNOWN
    )
    money = _Money.of(snapshot, conditions.now)
    asks = [_ask(view, snapshot, conditions, unknown[view.id], money) for view in views]
    left = _left(snapshot, conditions, money)
    shares = _share([ask for ask in asks if ask.wants > 0], left)
    return Plan(
        claims=tuple(
            chosen for ask in asks for chosen in _chosen(ask, shares.get(ask.id, 0))
        ),
        verdicts=tuple(_verdict(ask, shares.get(ask.id, 0), left) for ask in asks),
        pauses=tuple(pause for ask in asks if (pause := _pause(ask)) is not None),
    )


# --- What each campaign asks for ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one campaign could use of this pass, and what bounds it."""

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
        return self.view.id

    @property
    def wants(self) -> int:
        if self.barrier is not None:
            return 0
        bounds = [self.room, len(self.eligible)]
        return min(bounds if self.affordable is None else [*bounds, self.affordable])


def _ask(
    view: CampaignView,
    snapshot: Snapshot,
    conditions: Conditions,
    unknown: int,
    money: "_Money",
) -> _Ask:
    batch, eligible = _batch(view)
    return _Ask(
        view=view,
        barrier=_barrier(view, snapshot, conditions),
        room=max(view.cap - view.active - view.ghosts, 0),
        affordable=money.affordable(view),
        cost=money.expected[view.id].call,
        batch=batch,
        eligible=eligible,
        unknown=unknown,
    )


def _barrier(
    view: CampaignView, snapshot: Snapshot, conditions: Conditions
) -> Waiting | None:
    """Say what keeps a campaign from any call at all, whatever room there is."""
    cause = _cause_of_pause(view)
    if cause is not None:
        return Waiting(WaitingCode.PAUSED, PAUSED[cause])
    duplicate = _duplicate(view, snapshot)
    if duplicate is not None:
        return Waiting(WaitingCode.DUPLICATE_DETECTED, duplicate)
    down = _provider_down(view, conditions)
    if down is not None:
        return Waiting(WaitingCode.PROVIDER_DOWN, down)
    if conditions.barred is not None:
        return conditions.barred
    if _waits_for_quiet(view, conditions):
        return Waiting(WaitingCode.LINE_BUSY, LINE_BUSY)
    return None


def _provider_down(view: CampaignView, conditions: Conditions) -> str | None:
    """Say why the provider cannot be asked, at all or for the campaign's line."""
    if conditions.provider_down is not None:
        return f"The provider cannot be reached: {conditions.provider_down}"
    why = conditions.lines_down.get(view.phone_number_id)
    return None if why is None else f"The provider does not show this line: {why}"


def _duplicate(view: CampaignView, snapshot: Snapshot) -> str | None:
    """Return why a duplicate call keeps the campaign from calling, if one does.

    A duplicate that the provider shows stops every campaign, a suspicion only its own.
    """
    if snapshot.duplicates_open:
        return DUPLICATE
    if any(one.campaign_id == view.id for one in snapshot.suspected):
        return SUSPECTED
    return None


def _cause_of_pause(view: CampaignView) -> PauseCause | None:
    """Name it, also where this very plan is to pause the campaign."""
    if view.state is CampaignState.PAUSED:
        return view.pause_cause or PauseCause.PERSON
    if view.account_refusal is not None:
        return PauseCause.ACCOUNT
    return PauseCause.PROVIDER_REFUSALS if _starts_fail(view) else None


def _starts_fail(view: CampaignView) -> bool:
    return view.start_failures >= MOST_START_FAILURES


def _waits_for_quiet(view: CampaignView, conditions: Conditions) -> bool:
    """A fill opens on a quiet line only; once open, its own calls do not close it."""
    return (
        view.line_quiet_gating
        and view.phone_number_id in conditions.busy_lines
        and view.id not in conditions.filling
    )


PAUSED = {
    PauseCause.PERSON: "The campaign is paused: resume it to go on.",
    PauseCause.BUDGET: "The budget is spent: raise it, then resume.",
    PauseCause.ACCOUNT: "The provider refused the account: mend that, then resume.",
    PauseCause.PROVIDER_REFUSALS: "The provider refused in a row: see why, resume.",
    PauseCause.DUPLICATE_DETECTED: "A call was found twice: look at it, then resume.",
}

DUPLICATE = (
    "A call was found twice at the provider: an admin must look, then allow requests."
)

SUSPECTED = (
    "A webhook names a second call for one of this campaign's calls:"
    " waiting until the provider confirms or denies it."
)

LINE_BUSY = (
    "A call is live on the line, or the provider does not tell: waiting for quiet."
)


def _batch(view: CampaignView) -> tuple[int | None, tuple[Candidate, ...]]:
    """Return the batch that claims belong to, and who may be claimed for it.

    A batch opens when no call of the last one is open and holds up to `cap`
    contacts; whoever was deferred or is due again still belongs to the last one.
    """
    if view.mode is DialMode.CONTINUOUS:
        return None, view.candidates
    again = tuple(one for one in view.candidates if one.batch is not None)
    fresh = tuple(one for one in view.candidates if one.batch is None)
    is_open = view.active + view.ghosts + view.deferred + len(again) > 0
    if view.batch is None or not is_open:
        return (view.batch or 0) + 1, fresh[: view.cap]
    return view.batch, again + fresh[: max(view.cap - view.batch_contacts, 0)]


@dataclass(frozen=True, slots=True)
class _Money:
    """What calls are expected to cost, and hold; US dollars by campaign."""

    expected: dict[UUID, Expected]
    held: Mapping[UUID, Decimal]
    held_today: Decimal

    @classmethod
    def of(cls, snapshot: Snapshot, now: datetime) -> "_Money":
        expected = {view.id: expected_of(view) for view in snapshot.campaigns}
        held: defaultdict[UUID, Decimal] = defaultdict(Decimal)
        today, held_today = now.astimezone(UTC).date(), ZERO
        for call in snapshot.calls:
            amount = reserved(call, expected.get(call.campaign_id, Expected()), now)
            held[call.campaign_id] += amount
            if call.claimed_at.astimezone(UTC).date() == today:
                held_today += amount
        return cls(expected, held, held_today)

    def affordable(self, view: CampaignView) -> int | None:
        """Return how many more calls the budget allows; None is any number."""
        if view.budget is None:
            return None
        headroom = view.budget - view.spend - self.held.get(view.id, ZERO)
        return max(int(headroom / self.expected[view.id].call), 0)


# --- What all of them share ---------------------------------------------------------


@dataclass(slots=True)
class _Left:
    """What can still be given in this pass; None is no limit."""

    slots: int
    requests: int
    lines: dict[str, int]
    daily: Decimal | None
    midnight: datetime

    def lacks(self, ask: _Ask) -> WaitingCode | None:
        line = ask.view.phone_number_id
        if self.slots <= 0:
            return WaitingCode.GLOBAL_CAP_FULL
        if self.daily is not None and self.daily < ask.cost:
            return WaitingCode.DAILY_BUDGET_SPENT
        if self.lines.get(line, 1) <= 0:
            return WaitingCode.PROVIDER_BUSY
        return WaitingCode.RATE_LIMITED if self.requests <= 0 else None

    def take(self, ask: _Ask) -> None:
        line = ask.view.phone_number_id
        self.slots -= 1
        self.requests -= 1
        if line in self.lines:
            self.lines[line] -= 1
        if self.daily is not None:
            self.daily -= ask.cost


def _left(snapshot: Snapshot, conditions: Conditions, money: _Money) -> _Left:
    # Of campaigns that are over, too: their ghosts may be live as well as any.
    held = sum(call.phase is not Phase.REPORTING for call in snapshot.calls)
    return _Left(
        slots=max(conditions.global_cap - held, 0),
        requests=conditions.most,
        lines=dict(conditions.lines),
        daily=_daily(snapshot, conditions, money),
        midnight=_midnight(conditions.now),
    )


def _midnight(now: datetime) -> datetime:
    day = now.astimezone(UTC) + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _daily(snapshot: Snapshot, conditions: Conditions, money: _Money) -> Decimal | None:
    """Return what the UTC day has left beside today's calls without a final cost."""
    if conditions.daily_budget is None:
        return None
    return conditions.daily_budget - snapshot.spent_today - money.held_today


def _share(asks: list[_Ask], left: _Left) -> dict[UUID, int]:
    """Give slots one by one, max-min fair over the calls held.

    Among campaigns that hold equally many, the one that has waited longest since its
    last claim comes first. A slot that became free thus goes round all campaigns that
    wait, instead of returning to the campaign whose call has just ended.
    """
    shares = {ask.id: 0 for ask in asks}
    queue = [
        (ask.view.active + ask.view.ghosts, order, ask)
        for order, ask in enumerate(sorted(asks, key=_turn))
    ]
    heapify(queue)
    while queue:
        held, order, ask = queue[0]
        if shares[ask.id] < ask.wants and left.lacks(ask) is None:
            left.take(ask)
            shares[ask.id] += 1
            heapreplace(queue, (held + 1, order, ask))
        else:
            heappop(queue)
    return shares


def _turn(ask: _Ask) -> tuple[int, datetime, UUID]:
    """Order by the last claim, campaigns without any first; then by age."""
    view = ask.view
    return view.claimed_position or 0, view.queued_at or view.created_at, ask.id


def _chosen(ask: _Ask, share: int) -> list[PlannedCall]:
    return [
        PlannedCall(
            campaign_id=ask.id,
            contact_id=candidate.contact_id,
            attempt=candidate.attempt,
            requeued=candidate.call_id is not None,
            batch=ask.batch,
        )
        for candidate in ask.eligible[:share]
    ]


# --- What it says to people -----------------------------------------------------------


def _verdict(ask: _Ask, share: int, left: _Left) -> Verdict:
    return Verdict(
        campaign_id=ask.id,
        room=ask.room,
        placed=share,
        reasons=tuple(_reasons(ask, ask.view.pending - share, share, left)),
    )


def _reasons(ask: _Ask, waiting: int, share: int, left: _Left) -> list[Waiting]:
    if waiting <= 0:
        return []
    if ask.barrier is not None:
        return [replace(ask.barrier, contacts=waiting)]
    deferred = min(ask.view.deferred, waiting)
    later = [_retry_later(ask.view, deferred)] if deferred else []
    return later + _bound(ask, waiting - deferred, share, left)


def _retry_later(view: CampaignView, contacts: int) -> Waiting:
    said = "The provider could not take the call: it is tried again."
    return Waiting(WaitingCode.RETRY_LATER, said, contacts, until=view.next_due_at)


def _bound(ask: _Ask, waiting: int, share: int, left: _Left) -> list[Waiting]:
    """Name what bounded the share, for those who wait for nothing of their own."""
    if waiting <= 0:
        return []
    if ask.affordable is not None and share >= ask.affordable:
        said = f"The budget of {ask.view.budget} is spent or reserved by live calls."
        return [Waiting(WaitingCode.BUDGET_SPENT, said, waiting)]
    if share >= ask.room:
        return _cap_full(ask, waiting)
    if share >= len(ask.eligible) and ask.batch is not None:
        said = f"Batch {ask.batch} is under way: the next opens when it is over."
        return [Waiting(WaitingCode.BATCH_UNDER_WAY, said, waiting)]
    code = left.lacks(ask) or WaitingCode.RATE_LIMITED
    until = left.midnight if code is WaitingCode.DAILY_BUDGET_SPENT else None
    return [Waiting(code, LACKING[code], waiting, until=until)]


LACKING = {
    WaitingCode.GLOBAL_CAP_FULL: "All calls that the global cap allows are live.",
    WaitingCode.DAILY_BUDGET_SPENT: "The day's budget is spent: on after midnight UTC.",
    WaitingCode.PROVIDER_BUSY: "The provider asked to slow down on this line.",
    WaitingCode.RATE_LIMITED: "Calls are started at the set pace: more follow now.",
}


def _cap_full(ask: _Ask, waiting: int) -> list[Waiting]:
    """Tell slots that live calls hold from those that nobody knows about."""
    unknown = min(ask.unknown, waiting)
    said_unknown = (
        "A request got no clear answer: looked up before anything is dialled."
    )
    said_full = f"All {ask.view.cap} calls that the cap allows are live."
    if ask.view.ghosts:
        said_full = f"{said_full[:-1]}, {ask.view.ghosts} perhaps: no end was told."
    reasons = [
        Waiting(WaitingCode.OUTCOME_UNKNOWN, said_unknown, unknown),
        Waiting(WaitingCode.CAP_FULL, said_full, waiting - unknown),
    ]
    return [reason for reason in reasons if reason.contacts]


def _pause(ask: _Ask) -> Pause | None:
    """Say why a campaign is to wait for a person, if so."""
    view = ask.view
    if view.state in MAY_DIAL and view.account_refusal is not None:
        said = view.account_refusal or "Another campaign was refused for it."
        return Pause(view.id, PauseCause.ACCOUNT, said, view.account_scope)
    if view.state in MAY_DIAL and view.pending > 0 and _starts_fail(view):
        said = (
            f"{view.start_failures} contacts in a row were refused, the last with"
            f" {view.start_failure}."
        )
        return Pause(view.id, PauseCause.PROVIDER_REFUSALS, said)
    return _spent(ask) if _is_spent(ask) else None


def _is_spent(ask: _Ask) -> bool:
    """The budget itself bars the next call, not what is reserved for live ones."""
    view = ask.view
    return (
        view.state in MAY_DIAL
        and ask.affordable == 0
        and view.unreported == 0
        and view.pending > 0
    )


def _spent(ask: _Ask) -> Pause:
    view = ask.view
    said = (
        f"Of the budget of {view.budget} US dollars {view.spend} are spent,"
        f" and one more call is expected to cost {ask.cost:.2f}."
    )
    return Pause(view.id, PauseCause.BUDGET, said)
