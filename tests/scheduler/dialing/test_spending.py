"""Budgets with the provider's simulator; its ledger shows what was spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.values import CampaignState, PauseCause
from projections.campaigns.campaign_row import CampaignRow
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from tests.scheduler.leading import Leading, dependencies_of, leading
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import Services, open_services, real_time

DEAREST = Decimal("0.40")
"""US dollars of the simulator's most expensive call, see `cost_of`."""

EXPECTED = Decimal("0.25")
LONG = 60


@contextmanager
def dialled(url: str, **settings: object) -> Iterator[tuple[Services, Simulator]]:
    """Run a scheduler that calls through a simulator without webhooks."""
    given: dict[str, Any] = {"speed": 60, "report_seconds": (3, 5)}
    given |= {"concurrency_limit": 100}
    with running_simulator(**given | settings) as simulator:
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        with (
            open_services(
                url, now=real_time, provider=VapiProvider(at), projector=True
            ) as services,
            leading(dependencies_of(services), Leading(), services),
        ):
            services.set(silence_timeout_seconds=15)
            yield services, simulator


def stopped(services: Services, campaign_id: UUID) -> CampaignRow:
    """Wait until the budget has paused the campaign and all its costs are known."""

    def is_stopped() -> bool:
        row = services.board(campaign_id)
        paused = row.state is CampaignState.PAUSED
        return paused and row.active == row.awaiting_reports == 0

    eventually(is_stopped, LONG, "a pause and the last costs")
    return services.board(campaign_id)


def true_spend(simulator: Simulator) -> Decimal:
    calls = simulator.ledger()["calls"]
    return sum((Decimal(str(call["cost"])) for call in calls), Decimal(0))


@pytest.mark.parametrize("cost", ["breakdown", "list", "text"])
def test_a_budget_of_1_00_is_kept_with_every_form_of_cost(
    database: str, cost: str
) -> None:
    """With the breakdown alone 20 of 20 contacts were called before, spend 0."""
    reports = [{"cost": cost, "read": "reported"}]
    talking = {"outcomes": {"customer-ended-call": 1}, "talk_seconds": (120, 120)}
    faults = {"reports": reports}
    with dialled(database, **talking, faults=faults) as (services, simulator):
        campaign_id = services.campaign(20, cap=2, budget=Decimal("1.00"))
        row = stopped(services, campaign_id)
        assert row.pause_cause is PauseCause.BUDGET
        assert row.spend == true_spend(simulator)
        beyond = 2 * (DEAREST - EXPECTED)
        assert Decimal("0.40") <= row.spend <= Decimal("1.00") + beyond
        assert row.pending >= 16


def test_a_cost_missing_in_the_report_is_asked_for(database: str) -> None:
    faults = {"reports": [{"cost": "absent", "first": "empty", "gap_seconds": 0}]}
    with dialled(database, faults=faults) as (services, simulator):
        campaign_id = services.campaign(20, cap=3, budget=Decimal("1.00"))
        row = stopped(services, campaign_id)
        assert row.spend == true_spend(simulator)
