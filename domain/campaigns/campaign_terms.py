"""What a member chooses for a campaign, and its limits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.campaign_period import has_begun, has_ended
from domain.campaigns.retry_policy import ONCE, RetryPolicy, check_policy
from domain.errors import Invalid
from domain.gate.decision import LAWFUL_HOURS, CallingHours, HoursRule
from domain.gate.rules import CallPurpose
from domain.outcomes import Disposition
from domain.values import AMOUNT_RULE, DialMode, is_amount

CAPS = range(1, 10_001)
LONGEST_NAME = 200
LONGEST_OUTPUT_NAME = 200
LONGEST_OUTPUT_VALUE = 1_000
MOST_OUTPUT_RULES = 50
LONGEST_REASON = 1_000
MOST_WINDOWS = 50
MOST_BLACKOUT_DATES = 1_000
LAST_START_MINUTES = range(241)
WRONG_ESCAPE = re.compile(r"~(?![01])")
"""A tilde that escapes nothing; RFC 6901, section 3, allows ~0 and ~1 only."""


@dataclass(frozen=True, slots=True)
class OutputRule:
    """Gives a call the disposition `means` if one of its outputs equals a value.

    `output` is the name of a structured output, or a JSON pointer into the analysis
    of the call. `equals` is a JSON value.
    """

    output: str
    equals: Any
    means: Disposition


@dataclass(frozen=True, slots=True)
class CallingTerms:
    """When and how often contacts are called, and what their calls' outputs mean.

    `retry_policy` is None if each contact is called once. `callback_output` names the
    structured output that contains the requested time of a callback. No call is placed
    before `starts_at`, or at `ends_at` and later; None: without such a limit. The
    calling rules depend on the `purpose`. With `require_consent`, contacts without a
    consent date are not called.
    """

    retry_policy: RetryPolicy | None = None
    output_rules: tuple[OutputRule, ...] = ()
    callback_output: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    purpose: CallPurpose = CallPurpose.TELEMARKETING
    calling_hours: CallingHours = LAWFUL_HOURS
    require_consent: bool = False

    @property
    def policy(self) -> RetryPolicy:
        """The retry policy; without one every contact is called once."""
        return self.retry_policy or ONCE

    @property
    def need_reports(self) -> bool:
        """Whether the report of a call decides what happens to its contact."""
        return (
            self.policy.calls_again
            or bool(self.output_rules)
            or self.callback_output is not None
        )

    def for_redial_of(self, earlier: "CallingTerms") -> "CallingTerms":
        """Return these terms, which protect contacts as the earlier terms did.

        A redial requires consent if the earlier campaign did. Unless it states hours of
        its own, it has the earlier ones. A waiver of the calling rules is not taken
        over.
        """
        hours = self.calling_hours
        if not hours.restrict:
            hours = replace(
                hours,
                windows=earlier.calling_hours.windows,
                blackout_dates=earlier.calling_hours.blackout_dates,
            )
        consent = self.require_consent or earlier.require_consent
        return replace(self, calling_hours=hours, require_consent=consent)

    def has_begun(self, at: datetime) -> bool:
        """Return whether the start time, if any, has come."""
        return has_begun(self.starts_at, at)

    def has_ended(self, at: datetime) -> bool:
        """Return whether the end time, if any, has come."""
        return has_ended(self.ends_at, at)


CALLED_ONCE = CallingTerms()
"""The terms of a campaign for which nothing was chosen; those of release 1."""


@dataclass(frozen=True, slots=True)
class AsCreated:
    """The values with which a campaign was created; later changes do not alter them.

    They identify a repeated request to create it.
    """

    name: str
    assistant_id: UUID
    phone_number_id: str
    cap: int
    mode: DialMode
    line_quiet_gating: bool
    budget: Decimal | None
    terms: CallingTerms = CALLED_ONCE


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the contacts: the assistant, and the line from which it calls.

    `longest_call_seconds` is the limit in the assistant's configuration, the highest
    one if the campaign compares assistants.
    """

    assistant_id: UUID
    provider_assistant_id: str
    longest_call_seconds: int
    phone_number_id: str


def check_terms(name: str, cap: int, budget: Decimal | None) -> None:
    """Raise Invalid unless each value is in bounds; the budget is in US dollars."""
    wrong: dict[str, str] = {}
    if not name.strip():
        wrong["name"] = "is empty"
    elif len(name) > LONGEST_NAME:
        wrong["name"] = f"must have at most {LONGEST_NAME} characters"
    if cap not in CAPS:
        wrong["cap"] = f"must be from {CAPS[0]} to {CAPS[-1]:,}"
    if budget is not None and not is_amount(budget):
        wrong["budget"] = f"{AMOUNT_RULE}, or null for no limit"
    if wrong:
        message = "; ".join(f"{field} {what}" for field, what in wrong.items())
        raise Invalid(f"{message[0].upper()}{message[1:]}.", **wrong)


def check_line(phone_number_id: str) -> None:
    """Raise Invalid unless a line of the provider is named."""
    if not phone_number_id.strip() or len(phone_number_id) > LONGEST_NAME:
        raise Invalid("Choose a line to call from.", phoneNumberId="must name a line")


def check_calling_terms(terms: CallingTerms, at: datetime) -> None:
    """Raise Invalid unless the terms can be followed from the time `at` on."""
    if terms.retry_policy is not None:
        check_policy(terms.retry_policy)
    _check_rules(terms.output_rules)
    if terms.callback_output is not None and not _is_name(terms.callback_output):
        wrong = f"must have from 1 to {LONGEST_OUTPUT_NAME} characters"
        raise Invalid(f"The name of the output {wrong}.", callbackOutput=wrong)
    if terms.has_ended(at):
        raise Invalid("The end must be in the future.", endsAt="is over")
    if terms.starts_at is not None and terms.has_ended(terms.starts_at):
        raise Invalid("The end must follow the start.", endsAt="precedes startsAt")
    fault = _wrong_hours(terms.calling_hours)
    if fault is not None:
        raise Invalid(f"The calling hours {fault}.", calling_hours=fault)


def _wrong_hours(hours: CallingHours) -> str | None:
    """Return what is wrong with calling hours; a waiver needs a name and a reason."""
    waived = hours.rules is HoursRule.ANY
    reason = (hours.reason or "").strip()
    faults = {
        "may only be waived by an admin, with a reason": (
            waived and not (hours.waived_by and reason)
        ),
        "have a reason although they are not waived": (
            not waived and bool(hours.waived_by or reason)
        ),
        f"must have a reason of at most {LONGEST_REASON:,} characters": (
            len(reason) > LONGEST_REASON
        ),
        f"must have lastStartMinutes from 0 to {LAST_START_MINUTES[-1]}": (
            hours.last_start_minutes not in LAST_START_MINUTES
        ),
        f"must have at most {MOST_WINDOWS} windows": len(hours.windows) > MOST_WINDOWS,
        "must have a day in each window": not all(one.days for one in hours.windows),
        f"must have at most {MOST_BLACKOUT_DATES:,} blackout dates": (
            len(hours.blackout_dates) > MOST_BLACKOUT_DATES
        ),
    }
    return next((fault for fault, is_so in faults.items() if is_so), None)


def _check_rules(rules: tuple[OutputRule, ...]) -> None:
    """Raise Invalid, which names the first wrong field by its path.

    The path contains the index of the rule, such as outputRules.0.output; the message
    contains its number, from 1.
    """
    if len(rules) > MOST_OUTPUT_RULES:
        wrong = f"may be at most {MOST_OUTPUT_RULES}"
        raise Invalid(f"The output rules {wrong}.", outputRules=wrong)
    for index, rule in enumerate(rules):
        for name, wrong in _faults(rule):
            path = f"outputRules.{index}.{name}"
            raise Invalid(f"Output rule {index + 1}: {name} {wrong}.", **{path: wrong})


def _faults(rule: OutputRule) -> Iterator[tuple[str, str]]:
    """Yield the name of each wrong field of a rule, and its fault."""
    if not _is_name(rule.output):
        yield "output", f"must have from 1 to {LONGEST_OUTPUT_NAME} characters"
    elif rule.output.startswith("/") and WRONG_ESCAPE.search(rule.output):
        yield "output", "is no JSON pointer: write ~0 for a ~, and ~1 for a / in a name"
    if len(repr(rule.equals)) > LONGEST_OUTPUT_VALUE:
        yield "equals", f"must have at most {LONGEST_OUTPUT_VALUE:,} characters"


def _is_name(output: str) -> bool:
    return bool(output.strip()) and len(output) <= LONGEST_OUTPUT_NAME


def terms_as_fields(terms: CallingTerms) -> dict[str, Any]:
    """Return the terms as fields of an event."""
    return {field.name: getattr(terms, field.name) for field in fields(terms)}
