"""A provider that takes calls and rings nobody: pauses, and who comes back."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from domain.values import CampaignState, PauseCause
from projections.campaign_board import CampaignRow
from provider.vapi import VapiProvider, VapiSettings
from tests.scheduler.test_loop import Leading, leading, parts_of
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import BY, House, housed, real_time

UNRUNG = "call.start.error-get-transport"
NO_CREDIT = "call.start.error-subscription-insufficient-credits"
CAP = 2


@contextmanager
def dialled(url: str, **settings: object) -> Iterator[tuple[House, Simulator]]:
    """Let a scheduler call through a simulator; all webhooks are lost."""
    with running_simulator(speed=300, **settings) as simulator:
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        provider = VapiProvider(at)
        with (
            housed(url, now=real_time, provider=provider, projector=True) as house,
            leading(parts_of(house), Leading(), house),
        ):
            yield house, simulator


def paused(house: House, campaign_id: UUID) -> CampaignRow:
    def is_paused() -> bool:
        return house.board(campaign_id).state is CampaignState.PAUSED

    eventually(is_paused, 20, "a pause")
    eventually(lambda: house.board(campaign_id).active == 0, 20, "the last calls")
    return house.board(campaign_id)


def attempts(simulator: Simulator) -> Counter[int]:
    """Count how many people were called how often."""
    calls = Counter(call["number"] for call in simulator.ledger()["calls"])
    return Counter(calls.values())


def test_ten_calls_in_a_row_that_ring_nobody_pause_the_campaign(
    database: str,
) -> None:
    with dialled(database, outcomes={UNRUNG: 1}) as (house, simulator):
        campaign_id = house.campaign(8, cap=CAP)
        row = paused(house, campaign_id)
        assert row.pause_cause is PauseCause.PROVIDER_REFUSALS
        assert row.reason_words_id is not None
        assert UNRUNG in (house.vault.words(row.reason_words_id) or "")
        made = len(simulator.ledger()["calls"])
        assert 10 <= made < 10 + CAP + 1
        house.campaigns.resume(campaign_id, by=BY)
        eventually(lambda: len(simulator.ledger()["calls"]) > made, 20, "a resume")
        assert paused(house, campaign_id).pause_cause is PauseCause.PROVIDER_REFUSALS
        again = len(simulator.ledger()["calls"])
        assert made + 10 <= again < made + 10 + CAP + 1, "it counts anew"
        assert max(attempts(simulator)) <= 3


def test_who_was_not_rung_is_called_three_times_at_most(database: str) -> None:
    with dialled(database, outcomes={UNRUNG: 1}) as (house, simulator):
        campaign_id = house.campaign(2, cap=CAP)
        eventually(
            lambda: house.board(campaign_id).state is CampaignState.COMPLETED,
            20,
            "the end",
        )
        assert attempts(simulator) == {3: 2}
        calls = [call.attempt for call in house.call_rows(campaign_id)]
        assert sorted(calls) == [1, 1, 2, 2, 3, 3]


def test_an_account_without_credit_pauses_at_once_and_burns_nobody(
    database: str,
) -> None:
    with dialled(database, outcomes={NO_CREDIT: 1}) as (house, simulator):
        campaign_id = house.campaign(6, cap=CAP)
        row = paused(house, campaign_id)
        assert row.pause_cause is PauseCause.ACCOUNT
        assert row.pending == 6
        made = len(simulator.ledger()["calls"])
        assert made <= 2 * CAP
