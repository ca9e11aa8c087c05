"""Options for the terms of a campaign: hours, retries, output rules, start and end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms, OutputRule
from domain.gate.decision import CallingHours, HoursRule
from domain.gate.rules import CallPurpose
from domain.outcomes import Disposition
from interfaces.cli.campaigns.calling_hours import read_dates, read_windows, shown_hours
from interfaces.cli.campaigns.retry_policies import NAMES, read_policy
from interfaces.cli.output import as_mapping
from interfaces.cli.workbench import actor

Retry = Annotated[
    str | None,
    typer.Option(
        "--retry", metavar="PRESET", help=f"Retry policy: {NAMES}; default: once."
    ),
]
RetryPolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--retry-policy",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Retry policy as JSON, as in the API.",
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
Hours = Annotated[
    list[str] | None,
    typer.Option(
        "--hours",
        metavar="DAYS FROM-TO",
        help="Calling hours at the contact's place, such as 'MON-FRI 09:00-17:00'; may"
        " be repeated.",
    ),
]
BlackoutDates = Annotated[
    list[str] | None,
    typer.Option(
        "--blackout-date",
        metavar="DATE",
        help="No call on this day at the contact's place; may be repeated.",
    ),
]
LastStart = Annotated[
    int | None,
    typer.Option(
        "--last-start-minutes",
        help="No call is started so many minutes before the hours end; default: 5.",
    ),
]
Waiver = Annotated[
    str | None,
    typer.Option(
        "--waive-rules",
        metavar="REASON",
        help="Ignore the hours of the calling rules; the reason is recorded.",
    ),
]
Purpose = Annotated[
    CallPurpose,
    typer.Option(
        "--purpose",
        case_sensitive=False,
        help="Purpose of the calls, on which the calling rules depend.",
    ),
]
RequireConsent = Annotated[
    bool,
    typer.Option(
        "--require-consent", help="Call only people with a consent date in the file."
    ),
]


@dataclass(frozen=True, slots=True)
class TermsOptions:
    """Options for the terms that may change later.

    None leaves a term as it is, an empty text removes it.
    """

    retry: Retry = None
    retry_policy: RetryPolicyFile = None
    starts_at: StartsAt = None
    ends_at: EndsAt = None
    hours: Hours = None
    blackout_date: BlackoutDates = None
    last_start_minutes: LastStart = None
    waive_rules: Waiver = None
    output_rule: OutputRules = None
    callback_output: CallbackOutput = None

    def changes(self, terms: CallingTerms) -> dict[str, Any]:
        """Return the fields of `terms` that the options state, with the new values.

        Raises BadParameter for an option of a wrong form.
        """
        changed: dict[str, Any] = {}
        policy = read_policy(self.retry, self.retry_policy)
        if policy is not None:
            changed["retry_policy"] = policy
        for option, text in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            if text is not None:
                name = f"--{option.replace('_', '-')}"
                changed[option] = time_of(name, text or None)
        if self.output_rule is not None:
            changed["output_rules"] = _rules(self.output_rule)
        if self.callback_output is not None:
            changed["callback_output"] = self.callback_output or None
        hours = self._hours(terms.calling_hours)
        if hours != terms.calling_hours:
            changed["calling_hours"] = hours
        return changed

    def _hours(self, hours: CallingHours) -> CallingHours:
        """Return the hours with the changes that the options state."""
        if self.hours is not None:
            hours = replace(hours, windows=read_windows(self.hours))
        if self.blackout_date is not None:
            hours = replace(hours, blackout_dates=read_dates(self.blackout_date))
        if self.last_start_minutes is not None:
            hours = replace(hours, last_start_minutes=self.last_start_minutes)
        if self.waive_rules is None:
            return hours
        if not self.waive_rules:
            return replace(hours, rules=HoursRule.LAW, waived_by=None, reason=None)
        # Whoever may run commands here may do what admins may do.
        return replace(
            hours, rules=HoursRule.ANY, waived_by=actor(), reason=self.waive_rules
        )


@dataclass(frozen=True, slots=True)
class NewTermsOptions(TermsOptions):
    """Options for the terms of a new campaign; purpose and consent are final."""

    purpose: Purpose = CallPurpose.TELEMARKETING
    require_consent: RequireConsent = False

    def terms(self) -> CallingTerms:
        """Return the terms; raise BadParameter for an option of a wrong form."""
        return replace(
            CALLED_ONCE,
            purpose=self.purpose,
            require_consent=self.require_consent,
            **self.changes(CALLED_ONCE),
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
        "purpose": terms.purpose,
        "callingHours": shown_hours(terms.calling_hours),
        "requireConsent": terms.require_consent,
    }


def _rules(texts: Sequence[str]) -> tuple[OutputRule, ...]:
    return tuple(_rule(text) for text in texts if text)


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
