"""Results of the gate: granted with a permit, wait until a time, or never."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.gate.caps import AttemptCount
from domain.outcomes import Withheld
from domain.values import WaitingCode


@dataclass(frozen=True, slots=True)
class ConsultedList:
    """A suppression list that was checked, with the date of its data."""

    name: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Permit:
    """The facts on which a call is allowed; stored with the request.

    `rules` are the ids of the rules that apply, of the rule book with the version
    `rule_book`. `attempts_before` counts the earlier calls within each frequency cap's
    window. `waived_by` is the member, or `environment`, that waived the calling hours.
    `open_until` is when the calling hours end, None if nothing restricts them: a call
    that has not rung by then is hung up.
    """

    places: tuple[str, ...]
    time_zones: tuple[str, ...]
    place_source: str
    rule_book: str
    rules: tuple[str, ...]
    lists: tuple[ConsultedList, ...]
    attempts_before: tuple[AttemptCount, ...]
    waived_by: str | None = None
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """The number may be called now."""

    permit: Permit


@dataclass(frozen=True, slots=True)
class Wait:
    """The number may not be called yet; `until` is None where no time is known."""

    code: WaitingCode
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """The number is not called for this campaign."""

    reason: Withheld


type Decision = Granted | Wait | Never
