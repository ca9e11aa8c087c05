"""What the model learns from calls, and how sure it is."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import exp
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from domain.forecast.learning import prior
from domain.forecast.learning.counts import (
    DURATION_BINS,
    CallRecord,
    CampaignCounts,
    DayCount,
    band_of,
    count_calls,
    duration_bin,
)
from domain.forecast.learning.learned import fit_reach, learn
from domain.forecast.learning.prior import HUMAN
from domain.forecast.learning.survival import completed
from domain.forecast.parameters import draw_parameters, shifted
from domain.outcomes import CallOutcome, Disposition
from tests.domain.forecast.campaigns import NOW, history

NOTHING = CampaignCounts()


@pytest.mark.parametrize("module", ["learning.counts", "quantities"])
def test_reading_events_does_not_load_numpy(module: str) -> None:
    code = f"import domain.forecast.{module}, sys; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_calls_are_counted_by_attempt_band_and_outcome() -> None:
    call = CallRecord(
        attempt=9,
        outcome=CallOutcome.HUMAN,
        zones=("America/New_York",),
        placed_at=datetime(2026, 3, 7, 15, 40, tzinfo=UTC),
        seconds=70,
        cost=Decimal("0.2"),
        disposition=Disposition.GOAL_REACHED,
    )
    canceled = CallRecord(1, CallOutcome.CANCELED, (), NOW)
    counted = count_calls([call, call, canceled])
    saturday_at_ten = 12 + 5
    assert [(o.attempt, o.band, o.calls) for o in counted.outcomes] == [
        (6, saturday_at_ten, 2)
    ]
    assert (counted.calls, counted.human, counted.goals) == (2, 2, 2)
    assert [(c.calls, c.total, c.squares) for c in counted.costs] == [
        (2, Decimal("0.4"), Decimal("0.08"))
    ]


def test_a_number_in_two_time_zones_has_a_band_only_where_they_agree() -> None:
    zones = ("America/New_York", "America/Chicago")
    assert band_of(zones, datetime(2026, 3, 2, 16, tzinfo=UTC)) == 5
    assert band_of(zones, datetime(2026, 3, 2, 15, tzinfo=UTC)) is None


def test_without_history_the_assumptions_of_the_reference_apply() -> None:
    learned = learn([], NOTHING)
    rates = learned.base[:, HUMAN].sum(1)
    assert learned.attempts_seen == 0
    assert learned.reachable == pytest.approx(prior.REACHABLE, abs=0.06)
    assert rates[0] == pytest.approx(prior.REACHABLE * prior.ANSWERS, abs=0.02)
    assert list(rates) == sorted(rates, reverse=True)


def test_much_history_replaces_the_assumptions() -> None:
    learned = learn(history(10), NOTHING)
    assert learned.base[0, HUMAN].sum() == pytest.approx(0.3, abs=0.02)
    assert learned.attempts_seen == 5_000


def own_calls(days: int) -> CampaignCounts:
    """Return 4,000 calls, of which a person answered 60 %, made on so many days."""
    own = history(1, {CallOutcome.HUMAN: 0.6, CallOutcome.BUSY: 0.4}, calls=4_000)[0]
    calls = 4_000 // days
    return replace(
        own,
        days=tuple(
            DayCount(NOW.date() + timedelta(days=n), calls, calls * 6 // 10)
            for n in range(days)
        ),
    )


def drawn_rate(own: CampaignCounts, today: date | None = None) -> float:
    """Return the mean rate of human answers on the first simulated day."""
    learned = learn(history(10), own)
    drawn = draw_parameters(learned, 200, np.random.default_rng(1), today=today)
    chances = shifted(drawn.outcomes[:, 0], drawn.days[:, 0])
    return float(chances[:, HUMAN].sum(1).mean())


def test_the_campaigns_own_calls_outweigh_the_installation() -> None:
    assert drawn_rate(own_calls(days=40)) > 0.5


def test_calls_of_a_single_day_say_little_about_other_days() -> None:
    assert drawn_rate(own_calls(days=1)) < 0.4


def test_calls_of_today_say_how_the_rest_of_the_day_will_be() -> None:
    own = own_calls(days=1)
    assert drawn_rate(own, today=NOW.date()) == pytest.approx(0.6, abs=0.03)
    assert drawn_rate(own, today=NOW.date() + timedelta(days=1)) < 0.4


def test_the_effect_of_days_is_not_counted_as_a_difference_of_campaigns() -> None:
    """Campaigns of one day each differ by their days only."""
    dice = Random(2)
    rates = [1 / (1 + exp(0.8 - dice.gauss(0, prior.DAY_SD))) for _ in range(60)]
    campaigns = [
        history(1, {CallOutcome.HUMAN: rate, CallOutcome.BUSY: 1 - rate}, seed=n)[0]
        for n, rate in enumerate(rates)
    ]
    assert learn(campaigns, NOTHING).weight > 100


def test_lists_that_reach_different_shares_of_voicemail_widen_the_intervals() -> None:
    def weight(shares: list[float]) -> float:
        return learn(
            [
                history(1, {CallOutcome.VOICEMAIL: s, CallOutcome.BUSY: 1 - s})[0]
                for s in shares
            ],
            NOTHING,
        ).mix_weight

    assert weight([0.2, 0.3, 0.4, 0.5, 0.6, 0.7]) < 60 < weight([0.4] * 6)


@pytest.mark.parametrize("level", ["assistant_id", "list_id"])
def test_campaigns_of_the_same_assistant_or_list_count_more(level: str) -> None:
    mine, theirs = UUID(int=1), UUID(int=2)
    rates = {mine: 0.5, theirs: 0.2}

    def at_level(counts: CampaignCounts, owner: UUID) -> CampaignCounts:
        fields: dict[str, Any] = {level: owner}
        return replace(counts, **fields)

    campaigns = [
        at_level(one, owner)
        for owner, rate in rates.items()
        for one in history(5, {CallOutcome.HUMAN: rate, CallOutcome.BUSY: 1 - rate})
    ]

    def rate_of(own: CampaignCounts) -> float:
        return float(learn(campaigns, own).base[0, HUMAN].sum())

    assert rate_of(NOTHING) == pytest.approx(0.35, abs=0.03)
    assert rate_of(at_level(NOTHING, mine)) > 0.45
    assert rate_of(at_level(NOTHING, theirs)) < 0.25
    assert rate_of(at_level(NOTHING, UUID(int=3))) == rate_of(NOTHING)


def test_a_few_own_calls_hardly_change_what_the_installation_knows() -> None:
    own = history(1, {CallOutcome.HUMAN: 1.0}, calls=5)[0]
    learned = learn(history(10), own)
    drawn = draw_parameters(learned, 100, np.random.default_rng(1))
    assert drawn.outcomes[:, 0, HUMAN].sum(1).mean() < 0.4


def test_the_less_is_known_the_more_the_drawn_rates_differ() -> None:
    def spread(campaigns: int) -> float:
        learned = learn(history(campaigns), NOTHING)
        drawn = draw_parameters(learned, 200, np.random.default_rng(1))
        return float(drawn.outcomes[:, 0, HUMAN].sum(1).std())

    assert spread(20) < 0.6 * spread(0)


def test_unreachable_contacts_are_found_by_the_fall_with_each_attempt() -> None:
    # Half of 10,000 contacts can be reached; they answer four of ten calls.
    calls, human = 10_000.0, np.zeros(6)
    outcomes = np.zeros((6, 11))
    reachable = 5_000.0
    for attempt in range(6):
        human[attempt] = reachable * 0.4
        outcomes[attempt, 0] = human[attempt]
        outcomes[attempt, 5] = calls - human[attempt]
        reachable -= human[attempt]
        calls -= human[attempt]
    found, answers = fit_reach(outcomes)
    assert found == pytest.approx(0.5, abs=0.051)
    assert answers == pytest.approx(0.4, abs=0.041)


def test_calls_that_still_run_lengthen_the_expected_durations() -> None:
    # By hand: of 4 calls, 2 end in the first bin, 1 runs on there, 1 ends in the third.
    # The estimate is 2/4 in the first bin, and all of the rest in the third.
    ended, running = np.zeros(DURATION_BINS), np.zeros(DURATION_BINS)
    ended[0], ended[2], running[0] = 2, 1, 1
    found = completed(ended, running)
    assert found[:4] == pytest.approx([0.5, 0, 0.5, 0])
    assert found.sum() == pytest.approx(1)


def test_the_first_hour_is_not_biased_by_short_calls() -> None:
    """All calls last 300 s; after 200 s only the odd short one has ended."""
    short = CallRecord(1, CallOutcome.HUMAN, (), NOW, seconds=20)
    own = count_calls([short])
    seconds = [
        (learn([], own, running).seconds[0] * prior.BIN_SECONDS).sum()
        for running in ([], [200.0] * 30)
    ]
    assert seconds[1] > 1.3 * seconds[0]
    assert duration_bin(200) > duration_bin(20)


def test_days_that_differ_widen_the_effect_of_the_day() -> None:
    def days(rates: list[float]) -> list[CampaignCounts]:
        return [
            count_calls(
                CallRecord(
                    1,
                    CallOutcome.HUMAN if n < 400 * rate else CallOutcome.BUSY,
                    (),
                    NOW + timedelta(days=day),
                )
                for day, rate in enumerate(rates)
                for n in range(400)
            )
            for _ in range(10)
        ]

    alike = learn(days([0.3, 0.3, 0.3]), NOTHING).day_sd
    different = learn(days([0.1, 0.3, 0.6]), NOTHING).day_sd
    assert alike < prior.DAY_SD < different
