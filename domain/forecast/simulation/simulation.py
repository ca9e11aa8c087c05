"""Simulates a situation by the method that suits its size."""

import numpy as np

from domain.forecast.learning.learned import Learned
from domain.forecast.parameters import draw_parameters
from domain.forecast.simulation.runs import Runs
from domain.forecast.simulation.small_campaigns import MOST_CONTACTS, run_contacts
from domain.forecast.simulation.strata import StrataSimulation
from domain.forecast.situation import Situation


def simulate(
    situation: Situation,
    learned: Learned,
    draws: int,
    seed: int,
    *,
    day_effect: bool = True,
    most_by_contact: int = MOST_CONTACTS,
    coarseness: int = 1,
) -> Runs:
    """Simulate a situation; the same seed gives the same results.

    Up to `most_by_contact` contacts are simulated contact by contact, more by stratum
    in steps of time that are `coarseness` times as long as usual.
    """
    rng = np.random.default_rng(seed)
    parameters = draw_parameters(
        learned, draws, rng, today=situation.today, day_effect=day_effect
    )
    if situation.contacts <= most_by_contact:
        return run_contacts(situation, learned, parameters, rng)
    return StrataSimulation(
        situation, learned, parameters, rng, coarseness=coarseness
    ).run()
