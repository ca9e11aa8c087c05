"""Rules, places and gates for tests of the gate's decision."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.gate.decision import (
    CallingHours,
    Gate,
    Terms,
)
from domain.gate.places import Places, PlaceSource
from domain.gate.rules import (
    CallPurpose,
    Confidence,
    Rule,
    RuleBook,
    Week,
    Window,
)

READ = date(2026, 9, 15)
EVERY_DAY: Week = ((Window(8 * 60, 21 * 60),),) * 7


def rule(id_: str, place: str, week: Week | None = EVERY_DAY, **more: object) -> Rule:
    return Rule(
        id=id_,
        place=place,
        purposes=frozenset(CallPurpose),
        source="a law",
        read_on=READ,
        confidence=Confidence.HIGH,
        week=week,
        **more,  # type: ignore[arg-type]  # the fields of a rule
    )


def book(*rules: Rule, **holidays: Collection[date]) -> RuleBook:
    days = {name: frozenset(dates) for name, dates in holidays.items()}
    return RuleBook("v1", rules, days)


def places(*codes: str, zones: tuple[str, ...] = ("America/New_York",)) -> Places:
    return Places(codes, zones, PlaceSource.NUMBER)


def gate(
    where: Places | None,
    rules: RuleBook | None,
    now: datetime,
    hours: CallingHours | None = None,
    **terms: object,
) -> Gate:
    given_terms = {"purpose": CallPurpose.TELEMARKETING, **terms}
    own = hours or CallingHours(last_start_minutes=0)
    return Gate(Terms(hours=own, rule_book=rules, **given_terms), where, now)  # type: ignore[arg-type]  # the fields of Terms


def at(zone: str, wall_time: str) -> datetime:
    local = datetime.fromisoformat(wall_time).replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


NEW_YORK = "America/New_York"
FEDERAL = rule("US-hours", "US")
CLOSES_AT_8 = rule("US-FL-hours", "US-FL", ((Window(8 * 60, 20 * 60),),) * 7)
NOW = at(NEW_YORK, "2026-12-01 14:00")
