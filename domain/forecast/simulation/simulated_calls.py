"""Contacts and calls of a simulation, and the trace of one run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.outcomes import CallOutcome
from domain.values import ZERO, WaitingCode


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact to simulate; `stratum` is its index in the situation.

    `attempt` is the number of its next call, due `due` seconds after the begin.
    """

    stratum: int
    attempt: int = 1
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ends: `seconds` after its request, with a cost in US dollars."""

    outcome: CallOutcome
    seconds: float
    cost: Decimal = ZERO
    goal: bool = False


type Oracle = Callable[[int, int, datetime], CallEnd]
"""Returns the end of the call to a contact (index, attempt, time of the request)."""


@dataclass(frozen=True, slots=True)
class Dial:
    """A simulated request, `at` seconds after the begin."""

    at: float
    contact: int
    attempt: int


@dataclass(slots=True)
class Trace:
    """Everything that happened in one run; `finish` is None if contacts are left.

    `limited` has the seconds of dialling that each code limited, of `seconds` in total.
    """

    dials: list[Dial] = field(default_factory=list)
    ends: list[CallEnd] = field(default_factory=list)
    finish: float | None = None
    spend: Decimal = ZERO
    limited: dict[WaitingCode, float] = field(default_factory=dict)
    seconds: float = 0.0
