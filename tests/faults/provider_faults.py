"""The faults of a virtual provider: how often they happen, and what it answers."""

from dataclasses import dataclass, fields

from application.ports import NeverLeft, Outcome, Unknown
from domain.values import RefusalKind


@dataclass(frozen=True)
class Rates:
    """Probabilities, 0 to 1, of each fault of requests, reads, messages and calls.

    `person` and `end_contact`, `end_carrier` are the shares of the contacts that are
    always refused, before or after the 201. `two_reports`, `late_report` and
    `incomplete_report` are explained in `reporting_faults`. `forged` is the share of
    calls about which a message names another provider id, `forged_early` the share of
    these messages that arrive before the answer to the request. `list_lag` is
    different: the longest time in seconds until a call is listed.
    """

    error_before: float = 0.06
    error_after: float = 0.06
    late_after: float = 0.03
    not_now: float = 0.08
    never_left: float = 0.04
    refused: float = 0.01
    account: float = 0.003
    person: float = 0.04
    blocked: float = 0.03
    reads: float = 0.1
    lost: float = 0.1
    late: float = 0.25
    twice: float = 0.15
    end_capacity: float = 0.06
    end_account: float = 0.003
    end_contact: float = 0.03
    end_carrier: float = 0.02
    end_platform: float = 0.05
    two_reports: float = 0.2
    late_report: float = 0.08
    incomplete_report: float = 0.25
    forged: float = 0.03
    forged_early: float = 0.5
    list_lag: float = 12.0


REFUSALS: dict[str, tuple[RefusalKind, int, str]] = {
    "not_now": (RefusalKind.CAPACITY, 429, "Too many requests"),
    "over_limit": (RefusalKind.CAPACITY, 400, "Over Concurrency Limit."),
    "refused": (RefusalKind.PLATFORM, 400, "something else"),
    "account": (RefusalKind.ACCOUNT, 402, "Wallet balance is too low."),
    "number": (
        RefusalKind.CONTACT,
        400,
        "customer.number must be a valid phone number in the E.164 format.",
    ),
    "person": (
        RefusalKind.CONTACT,
        400,
        "Free Vapi numbers do not support international calls.",
    ),
}
"""What a refusal before the 201 is about, its status and its message."""

UNREACHED: dict[str | None, Outcome] = {
    "error_before": Unknown("500"),
    "never_left": NeverLeft("connection refused"),
}
"""Outcomes of requests that the provider neither acted on nor refused."""

FAULTS = (
    *("error_before", "error_after", "late_after", "not_now"),
    *("never_left", "refused", "account", "blocked"),
)

PERFECT = Rates(*[0.0] * len(fields(Rates)))
