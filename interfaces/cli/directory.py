"""Commands for lines, settings and alerts."""

from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

import typer
from pydantic import TypeAdapter, ValidationError

from application.configuration import Configuration
from application.numbers import read_number
from domain.errors import Invalid
from domain.gate.caps import caps_text, read_caps
from domain.gate.rules import FrequencyCap
from domain.settings import SettingsValues
from interfaces.cli.output import (
    AsJson,
    as_mapping,
    camel,
    print_line,
    show_list,
    show_one,
    snake,
)
from interfaces.cli.workbench import Workbench, actor, workbench
from interfaces.graphql.lines import Lines
from projections import alerts

RECORDED = {"rules_waived_by", "rules_reason"}
"""Values that follow from others, and cannot be set by themselves."""

FIELDS: dict[str, Any] = {
    name: kind
    for name, kind in get_type_hints(SettingsValues).items()
    if name not in RECORDED
} | {"calling_rules_reason": str}


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("lines")(list_lines)
    app.command("settings")(show_settings)
    app.command("alerts")(list_alerts)
    app.command("allow-requests")(allow_requests)


def list_lines(*, as_json: AsJson = False) -> None:
    """List the phone numbers with their current number of calls."""
    with workbench(Configuration()) as bench:
        found = Lines(bench.provider, bench.context.now).activity()
    rows = [as_mapping(one.line, activeCalls=one.active_calls) for one in found]
    columns = ("id", "number", "name", "status", "activeCalls")
    show_list(rows, columns, as_json=as_json)


def line_here(bench: Workbench, named: str) -> str:
    """Return the id of the line with this id or number. Raises BadParameter.

    A number without + is read in the region of the settings.
    """
    lines = bench.provider.phone_numbers()
    if any(line.id == named for line in lines):
        return named
    try:
        number = read_number(named, bench.settings.values().default_region)
    except Invalid:
        number = None
    found = [line.id for line in lines if number is not None and line.number == number]
    if len(found) == 1:
        return found[0]
    known = ", ".join(line.number or line.id for line in lines) or "none"
    wrong = "more than one line has this number; write its id" if found else "no line"
    raise typer.BadParameter(f"--phone-number {named}: {wrong}. Lines: {known}.")


def list_alerts(
    *,
    most: Annotated[
        int, typer.Option("-n", "--number", min=1, max=1000, help="How many.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest alerts, newest first."""
    with workbench(Configuration()) as bench:
        rows = bench.read(alerts.newest, most)
    shown = [as_mapping(row, kind=row.kind.value, message=row.message) for row in rows]
    show_list(shown, ("raisedAt", "kind", "message"), as_json=as_json)


def allow_requests() -> None:
    """Allow calls again after both calls of a duplicate were checked."""
    with workbench(Configuration()) as bench:
        bench.settings.allow_requests_again(by=actor())
    print_line("Calls are allowed.")


def show_settings(
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", show_default=False),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the settings, or change some of them.

    To change: `autolynx settings globalCap=20 tickSeconds=30`. An empty value, or
    `null`, removes dailyBudget, alertWebhookUrl or retentionDays.

    `callingRules=OFF callingRulesReason="..."` switches the calling rules off for all
    campaigns. `frequencyCaps=3/24,7/168` allows 3 calls to a number in 24 hours and 7
    in 168 hours; an empty value removes the caps.
    """
    asked = dict(_asked(change) for change in changes or [])
    with workbench(Configuration()) as bench:
        values = bench.settings.values()
        if asked:
            values = _amended(bench, asked)
    caps = caps_text(values.frequency_caps)
    show_one(as_mapping(values, frequencyCaps=caps), as_json=as_json)


def _asked(change: str) -> tuple[str, Any]:
    name, equals, text = change.partition("=")
    field = snake(name)
    if not equals or field not in FIELDS:
        names = ", ".join(camel(known) for known in FIELDS)
        raise typer.BadParameter(f"{change!r}: write NAME=VALUE with one of {names}.")
    if text.lower() in {"", "null"} and NoneType in get_args(FIELDS[field]):
        return field, None
    if field == "frequency_caps":
        return field, _caps(change, text)
    try:
        return field, TypeAdapter(FIELDS[field]).validate_strings(text)
    except ValidationError as error:
        raise typer.BadParameter(f"{change!r}: {error.errors()[0]['msg']}.") from error


def _caps(change: str, text: str) -> tuple[FrequencyCap, ...]:
    try:
        return read_caps(text)
    except ValueError as error:
        raise typer.BadParameter(f"{change!r}: {error}.") from error


def _amended(bench: Workbench, asked: dict[str, Any]) -> SettingsValues:
    try:
        return bench.settings.amend(asked, by=actor())[0]
    except Invalid as error:
        text = "; ".join(f"{camel(name)} {what}" for name, what in error.fields.items())
        raise Invalid(f"{text}.", **error.fields) from error
