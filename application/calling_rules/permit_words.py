"""Explains a permit to people: local times, rules, calls before, lists."""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from application.places.subdivisions import SUBDIVISIONS
from domain.gate.caps import AttemptCount
from domain.gate.permit import Permit
from domain.gate.rules import CLOSED, Rule, RuleBook, clock
from domain.wording import counted

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def permit_words(permit: Permit, granted_at: datetime, book: RuleBook | None) -> str:
    """Return why a call was allowed, in one line.

    The hours of the rules are named if `book` still has the permit's version: "Tuesday
    14:05 in New York; Florida allows 08:00 to 20:00; first of 3 calls in 24 hours; list
    Registry of 20 November 2026".
    """
    return "; ".join(_parts(permit, granted_at, book))


def _parts(
    permit: Permit, granted_at: datetime, book: RuleBook | None
) -> Iterator[str]:
    local = [granted_at.astimezone(ZoneInfo(zone)) for zone in permit.time_zones]
    if local:
        yield " and ".join(
            f"{time:%A %H:%M} in {_city(zone)}"
            for time, zone in zip(local, permit.time_zones, strict=True)
        )
    if permit.waived_by is not None:
        yield f"calling hours waived by {permit.waived_by}"
    elif permit.rules:
        yield from _rules(permit, sorted({time.date() for time in local}), book)
    yield from map(_count, permit.attempts_before)
    for one in permit.lists:
        yield f"list {one.name} of {one.as_of:%-d %B %Y}"


def _rules(permit: Permit, days: list[date], book: RuleBook | None) -> Iterator[str]:
    if book is None or book.version != permit.rule_book:
        yield f"allowed by the rules {', '.join(permit.rules)}"
        return
    for rule in book.rules:
        if rule.id in permit.rules and rule.week is not None:
            hours = " and ".join(dict.fromkeys(_hours(book, rule, day) for day in days))
            yield f"{_place(rule.place)} allows {hours}"


def _hours(book: RuleBook, rule: Rule, day: date) -> str:
    windows = book.windows((rule,), day)
    if windows == CLOSED:
        return "no calls"
    return " and ".join(f"{clock(one.opens)} to {clock(one.closes)}" for one in windows)


def _count(one: AttemptCount) -> str:
    if one.limit is None:
        return f"{counted(one.attempts, 'call')} before in {counted(one.hours, 'hour')}"
    number = one.attempts + 1
    known = number <= len(ORDINALS)
    which = ORDINALS[number - 1] if known else f"number {number}"
    return f"{which} of {counted(one.limit, 'call')} in {counted(one.hours, 'hour')}"


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _place(code: str) -> str:
    return SUBDIVISIONS[code].name if code in SUBDIVISIONS else code
