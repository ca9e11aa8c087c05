"""The command that places a test call."""

from typing import Annotated
from uuid import UUID

import typer

from application.campaigns.single_test_call import NewTestCall
from application.configuration import Configuration
from application.errors import Failure
from interfaces.cli.assistants import assistant_here
from interfaces.cli.directory import line_here
from interfaces.cli.output import AsJson, json_of, print_line
from interfaces.cli.workbench import actor, workbench


def add_commands(group: typer.Typer) -> None:
    """Add the command to the group `campaigns`."""
    group.command("test-call")(place)


def place(
    *,
    phone: Annotated[str, typer.Option(help="Number to call: one of your own.")],
    assistant: Annotated[
        str, typer.Option(help="Our id or the provider's; imported if new.")
    ],
    phone_number: Annotated[
        str,
        typer.Option(
            "--phone-number", help="Number or id of a line (`autolynx lines`)."
        ),
    ],
    name: Annotated[str, typer.Option(help="Name of the person.")] = "Test",
    variable: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable; may be repeated."),
    ] = None,
    request_id: Annotated[
        UUID | None,
        typer.Option(help="The same id always returns the same test call."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Place one test call, as a campaign with one contact; print the campaign's id.

    It expires if it cannot be placed within two minutes.
    """
    variables = dict(_variable(text) for text in variable or ())
    with workbench(Configuration()) as bench:
        new = NewTestCall(
            assistant_id=assistant_here(bench, assistant),
            phone_number_id=line_here(bench, phone_number),
            phone=phone,
            name=name,
            variables=variables,
            request_id=request_id,
        )
        campaign_id, _ = bench.test_calls.place(new, by=actor())
    print_line(json_of({"id": campaign_id}) if as_json else str(campaign_id))


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise Failure(f"--variable {text[:50]}: write NAME=VALUE.")
    return name.strip(), value
