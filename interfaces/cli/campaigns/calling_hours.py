"""Options for the hours in which a campaign calls."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import typer

from domain.gate.decision import CallingHours, CallingWindow
from domain.gate.rules import WEEKDAYS, Weekday, clock
from interfaces.cli.output import as_mapping

WINDOW = re.compile(r"([A-Z,-]+) +(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")


def read_windows(texts: Sequence[str]) -> tuple[CallingWindow, ...]:
    """Return the windows that the option --hours states; an empty text is none.

    Raises BadParameter for another form, Invalid for a window that is never open.
    """
    return tuple(_window(text) for text in texts if text)


def read_dates(texts: Sequence[str]) -> tuple[date, ...]:
    """Return the days of the option --blackout-date; an empty text is none.

    Raises BadParameter for another form.
    """
    return tuple(sorted({_date(text) for text in texts if text}))


def shown_hours(hours: CallingHours) -> dict[str, Any]:
    """Return calling hours for the output, named as in the API."""
    windows = [
        {
            "days": list(one.days),
            "from": clock(one.window.opens),
            "to": clock(one.window.closes),
        }
        for one in hours.windows
    ]
    return as_mapping(hours, windows=windows)


def _window(text: str) -> CallingWindow:
    found = WINDOW.fullmatch(text.strip().upper())
    days = _days(found[1]) if found else []
    if found is None or not days:
        raise typer.BadParameter(
            f"--hours {text}: write days and times, such as"
            ' "MON-FRI 09:00-17:00" or "SAT,SUN 10:00-14:00".'
        )
    opens, closes = (60 * int(found[place]) + int(found[place + 1]) for place in (2, 4))
    return CallingWindow.of(days, opens, closes)


def _days(text: str) -> list[Weekday]:
    """Return the days of a list such as MON-WED,SAT; none if it is wrong."""
    days: list[Weekday] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not {first, last or first} <= set(WEEKDAYS):
            return []
        begins, ends = (WEEKDAYS.index(Weekday(day)) for day in (first, last or first))
        if begins > ends:
            return []
        days += WEEKDAYS[begins : ends + 1]
    return days


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"--blackout-date {text}: write a date, such as 2026-12-24."
        ) from error
