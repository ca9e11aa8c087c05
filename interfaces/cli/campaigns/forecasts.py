"""Forecasts of campaigns on the command line."""

from datetime import datetime, timedelta
from typing import Any

import typer

from application.configuration import Configuration
from domain.errors import NotFound, WrongState
from domain.forecast.log import StoredForecast
from domain.forecast.quantities import CALIBRATED_FROM, Quantity
from interfaces.cli.campaigns.campaign_options import CampaignId
from interfaces.cli.output import AsJson, json_of, print_line
from interfaces.cli.workbench import workbench
from projections.campaigns import campaign_board


def add_commands(group: typer.Typer) -> None:
    """Add the commands to the group `campaigns`."""
    group.command("forecast")(forecast)


def forecast(campaign_id: CampaignId, *, json: AsJson = False) -> None:
    """Show when a campaign will probably be finished, and with which results."""
    with workbench(Configuration()) as bench:
        row = bench.read(campaign_board.get, campaign_id)
        if row is None:
            raise NotFound("campaign", campaign_id)
        made = bench.read(bench.forecast_reader.of_campaign, campaign_id, bench.now())
        if made is None:
            raise WrongState("The campaign is over: there is nothing to forecast.")
    if json:
        print_line(json_of(_as_json(made)))
        return
    for line in _as_text(made):
        print_line(line)


def _as_json(made: StoredForecast) -> dict[str, Any]:
    ranges = {
        quantity.lower(): _range(made, quantity)
        for quantity in Quantity
        if quantity is not Quantity.FINISH
    }
    return {
        "madeAt": made.made_at,
        "attemptsSeen": made.attempts_seen,
        "coverage": made.coverage,
        "finishesAt": {
            name: _time(made, seconds)
            for name, seconds in _range(made, Quantity.FINISH).items()
        },
        **ranges,
        "boundBy": [{"code": one.code, "share": one.share} for one in made.limits],
        "advice": list(made.advice),
        "never": [
            {"reason": one.reason, "contacts": one.contacts} for one in made.never
        ],
    }


def _range(made: StoredForecast, quantity: Quantity) -> dict[str, float | None]:
    own = made.of(quantity).intervals
    return {"p10": own.p10, "p50": own.p50, "p90": own.p90}


def _time(made: StoredForecast, seconds: float | None) -> datetime | None:
    return None if seconds is None else made.made_at + timedelta(seconds=seconds)


def _as_text(made: StoredForecast) -> list[str]:
    """Return lines with the median and the 80 % interval of each quantity."""
    finish = [
        "never" if (at := _time(made, seconds)) is None else f"{at:%Y-%m-%d %H:%M}"
        for seconds in _range(made, Quantity.FINISH).values()
    ]
    lines = [f"finished   {finish[1]} UTC (80 %: {finish[0]} to {finish[2]})"]
    for quantity in list(Quantity)[1:]:
        low, middle, high = (
            f"{value or 0:,.2f}" if quantity is Quantity.SPEND else f"{value or 0:,.0f}"
            for value in _range(made, quantity).values()
        )
        lines.append(f"{quantity.lower():<9}  {middle} (80 %: {low} to {high})")
    lines += [
        f"{one.share:>4.0%} of the time limited by {one.code}" for one in made.limits
    ]
    lines += [f"{one.contacts:,} never called: {one.reason}" for one in made.never]
    lines += list(made.advice)
    known = (
        f"not calibrated yet: fewer than {CALIBRATED_FROM} finished campaigns"
        if made.coverage is None
        else f"{made.coverage:.0%} of past campaigns ended inside the 80 % interval"
    )
    return [*lines, f"Based on {made.attempts_seen:,} finished calls; {known}."]
