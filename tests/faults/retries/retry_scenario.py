"""Campaigns with retries in virtual time, and what people do meanwhile."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from application.campaigns.campaigns import CampaignChange
from domain.campaigns.campaign_terms import CallingTerms, OutputRule
from domain.campaigns.retry_policy import RetryPolicy, RetryRule, check_policy
from domain.errors import Refused
from domain.outcomes import CallOutcome, Disposition
from domain.states import FINISHED
from domain.values import CampaignState, ContactStatus, DialMode
from provider.simulator.tools import TOOL_CALLS
from tests.faults.crash_points import ProcessDied, SchedulerProcess
from tests.faults.provider_faults import PERFECT, Rates
from tests.faults.retries.conversations import CourseRates, with_course
from tests.faults.retries.event_log import Recount
from tests.faults.scenario import Scenario, no_faults
from tests.faults.virtual_provider import VirtualProvider
from tests.wiring import BY, Services, phones

LONGEST_CAMPAIGN = timedelta(days=70)
"""Virtual time after which a campaign with retries is considered stuck."""

LONGEST_JUMP = 3600.0
"""Seconds by which time moves on at once while calls are planned and none is made."""

LONGEST_WAIT = 120.0
"""Seconds by which it moves on while reports are awaited, and nothing else."""

OUTPUT_RULES = (
    OutputRule("goal_reached", True, Disposition.GOAL_REACHED),
    OutputRule("opted_out", True, Disposition.OPTED_OUT),
)

PLAIN = RetryPolicy(
    attempts=3,
    per_day=5,
    min_gap_minutes=2,
    expires_after_days=7,
    rules=(
        RetryRule((CallOutcome.BUSY,), 2, (5, 20)),
        RetryRule((CallOutcome.NO_ANSWER, CallOutcome.SILENT), 2, (10,)),
        RetryRule((CallOutcome.VOICEMAIL,), 1, (30,)),
    ),
)


@dataclass(frozen=True)
class AnsweredTool:
    """A tool call that got an answer, and how long the log was at that moment."""

    call_id: UUID
    phone: str
    name: str
    answer: str
    position: int


@dataclass
class RetryScenario(Scenario):
    """Campaigns that call the same numbers; `change_rate` is per wait.

    `pauses` are the positions between which each campaign was paused. With
    `check_counts` the counters are compared with a recount after most waits.
    """

    campaigns: tuple[UUID, ...] = ()
    change_rate: float = 0.0
    check_counts: bool = True
    answered: list[AnsweredTool] = field(default_factory=list)
    pauses: dict[UUID, list[tuple[int, int | None]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._ends_at = self.services.now() + LONGEST_CAMPAIGN
        self.recount = Recount(self.services, self.campaigns)

    @property
    def over(self) -> bool:
        if self.services.now() > self._ends_at:
            rows = [self.services.board(campaign) for campaign in self.campaigns]
            raise AssertionError(f"The campaigns are stuck: {rows}")
        return all(self._is_over(campaign) for campaign in self.campaigns)

    def _is_over(self, campaign: UUID) -> bool:
        row = self.services.board(campaign)
        return row.state in FINISHED and not row.awaiting_reports

    # --- People ---------------------------------------------------------------------

    def pause(self) -> None:
        campaign = self.random.choice(self.campaigns)
        try:
            position = self.services.campaigns.pause(campaign, by=BY)
        except Refused:
            return
        if position is not None:
            self.pauses.setdefault(campaign, []).append((position, None))

    def _resume(self) -> None:
        for campaign in self.campaigns:
            paused = self.services.load_campaign(campaign).state is CampaignState.PAUSED
            if paused and self.random.random() < 0.3:
                position = self.services.campaigns.resume(campaign, by=BY)
                ranges = self.pauses.get(campaign, [])
                if ranges and ranges[-1][1] is None:
                    ranges[-1] = (ranges[-1][0], position)

    def _change_policy(self) -> None:
        campaign = self.random.choice(self.campaigns)
        policy = self.random.choice([None, *(draw_policy(self.random) for _ in "..")])
        change = CampaignChange(terms={"retry_policy": policy})
        try:
            self.services.campaigns.change(campaign, change, by=BY)
        except Refused:
            return
        self.changes += 1

    # --- Meanwhile ------------------------------------------------------------------

    def _meanwhile(self, process: SchedulerProcess, seconds: float) -> None:
        super()._meanwhile(process, seconds)
        if self.random.random() < self.change_rate:
            self._change_policy()
        if self.check_counts and self.random.random() < 0.5:
            self._check_counts()
        self._pass(self._idle_seconds())

    def _idle_seconds(self) -> float:
        """Return how long nothing happens; sometimes longer, so that calls are late."""
        now, change = self.services.now(), self.provider.next_change_at
        due = self._next_due(now)
        if change <= now:
            return 0.0
        until_change = (change - now).total_seconds()
        if due is None:
            return min(until_change, LONGEST_WAIT)
        late = self.random.choice([0.0, 0.0, self.random.uniform(0, LONGEST_JUMP)])
        until_due = (due - now).total_seconds() + late
        return min(until_due, until_change, LONGEST_JUMP)

    def _next_due(self, now: datetime) -> datetime | None:
        query = (
            "select min(planned_at) from contact_log where campaign_id = any(%s)"
            " and status = %s and planned_at > %s and not exists (select from"
            " campaign_board where id = any(%s) and queued + ringing + in_progress > 0)"
        )
        ids = list(self.campaigns)
        with self.services.reading.connection() as conn:
            values = (ids, ContactStatus.PENDING, now, ids)
            row = conn.execute(query, values).fetchone()
        found: datetime | None = row[0] if row else None
        return found

    def _check_counts(self) -> None:
        """I6: compare the counters with the statuses that the events contain."""
        rows = {campaign: self.services.board(campaign) for campaign in self.campaigns}
        self.recount.update()
        for campaign, row in rows.items():
            shown = Counter(
                {
                    "PENDING": row.pending,
                    "QUEUED": row.queued,
                    "RINGING": row.ringing,
                    "IN_PROGRESS": row.in_progress,
                    "ENDED": row.ended,
                    "FAILED": row.failed,
                    "CANCELED": row.canceled,
                    "TIMEOUT": row.timed_out,
                }
            )
            counted = self.recount.counts(campaign)
            if +shown != counted and row.position == self.recount.position:
                self.problems.append(f"I6: shown {+shown}, counted {counted}")
            if sum(shown.values()) != row.contacts:
                self.problems.append(f"I6: {+shown} for {row.contacts} contacts")

    # --- Messages -------------------------------------------------------------------

    def _deliver(self, message: dict[str, Any]) -> bool:
        try:
            stored = self._api.receive(message)
        except ProcessDied:
            self._api = self._new_api()
            return False
        if stored and message["message"]["type"] == TOOL_CALLS:
            self._note_answers(message)
        return stored

    def _note_answers(self, body: dict[str, Any]) -> None:
        message = body["message"]
        position = self.services.app.recorder.max_notification_id() or 0
        made = self.provider.made_calls[message["call"]["id"]]
        tools = {tool["id"]: tool["function"]["name"] for tool in message["toolCalls"]}
        for answer in self._api.answers:
            self.answered.append(
                AnsweredTool(
                    made.order.call_id,
                    made.order.phone,
                    tools[answer.tool_call_id],
                    answer.result,
                    position,
                )
            )


# --- Policies -------------------------------------------------------------------------


def draw_policy(random: Random) -> RetryPolicy:
    """Draw a policy that passes the product's checks."""
    while True:
        policy = RetryPolicy(
            attempts=random.randint(2, 5),
            per_day=random.choice([1, 2, 3, 5]),
            min_gap_minutes=random.choice([1, 2, 15, 60]),
            expires_after_days=random.choice([1, 3, 7]),
            rules=_draw_rules(random),
        )
        try:
            check_policy(policy)
        except Refused:
            continue
        return policy


def _draw_rules(random: Random) -> tuple[RetryRule, ...]:
    outcomes = [
        *(CallOutcome.BUSY, CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL),
        *(CallOutcome.SILENT, CallOutcome.FAULT, CallOutcome.HUMAN),
    ]
    random.shuffle(outcomes)
    first, second = sorted(random.sample(range(2, len(outcomes) + 1), 2))
    return tuple(
        RetryRule(
            outcomes=tuple(group),
            attempts=random.randint(1, 3),
            gaps_minutes=tuple(
                random.choice([1, 5, 30, 240]) for _ in range(random.randint(1, 3))
            ),
            other_time_of_day=random.random() < 0.2,
        )
        for group in (outcomes[:first], outcomes[first:second])
    )


# --- Set-up ---------------------------------------------------------------------------


def new_retry_scenario(  # noqa: PLR0917 - tests pass these by name
    services: Services,
    seed: int,
    on_step: Any = no_faults,
    people: int = 4,
    cap: int = 2,
    rates: Rates = PERFECT,
    courses: CourseRates | None = None,
    terms: tuple[CallingTerms, ...] = (CallingTerms(PLAIN, OUTPUT_RULES),),
    mode: DialMode = DialMode.CONTINUOUS,
    first: int | None = None,
) -> RetryScenario:
    """Create one campaign for each of the `terms`, all with the same numbers.

    `first` is the first number, see `phones`; without it the numbers were not used yet.
    """
    provider: VirtualProvider = services.provider
    provider.restart(Random(f"{seed} exchange"), rates)
    drawn = courses or CourseRates()
    numbers = phones(people, _fresh_numbers(people) if first is None else first)
    provider.shape = lambda call: with_course(
        call, drawn, f"{seed} {numbers.index(call.order.phone)}"
    )
    campaigns = tuple(
        services.campaign(numbers, cap=cap, mode=mode, terms=each) for each in terms
    )
    scenario = RetryScenario(
        services,
        provider,
        Random(f"{seed} drama"),
        campaigns[0],
        on_step,
        campaigns=campaigns,
    )
    if hasattr(on_step, "scenario"):
        on_step.scenario = scenario
    return scenario


def _numbers() -> Callable[[int], int]:
    used = 0

    def fresh(count: int) -> int:
        """Return the first of numbers that no campaign had: some are suppressed."""
        nonlocal used
        used += count
        return (used - count) % 9000

    return fresh


_fresh_numbers = _numbers()
