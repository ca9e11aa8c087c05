"""Reads the calling rules from TOML files; refuses a broken file with its place.

The rules that are shipped are in `data`, the holiday lists in `data/holidays`. An
installation may have a folder of its own in the same form: because all rules of a place
apply together, its rules can only tighten.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from application.errors import BrokenRules
from domain.gate.rules import (
    ALL_DAY,
    CLOSED,
    WEEKDAYS,
    CallPurpose,
    Confidence,
    FrequencyCap,
    Rule,
    RuleBook,
    Week,
    Window,
)

SHIPPED = Path(__file__).parent / "data"
HOLIDAYS = "holidays"

ALL_PURPOSES = frozenset(CallPurpose)
WORKDAYS = [day.lower() for day in WEEKDAYS[:5]]
WEEK_KEYS = frozenset({"daily", "weekdays", *(day.lower() for day in WEEKDAYS)})
REQUIRED = ("id", "place", "source", "read_on", "confidence")
OPTIONAL = (
    "purposes",
    "valid_from",
    "valid_to",
    "hours",
    "holidays",
    "holiday_hours",
    "caps",
    "note",
)
MOST_HOURS = 24 * 366


@dataclass(frozen=True, slots=True)
class _Row:
    """One table of a file, with what its errors name."""

    file: Path
    number: int
    values: Mapping[str, Any]

    def error(self, reason: str) -> BrokenRules:
        name = self.values.get("id")
        row = f"rule {self.number}" + (f" ({name})" if isinstance(name, str) else "")
        return BrokenRules(f"{self.file.name}, {row}: {reason}")


@cache
def shipped_ids() -> frozenset[str]:
    """Return the ids of the shipped rules; an installation's own rules have others."""
    return frozenset(rule.id for rule in load_rule_book().rules)


def load_rule_book(folders: Sequence[Path] = (SHIPPED,)) -> RuleBook:
    """Read all rules and holiday lists of the folders.

    Raises:
        BrokenRules: if a folder has no rules or cannot be read, as after a volume was
            removed, or if a file or row is not valid.
    """
    holidays = dict(_holiday_lists(folders))
    rules: dict[str, Rule] = {}
    for folder in folders:
        for row in _rows(folder):
            rule = _rule(row, holidays)
            if rule.id in rules:
                raise row.error("the id is used twice; every rule needs its own")
            rules[rule.id] = rule
    ordered = tuple(rules[id_] for id_ in sorted(rules))
    return RuleBook(_version(ordered, holidays), ordered, holidays)


def _rows(folder: Path) -> Iterator[_Row]:
    for file in _files(folder):
        content = _parsed(file)
        unknown = sorted(content.keys() - {"rule"})
        if unknown:
            raise BrokenRules(f"{file.name}: {unknown[0]} is not known; use [[rule]]")
        tables = content.get("rule", [])
        if not isinstance(tables, list):
            raise BrokenRules(f"{file.name}: rule must be written as [[rule]]")
        for number, values in enumerate(tables, 1):
            if not isinstance(values, dict):
                raise BrokenRules(f"{file.name}: rule must be written as [[rule]]")
            yield _Row(file, number, values)


def _files(folder: Path) -> list[Path]:
    found = rule_files(folder)
    if not found:
        raise BrokenRules(f"{folder.name}: the folder of rules has no .toml file")
    return found


def rule_files(folder: Path) -> list[Path]:
    """Return the TOML files of a folder, by name.

    Raises:
        BrokenRules: the folder is missing or cannot be read. `Path.glob` would return
            no file then, and the rules of the folder would be dropped unnoticed.
    """
    try:
        return sorted(one for one in folder.iterdir() if one.suffix == ".toml")
    except FileNotFoundError as error:
        what = f"{folder.name}: the folder of rules does not exist"
        raise BrokenRules(what) from error
    except OSError as error:
        reason = error.strerror or error
        what = f"{folder.name}: the folder of rules cannot be read ({reason})"
        raise BrokenRules(what) from error


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BrokenRules(f"{file.name}: {error}") from error


def _holiday_lists(
    folders: Sequence[Path],
) -> Iterator[tuple[str, frozenset[date]]]:
    known: set[str] = set()
    for folder in folders:
        lists = folder / HOLIDAYS
        for file in rule_files(lists) if lists.is_dir() else ():
            if file.stem in known:
                raise BrokenRules(f"{file.name}: there is a list of this name already")
            known.add(file.stem)
            yield file.stem, _days(file)


def _days(file: Path) -> frozenset[date]:
    days = _parsed(file).get("days")
    if not isinstance(days, dict) or not days:
        raise BrokenRules(
            f"{file.name}: needs [days] with lines like 2027-01-01 = name"
        )
    try:
        return frozenset(map(date.fromisoformat, days))
    except ValueError as error:
        raise BrokenRules(f"{file.name}: {error}") from error


# --- One rule -----------------------------------------------------------------------


def _rule(row: _Row, holidays: Mapping[str, frozenset[date]]) -> Rule:
    values = row.values
    _check_names(row)
    holiday_list = values.get("holidays")
    if holiday_list is not None and holiday_list not in holidays:
        raise row.error(f"the holiday list {holiday_list!r} does not exist")
    if "holiday_hours" in values and holiday_list is None:
        raise row.error("holiday_hours needs holidays, the name of a list")
    days = [values.get("valid_from"), values.get("valid_to")]
    for name, value in zip(("valid_from", "valid_to"), days, strict=True):
        if value is not None and not _is_date(value):
            raise row.error(f"{name} must be a date, such as 2027-01-31")
    return Rule(
        id=_text(row, "id"),
        place=_place(row),
        purposes=_purposes(row),
        source=_text(row, "source"),
        read_on=_required_date(row),
        confidence=_one_of(row, "confidence", Confidence),
        valid_from=days[0],
        valid_to=days[1],
        week=_week(row) if "hours" in values else None,
        holidays=holiday_list,
        holiday_windows=_windows(row, values.get("holiday_hours", [])),
        caps=tuple(_caps(row)),
        note=str(values.get("note", "")),
    )


def _check_names(row: _Row) -> None:
    missing = [name for name in REQUIRED if name not in row.values]
    if missing:
        raise row.error(f"{missing[0]} is missing")
    unknown = sorted(row.values.keys() - {*REQUIRED, *OPTIONAL})
    if unknown:
        raise row.error(f"{unknown[0]} is not known")
    if not row.values.keys() & {"hours", "caps", "holidays"}:
        raise row.error("it restricts nothing: give hours, holidays or caps")


def _text(row: _Row, name: str) -> str:
    value = row.values[name]
    if not isinstance(value, str) or not value.strip():
        raise row.error(f"{name} must be a text that is not empty")
    return value


def _place(row: _Row) -> str:
    place = _text(row, "place")
    country, dash, part = place.partition("-")
    if len(country) != 2 or not country.isupper() or bool(dash) != bool(part):  # noqa: PLR2004 - ISO 3166-1 alpha-2
        raise row.error(f"place {place!r} is no ISO 3166 code, such as US or US-FL")
    return place


def _purposes(row: _Row) -> frozenset[CallPurpose]:
    given = row.values.get("purposes")
    if given is None:
        return ALL_PURPOSES
    if not isinstance(given, list) or not given:
        raise row.error("purposes must be a list; leave it out for all purposes")
    unknown = [one for one in given if one not in ALL_PURPOSES]
    if unknown:
        raise row.error(f"purpose {unknown[0]!r} is none of {', '.join(CallPurpose)}")
    return frozenset(map(CallPurpose, given))


def _is_date(value: object) -> bool:
    return type(value) is date


def _required_date(row: _Row) -> date:
    value: date = row.values["read_on"]
    if not _is_date(value):
        raise row.error("read_on must be a date, such as 2027-01-31")
    return value


def _one_of[Kind](row: _Row, name: str, kind: Callable[[Any], Kind]) -> Kind:
    try:
        return kind(row.values[name])
    except ValueError:
        raise row.error(f"{name} {row.values[name]!r} is not known") from None


def _week(row: _Row) -> Week:
    hours = row.values["hours"]
    if not isinstance(hours, dict) or not hours or not hours.keys() <= WEEK_KEYS:
        raise row.error(f"hours may have the keys {', '.join(sorted(WEEK_KEYS))}")
    week: dict[str, tuple[Window, ...]] = {}
    for day in (one.lower() for one in WEEKDAYS):
        for key in (day, "weekdays" if day in WORKDAYS else "", "daily"):
            if key in hours:
                week[day] = _windows(row, hours[key])
                break
        else:
            raise row.error(f"hours name no windows for {day}; [] is closed")
    return tuple(week.values())


def _windows(row: _Row, texts: object) -> tuple[Window, ...]:
    if not isinstance(texts, list):
        raise row.error("hours must be lists such as ['08:00-21:00']; [] is closed")
    windows = tuple(sorted(_window(row, text) for text in texts))
    for one, following in pairwise(windows):
        if following.opens < one.closes:
            raise row.error(f"the hours {one} and {following} overlap")
    return windows or CLOSED


def _window(row: _Row, text: object) -> Window:
    try:
        opens, closes = str(text).split("-")
        return Window(_minutes(opens), _minutes(closes))
    except ValueError:
        raise row.error(f"{text!r} is no window such as '08:00-21:00'") from None


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    if not (len(hours) == len(minutes) == 2 and 0 <= int(minutes) < 60):  # noqa: PLR2004 - HH:MM
        raise ValueError(text)
    return int(hours) * 60 + int(minutes)


def _caps(row: _Row) -> Iterator[FrequencyCap]:
    caps = row.values.get("caps", [])
    if not isinstance(caps, list):
        raise row.error("caps must be a list such as [{ attempts = 3, hours = 24 }]")
    for cap in caps:
        if not isinstance(cap, dict) or cap.keys() != {"attempts", "hours"}:
            raise row.error("each cap needs attempts and hours, and nothing else")
        attempts, hours = cap["attempts"], cap["hours"]
        if type(attempts) is not int or type(hours) is not int:
            raise row.error("attempts and hours must be whole numbers")
        if attempts < 1 or not 1 <= hours <= MOST_HOURS:
            raise row.error(f"attempts must be above 0, hours 1 to {MOST_HOURS:,}")
        yield FrequencyCap(attempts, hours)


# --- The version --------------------------------------------------------------------


def _version(rules: Sequence[Rule], holidays: Mapping[str, frozenset[date]]) -> str:
    """Return a hash of the content, which does not depend on order or file names."""
    content = {
        "rules": [describe(rule) for rule in rules],
        "holidays": {
            name: sorted(map(str, holidays[name])) for name in sorted(holidays)
        },
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def describe(rule: Rule) -> dict[str, Any]:
    """Return a rule as plain JSON values; windows as HH:MM-HH:MM."""
    week = rule.week and {
        str(day): list(map(str, windows))
        for day, windows in zip(WEEKDAYS, rule.week, strict=True)
    }
    return {
        "id": rule.id,
        "place": rule.place,
        "purposes": sorted(map(str, rule.purposes)),
        "valid_from": rule.valid_from and rule.valid_from.isoformat(),
        "valid_to": rule.valid_to and rule.valid_to.isoformat(),
        "hours": week,
        "holidays": rule.holidays,
        "holiday_hours": list(map(str, rule.holiday_windows)),
        "caps": [[cap.attempts, cap.hours] for cap in rule.caps],
        "source": rule.source,
        "read_on": rule.read_on.isoformat(),
        "confidence": str(rule.confidence),
        "note": rule.note,
    }


def hours_in_words(rule: Rule) -> str:
    """Return the hours of a rule for people: Mon-Fri 09:00-20:00, Sat closed."""
    if rule.week is None:
        return "any hours"
    parts: list[str] = []
    start = 0
    for day in range(1, len(WEEKDAYS) + 1):
        if day == len(WEEKDAYS) or rule.week[day] != rule.week[start]:
            parts.append(f"{_days_in_words(start, day - 1)} {_words(rule.week[start])}")
            start = day
    return ", ".join(parts)


def _days_in_words(first: int, last: int) -> str:
    names = [day.title() for day in WEEKDAYS]
    return names[first] if first == last else f"{names[first]}-{names[last]}"


def _words(windows: tuple[Window, ...]) -> str:
    if windows == ALL_DAY:
        return "all day"
    return " and ".join(map(str, windows)) if windows else "closed"
