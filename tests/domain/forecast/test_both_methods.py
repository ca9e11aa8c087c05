"""The simulation by stratum agrees with the real policy, contact by contact."""

from dataclasses import replace
from decimal import Decimal
from statistics import mean

import numpy as np
import pytest

from domain.campaigns.campaign_terms import CallingTerms
from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.learning.learned import learn
from domain.forecast.parameters import Parameters, draw_parameters
from domain.forecast.simulation.contact_by_contact import ContactByContact
from domain.forecast.simulation.runs import Runs
from domain.forecast.simulation.simulated_calls import Contact, Trace
from domain.forecast.simulation.small_campaigns import Drawn
from domain.forecast.simulation.strata import StrataSimulation
from domain.forecast.situation import Situation, Stratum
from domain.values import DialMode
from tests.domain.forecast.campaigns import AGAIN, a_situation, open_from

RUNS = 3
LEARNED = learn([], CampaignCounts())


def known(draws: int) -> Parameters:
    """Return draws that all have the same parameters: only chance differs."""
    drawn = draw_parameters(LEARNED, 1, np.random.default_rng(5), day_effect=False)
    same = {
        name: np.repeat(getattr(drawn, name), draws, 0)
        for name in drawn.__dataclass_fields__
    }
    return replace(Parameters(**same), outages=np.zeros((draws, 90)))


def by_contact(situation: Situation) -> list[Trace]:
    parameters = known(RUNS)
    contacts = [Contact(n % len(situation.strata)) for n in range(situation.contacts)]
    return [
        ContactByContact(
            situation,
            contacts,
            Drawn(
                situation,
                LEARNED,
                parameters,
                draw,
                contacts,
                np.random.default_rng(draw),
            ),
        ).run()
        for draw in range(RUNS)
    ]


def by_stratum(situation: Situation) -> Runs:
    rng = np.random.default_rng(3)
    return StrataSimulation(situation, LEARNED, known(100), rng).run()


TWO_ZONES = a_situation(
    strata=(
        Stratum(open_from(0), ("America/New_York",), 60),
        Stratum(open_from(3), ("America/Los_Angeles",), 60),
    )
)


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(a_situation(120), id="slots limit the pace"),
        pytest.param(a_situation(120, per_second=0.05), id="the pace is limited"),
        pytest.param(TWO_ZONES, id="two time zones"),
        pytest.param(a_situation(120, terms=CallingTerms()), id="no retries"),
        pytest.param(a_situation(60, mode=DialMode.BATCH), id="batches"),
        pytest.param(a_situation(5_000, slots=100, per_second=10), id="5,000 contacts"),
    ],
)
def test_both_methods_give_the_same_means(situation: Situation) -> None:
    exact, strata = by_contact(situation), by_stratum(situation)
    assert strata.calls.mean() == pytest.approx(
        mean(len(one.dials) for one in exact), rel=0.04
    )
    finish = mean(one.finish or 0.0 for one in exact)
    assert strata.finish.mean() == pytest.approx(finish, rel=0.1, abs=180)
    spend = mean(float(one.spend) for one in exact)
    assert strata.spend.mean() == pytest.approx(spend, rel=0.12)


def test_both_methods_stop_at_the_budget() -> None:
    situation = a_situation(120, budget=Decimal(6), terms=CallingTerms())
    exact, strata = by_contact(situation), by_stratum(situation)
    assert all(one.finish is None for one in exact)
    assert strata.unfinished.mean() > 0.95
    assert strata.calls.mean() == pytest.approx(
        mean(len(one.dials) for one in exact), rel=0.15
    )


def test_retries_go_before_fresh_contacts() -> None:
    situation = a_situation(240, slots=1, terms=CallingTerms(retry_policy=AGAIN))
    trace = by_contact(situation)[0]
    attempts = [dial.attempt for dial in trace.dials]
    assert 2 in attempts[: len(attempts) // 2]
