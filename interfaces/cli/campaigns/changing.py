"""The command that changes a campaign."""

from typing import Annotated

import typer

from application.campaigns.campaigns import CampaignChange
from application.configuration import Configuration
from domain.campaigns.campaign import Campaign
from interfaces.cli.assistants import assistant_here
from interfaces.cli.campaigns.campaign_options import CampaignId, read_budget
from interfaces.cli.campaigns.campaign_terms import TermsOptions
from interfaces.cli.directory import line_here
from interfaces.cli.option_groups import takes
from interfaces.cli.output import print_line
from interfaces.cli.workbench import actor, workbench

NewName = Annotated[str | None, typer.Option(help="The new name.")]
NewCap = Annotated[int | None, typer.Option(help="Calls at once.")]
NewGating = Annotated[
    bool | None,
    typer.Option(
        "--line-quiet-gating/--no-line-quiet-gating",
        help="Dial only on a quiet line, or always.",
    ),
]
NewBudget = Annotated[
    str | None,
    typer.Option(help="Budget in US dollars; an empty text removes it."),
]
NewAssistant = Annotated[
    str | None,
    typer.Option(help="Our id or the provider's, before the start or in a pause."),
]
NewLine = Annotated[
    str | None,
    typer.Option("--phone-number", help="Number or id of the line, at the same times."),
]


def add_commands(group: typer.Typer) -> None:
    """Add the command to the group `campaigns`."""
    group.command("change")(change)


@takes(terms=TermsOptions)
def change(
    campaign_id: CampaignId,
    *,
    name: NewName = None,
    cap: NewCap = None,
    line_quiet_gating: NewGating = None,
    budget: NewBudget = None,
    assistant: NewAssistant = None,
    phone_number: NewLine = None,
    terms: TermsOptions,
) -> None:
    """Change a campaign that is not finished; what is not given stays.

    An empty text removes a value, such as --budget "" or --hours "". Options that may
    be repeated replace all earlier values. Mode, purpose, consent and compared
    assistants are final.
    """
    with workbench(Configuration()) as bench:
        campaign = bench.app.load(Campaign, campaign_id)
        wanted = CampaignChange(
            name=name,
            cap=cap,
            line_quiet_gating=line_quiet_gating,
            budget=read_budget(budget) if budget else None,
            budget_named=budget is not None,
            terms=terms.changes(campaign.terms),
            assistant_id=assistant_here(bench, assistant) if assistant else None,
            phone_number_id=(
                None if phone_number is None else line_here(bench, phone_number)
            ),
        )
        bench.campaigns.change(campaign_id, wanted, by=actor())
    print_line(str(campaign_id))
