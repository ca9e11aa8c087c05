"""What the provider may report of a call, by chance."""

from random import Random

from domain.calls.reports import OutcomeBasis, OutcomeFinding
from domain.outcomes import (
    CallOutcome,
    Disposition,
    DispositionSource,
    ReportedOutcome,
)
from domain.values import Refusal, RefusalKind

REASONS = ("customer-ended-call", "voicemail", None)
REFUSALS = [Refusal(kind, None, "rule") for kind in RefusalKind]


def finding(random: Random) -> OutcomeFinding | None:
    """Return what a message proves about the outcome, if anything."""
    outcome = ReportedOutcome(random.choice(list(CallOutcome)), "rule")
    basis = random.choice(list(OutcomeBasis))
    return random.choice((None, OutcomeFinding(outcome, basis)))


def disposition(random: Random) -> tuple[Disposition | None, DispositionSource]:
    """Return a disposition, or its absence, with a source that calls have."""
    source = random.choice((DispositionSource.OUTPUT, DispositionSource.TOOL))
    return random.choice((None, *Disposition)), source
