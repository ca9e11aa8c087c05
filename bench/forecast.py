"""A forecast of 50,000 contacts, on one core and without a database."""

import resource
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.support.figures import Figure
from bench.support.installation import Server
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import PRESETS
from domain.forecast.forecast import DRAWS
from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.learning.learned import learn
from domain.forecast.simulation.simulation import simulate
from domain.forecast.situation import Hours, Situation, Stratum

CONTACTS, SLOTS = 50_000, 50
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
)
DAY, HOUR = 86_400.0, 3_600.0


def measure(_server: Server) -> Iterator[Figure]:
    """Measure the processor time, which other processes do not lengthen much."""
    situation, learned = _situation(), learn([], CampaignCounts())
    simulate(situation, learned, 5, 1)
    times = []
    for seed in range(3):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        simulate(situation, learned, DRAWS, seed)
        times.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)
    yield Figure(
        name="forecast",
        value=sorted(times)[1],
        unit="s of one core",
        target=2.0,
        details=f"{CONTACTS:,} contacts, {DRAWS} draws",
    )


def _situation() -> Situation:
    strata = tuple(
        Stratum(
            Hours(
                tuple(
                    (n * DAY + offset * HOUR, n * DAY + (offset + 11) * HOUR)
                    for n in range(60)
                )
            ),
            (zone,),
            CONTACTS // len(ZONES),
        )
        for offset, zone in enumerate(ZONES)
    )
    return Situation(
        now=datetime(2026, 3, 2, 13, tzinfo=UTC),
        strata=strata,
        terms=CallingTerms(retry_policy=PRESETS["gentle"]),
        slots=SLOTS,
    )
