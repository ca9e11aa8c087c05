"""How a virtual provider reports its calls: in one report or two, and how completely.

- `two_reports`: an empty or partial report first, the complete one up to 20 s later.
- `late_report`: the complete report comes 10 to 30 minutes after the first, which is
  longer than the scheduler asks for it. GET /call shows it no earlier, and it is never
  lost, because nothing else could then name the cost.
- `incomplete_report`: a single report without some values, or with the cost in one
  place only, as a text, or not at all.

Where no report states a cost, GET /call states it or, half the time, does not either.
"""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, Protocol, get_args, get_type_hints

from provider.simulator.faults.reporting import USUAL, Reporting

LATE_GAP = 600.0
"""Seconds between two reports from which on the second counts as late."""


class ReportRates(Protocol):
    """The probabilities of each way of reporting, and that a message is lost."""

    @property
    def lost(self) -> float: ...
    @property
    def two_reports(self) -> float: ...
    @property
    def late_report(self) -> float: ...
    @property
    def incomplete_report(self) -> float: ...


def draw_reporting(random: Random, rates: ReportRates) -> Reporting:
    """Draw how one call is reported."""
    roll = random.random()
    if roll < rates.two_reports:
        return Reporting(
            first=_one_of(random, ("empty", "partial")),
            gap_seconds=random.uniform(0.5, 20),
            cost=_one_of(random, COSTS),
            read=_one_of(random, READS),
        )
    roll -= rates.two_reports
    if roll < rates.late_report and rates.lost < 1:
        return Reporting(
            first=_one_of(random, ("empty", "partial")),
            gap_seconds=random.uniform(LATE_GAP, 3 * LATE_GAP),
            read="reported",
        )
    roll -= rates.late_report
    return _incomplete(random) if 0 <= roll < rates.incomplete_report else USUAL


def _incomplete(random: Random) -> Reporting:
    return Reporting(
        cost=_one_of(random, COSTS),
        reason=_one_of(random, _choices("reason")),
        duration=_one_of(random, _choices("duration")),
        times=random.random() < 0.7,
        read=_one_of(random, READS),
    )


def gap_of(reporting: Reporting) -> timedelta:
    """Return the time between the first report and the last."""
    twice = reporting.first != "none"
    return timedelta(seconds=reporting.gap_seconds if twice else 0)


def describe(reporting: Reporting) -> str:
    """Name the way of reporting for the soak's table."""
    if reporting.first != "none":
        late = reporting.gap_seconds >= LATE_GAP
        return "call with a late better report" if late else "call with two reports"
    if reporting.cost in {"null", "absent"}:
        return "report without a cost"
    return "usual report" if reporting == USUAL else "report with values elsewhere"


def _choices(name: str) -> Sequence[Any]:
    return get_args(get_type_hints(Reporting)[name])


COSTS, READS = _choices("cost"), _choices("read")


def _one_of(random: Random, choices: Sequence[Any]) -> Any:
    return random.choice(choices)
