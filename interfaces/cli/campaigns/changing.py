"""The command that changes a campaign."""

from typing import Annotated

import typer

from application.campaigns import CampaignChange
from application.configuration import Configuration
from interfaces.cli.assistants import assistant_here
from interfaces.cli.campaigns.campaign_options import CampaignId, read_budget
from interfaces.cli.output import print_line
from interfaces.cli.workbench import actor, workbench


def add_commands(group: typer.Typer) -> None:
    """Add the command to the group `campaigns`."""
    group.command("change")(change)


def change(
    campaign_id: CampaignId,
    *,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    cap: Annotated[int | None, typer.Option(help="Calls at once.")] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Budget in US dollars; an empty text removes it."),
    ] = None,
    assistant: Annotated[
        str | None,
        typer.Option(help="Our id or the provider's, before the start or in a pause."),
    ] = None,
    phone_number: Annotated[
        str | None,
        typer.Option("--phone-number", help="The line, at the same times."),
    ] = None,
) -> None:
    """Change a campaign; what is not given stays."""
    with workbench(Configuration()) as bench:
        wanted = CampaignChange(
            name=name,
            cap=cap,
            budget=read_budget(budget) if budget else None,
            budget_named=budget is not None,
            assistant_id=assistant_here(bench, assistant) if assistant else None,
            phone_number_id=phone_number,
        )
        bench.campaigns.change(campaign_id, wanted, by=actor())
    print_line(str(campaign_id))
