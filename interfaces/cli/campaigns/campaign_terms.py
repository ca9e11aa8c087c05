"""Options for the terms of a campaign: retries, output rules, start and end."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from domain.campaigns.campaign_terms import CallingTerms, OutputRule
from domain.campaigns.retry_policy import PRESETS
from domain.outcomes import Disposition
from interfaces.cli.output import as_mapping

Retry = Annotated[
    str | None,
    typer.Option(
        "--retry",
        metavar="PRESET",
        help=f"Retry policy: {', '.join(PRESETS)}; default: once.",
    ),
]
StartsAt = Annotated[
    str | None,
    typer.Option(
        "--starts-at",
        metavar="TIME",
        help="No call before this time, such as 2026-12-01T09:00:00-05:00.",
    ),
]
EndsAt = Annotated[
    str | None,
    typer.Option("--ends-at", metavar="TIME", help="No call from this time on."),
]
OutputRules = Annotated[
    list[str] | None,
    typer.Option(
        "--output-rule",
        metavar="OUTPUT=VALUE=DISPOSITION",
        help="What a value (JSON or text) of an output means; may be repeated.",
    ),
]
CallbackOutput = Annotated[
    str | None,
    typer.Option("--callback-output", help="Output with the time of a callback."),
]


def terms_of(
    retry: str | None,
    starts_at: str | None,
    ends_at: str | None,
    output_rules: list[str] | None,
    callback_output: str | None,
) -> CallingTerms:
    """Return the terms that the options state; raise BadParameter for a wrong one."""
    if retry is not None and retry not in PRESETS:
        raise typer.BadParameter(f"--retry {retry}: choose {', '.join(PRESETS)}.")
    return CallingTerms(
        retry_policy=PRESETS[retry] if retry is not None else None,
        output_rules=tuple(map(_rule, output_rules or ())),
        callback_output=callback_output,
        starts_at=time_of("--starts-at", starts_at),
        ends_at=time_of("--ends-at", ends_at),
    )


def time_of(option: str, text: str | None) -> datetime | None:
    """Return the time that an option states, in UTC.

    Raises BadParameter unless it is ISO 8601 with an offset.
    """
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise typer.BadParameter(
            f"{option} {text}: write date, time and offset from UTC, such as"
            " 2026-12-01T09:00:00-05:00."
        )
    return time.astimezone(UTC)


def shown_terms(terms: CallingTerms) -> dict[str, Any]:
    """Return the terms for the output, named as in the API."""
    policy = as_mapping(terms.policy)
    policy["rules"] = [as_mapping(rule) for rule in terms.policy.rules]
    return {
        "startsAt": terms.starts_at,
        "endsAt": terms.ends_at,
        "retryPolicy": policy,
        "outputRules": [as_mapping(rule) for rule in terms.output_rules],
        "callbackOutput": terms.callback_output,
    }


def _rule(text: str) -> OutputRule:
    parts = text.rpartition("=")
    output, equals, value = parts[0].partition("=")
    if not (output and equals) or parts[2].upper() not in set(Disposition):
        raise typer.BadParameter(
            f"--output-rule {text}: write OUTPUT=VALUE=DISPOSITION, such as"
            f" booked=true=GOAL_REACHED; dispositions: {', '.join(Disposition)}."
        )
    try:
        wanted = json.loads(value)
    except ValueError:
        wanted = value
    return OutputRule(output, wanted, Disposition(parts[2].upper()))
