"""The command that shows the calling rules."""

from datetime import date
from typing import Annotated

import typer

from application.calling_rules.loader import describe, hours_in_words, load_rule_book
from application.configuration import Configuration
from interfaces.cli.output import AsJson, camel, print_note, show_list
from interfaces.cli.workbench import utc_now

NO_ADVICE = "These rules are a starting point, not legal advice."


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("rules")(show_rules)


def show_rules(
    *,
    place: Annotated[
        str | None, typer.Option(help="Country or state, such as US or US-FL.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="Date, such as 2026-12-01; today by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the calling rules in force, with their sources."""
    day = _day(on)
    book = load_rule_book(Configuration().rule_folders)
    wanted = None if place is None else {place.upper(), place.upper()[:2]}
    rules = [
        rule
        for rule in book.rules
        if rule.applies_on(day) and (wanted is None or rule.place in wanted)
    ]
    rows = [
        {camel(name): value for name, value in describe(rule).items()}
        | {
            "hoursInWords": hours_in_words(rule),
            "frequency": ", ".join(f"{c.attempts} in {c.hours} h" for c in rule.caps),
            "ruleBook": book.version,
        }
        for rule in rules
    ]
    columns = ("id", "hoursInWords", "frequency", "confidence", "source")
    show_list(rows, columns, as_json=as_json)
    if not as_json:
        print_note(NO_ADVICE)


def _day(text: str | None) -> date:
    if text is None:
        return utc_now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"--on {text!r} is no date; write it like 2026-12-01."
        raise typer.BadParameter(message) from None
