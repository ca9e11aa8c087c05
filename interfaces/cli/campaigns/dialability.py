"""How many contacts may be called now, later or never."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import typer

from application.configuration import Configuration
from domain.errors import NotFound
from domain.gate.dialability import HOUR, Dialability
from interfaces.cli.campaigns.campaign_options import CampaignId
from interfaces.cli.output import AsJson, json_of, print_line
from interfaces.cli.workbench import workbench
from projections.campaigns import campaign_board


def add_commands(group: typer.Typer) -> None:
    """Add the command to the campaigns' commands."""
    group.command("dialability")(dialability)


def dialability(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Count the contacts that may be called now, later or never."""
    with workbench(Configuration()) as bench:
        campaign = bench.read(campaign_board.get, campaign_id)
        if campaign is None:
            raise NotFound("campaign", campaign_id)
        count, now = bench.dialability.of_campaign, bench.now()
        found = bench.read(count, campaign_id, campaign.calling_terms, now)
    if as_json:
        print_line(json_of(shown(found)))
        return
    for line in lines(found):
        print_line(line)


def shown(found: Dialability) -> dict[str, Any]:
    """Return the counts for JSON, named as in the API."""
    return {
        "at": _time(found.at),
        "contacts": found.contacts,
        "now": found.now,
        "later": [
            {
                "code": code,
                "contacts": one.contacts,
                "from": _time(one.begins) if one.begins else None,
            }
            for code, one in sorted(found.later.items())
        ],
        "never": [
            {"reason": reason, "contacts": contacts}
            for reason, contacts in sorted(found.never.items())
        ],
        "hours": [
            {"from": _time(found.at + n * HOUR), "contacts": contacts}
            for n, contacts in enumerate(found.hours)
        ],
        "placeSources": [
            {"source": source, "contacts": contacts}
            for source, contacts in sorted(found.sources.items())
        ],
    }


def lines(found: Dialability) -> Iterator[str]:
    """Yield the counts as lines of text, without those of the single hours."""
    yield f"contacts   {found.contacts}"
    yield f"now        {found.now}"
    for code, one in sorted(found.later.items()):
        begins = f", the first from {_time(one.begins)}" if one.begins else ""
        yield f"later      {code}: {one.contacts}{begins}"
    for reason, contacts in sorted(found.never.items()):
        yield f"never      {reason}: {contacts}"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
