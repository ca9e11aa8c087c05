"""Any sequence of commands: a campaign keeps legal states, and its events replay."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from eventsourcing.domain import CanMutateAggregate
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import SpendAlert
from domain.errors import Conflict, WrongState
from domain.values import CampaignState, DialMode, PauseCause, VaultText
from tests.examples import examples
from tests.support import replayed, state_of

START = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = VaultText(words_id=UUID(int=9), digest="d")
BUDGETS = st.sampled_from([None, Decimal(1), Decimal(2)])

CREATED, QUEUED = CampaignState.CREATED, CampaignState.QUEUED
DIALING, RUNNING = CampaignState.DIALING, CampaignState.RUNNING
PAUSED = CampaignState.PAUSED
OVER = {CampaignState.COMPLETED, CampaignState.CANCELED, CampaignState.FAILED}
NEXT: dict[CampaignState, set[CampaignState]] = {
    CREATED: {QUEUED, CampaignState.CANCELED, CampaignState.FAILED},
    QUEUED: {DIALING, RUNNING, PAUSED, *OVER},
    DIALING: {RUNNING, PAUSED, *OVER},
    RUNNING: {PAUSED, *OVER},
    PAUSED: {QUEUED, DIALING, RUNNING, *OVER},
} | {state: set() for state in OVER}
"""QUEUED moves to RUNNING where the ringing overtakes the answer to the request."""


class CampaignMachine(RuleBasedStateMachine):
    campaign: Campaign

    @initialize(budget=BUDGETS)
    def create(self, budget: Decimal | None) -> None:
        self.now = START
        self.log: list[CanMutateAggregate[UUID]] = []
        self.first_placed_at: datetime | None = None
        self.campaign = Campaign.create(
            campaign_id=UUID(int=1),
            name="Spring",
            assistant_id=UUID(int=2),
            provider_assistant_id="a-1",
            phone_number_id="n-1",
            cap=8,
            mode=DialMode.CONTINUOUS,
            line_quiet_gating=False,
            budget=budget,
            longest_call_seconds=600,
            **self.stamp(),
        )
        self.was = self.campaign.state

    def stamp(self) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        return {"at": self.now, "by": "someone"}

    def _run(self, command: Callable[..., None], *, refused: bool) -> None:
        """Tell a command: refused or not, and a refusal leaves no trace."""
        version = self.campaign.version
        try:
            command(**self.stamp())
        except WrongState:
            assert refused
            assert self.campaign.version == version
        else:
            assert not refused

    @property
    def over(self) -> bool:
        return self.campaign.state in OVER

    @rule()
    def start(self) -> None:
        refused = self.over or self.campaign.state is PAUSED
        self._run(self.campaign.start, refused=refused)

    @rule(cause=st.sampled_from(PauseCause))
    def pause(self, cause: PauseCause) -> None:
        refused = self.over or self.campaign.state is CREATED
        pause = partial(self.campaign.pause, cause=cause)
        self._run(pause, refused=refused)

    @rule()
    def resume(self) -> None:
        refused = self.over or self.campaign.state is CREATED
        self._run(self.campaign.resume, refused=refused)

    @rule()
    def complete(self) -> None:
        may = {QUEUED, DIALING, RUNNING, PAUSED, CampaignState.COMPLETED}
        refused = self.campaign.state not in may
        self._run(self.campaign.complete, refused=refused)

    @rule(hang_up=st.booleans())
    def cancel(self, hang_up: bool) -> None:
        refused = self.campaign.state in OVER - {CampaignState.CANCELED}
        cancel = partial(self.campaign.cancel, hang_up=hang_up)
        self._run(cancel, refused=refused)

    @rule()
    def fail(self) -> None:
        self.campaign.fail(reason=WORDS, **self.stamp())
        assert self.over

    @rule()
    def note_placed(self) -> None:
        self.first_placed_at = self.first_placed_at or self.now
        self.campaign.note_placed(placed_at=self.now, **self.stamp())

    @rule()
    def note_ringing(self) -> None:
        self.campaign.note_ringing(**self.stamp())
        assert self.campaign.answered

    @rule(list_id=st.integers(1, 3), accepted=st.integers(0, 3), late=st.booleans())
    def import_contacts(self, list_id: int, accepted: int, late: bool) -> None:
        starts_at = self.campaign.contacts - late
        version = self.campaign.version
        try:
            self.campaign.import_contacts(
                list_id=UUID(int=list_id),
                starts_at=starts_at,
                accepted=accepted,
                skipped=0,
                **self.stamp(),
            )
        except (Conflict, WrongState):
            assert late or self.over
            assert self.campaign.version == version

    @rule(cap=st.integers(1, 3), budget=BUDGETS)
    def change(self, cap: int, budget: Decimal | None) -> None:
        asked: dict[str, Any] = {"name": "Spring", "line_quiet_gating": False}
        try:
            self.campaign.change(**asked, cap=cap, budget=budget, **self.stamp())
        except WrongState:
            assert self.over
        else:
            assert (self.campaign.cap, self.campaign.budget) == (cap, budget)

    @rule(alert=st.sampled_from(SpendAlert))
    def alert(self, alert: SpendAlert) -> None:
        budget = self.campaign.budget or Decimal(5)
        spend, stamp = Decimal(1), self.stamp()
        self.campaign.raise_spend_alert(
            alert=alert, spend=spend, budget=budget, **stamp
        )

    # --- What always holds ----------------------------------------------------

    def past[E](self, kind: type[E]) -> list[E]:
        self.log += self.campaign.collect_events()
        return [event for event in self.log if isinstance(event, kind)]

    @invariant()
    def only_legal_moves_happen(self) -> None:
        assert self.campaign.state in NEXT[self.was] | {self.was}
        self.was = self.campaign.state

    @invariant()
    def it_started_with_the_first_placement_and_never_before(self) -> None:
        assert self.campaign.started_at == self.first_placed_at
        assert len(self.past(Campaign.DialingStarted)) == bool(self.first_placed_at)

    @invariant()
    def a_state_that_says_dialing_has_a_placement(self) -> None:
        if self.campaign.state is DIALING:
            assert self.campaign.started_at is not None

    @invariant()
    def only_a_paused_campaign_has_a_cause(self) -> None:
        paused = self.campaign.state is PAUSED
        assert (self.campaign.pause_cause is not None) == paused

    @invariant()
    def contacts_are_the_sum_of_its_lists(self) -> None:
        imports = self.past(Campaign.ContactsImported)
        assert self.campaign.contacts == sum(done.accepted for done in imports)
        assert len({done.list_id for done in imports}) == len(imports)

    @invariant()
    def an_alert_is_told_once_for_each_budget(self) -> None:
        alerts = self.past(Campaign.SpendAlertRaised)
        assert len({(a.alert, a.budget) for a in alerts}) == len(alerts)

    @invariant()
    def the_past_replays_to_the_same_campaign(self) -> None:
        assert replayed(self.past(CanMutateAggregate)) == state_of(self.campaign)


TestCampaignMachine = CampaignMachine.TestCase
TestCampaignMachine.settings = examples(
    80,
    stateful_step_count=25,
)
