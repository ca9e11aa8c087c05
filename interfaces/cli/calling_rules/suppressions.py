"""Commands for numbers that may not be called."""

import typer

from interfaces.cli.calling_rules import suppression_lists, suppression_register


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    suppressions = typer.Typer(
        help="Numbers that may not be called.", rich_markup_mode=None
    )
    suppression_register.add_commands(suppressions)
    suppression_lists.add_commands(suppressions)
    app.add_typer(suppressions, name="suppressions")
