"""The shipped rules, and what is refused in a file of rules."""

from datetime import date
from pathlib import Path

import pytest

from application.calling_rules.loader import (
    SHIPPED,
    hours_in_words,
    load_rule_book,
)
from application.errors import BrokenRules
from domain.gate.rules import CallPurpose, FrequencyCap, Window

RULE = """
[[rule]]
id = "NL-hours"
place = "NL"
hours = { weekdays = ["09:00-21:00"], sat = ["10:00-16:00"], sun = [] }
source = "a law"
read_on = 2026-09-15
confidence = "M"
"""


def folder(tmp_path: Path, text: str, **lists: str) -> Path:
    (tmp_path / "holidays").mkdir()
    (tmp_path / "NL.toml").write_text(text, "utf-8")
    for name, days in lists.items():
        (tmp_path / "holidays" / f"{name}.toml").write_text(days, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        *("US", "CA", "GB", "FR", "ES", "DE", "IT", "IN", "AU", "BR"),
        *("US-AL", "US-CT", "US-FL", "US-IL", "US-IN", "US-KY", "US-LA", "US-MA"),
        *("US-MD", "US-ME", "US-MI", "US-MN", "US-MS", "US-NE", "US-NM", "US-NV"),
        *("US-NY", "US-OK", "US-PA", "US-RI", "US-SD", "US-TN", "US-TX", "US-UT"),
        *("US-VA", "US-WA", "US-WY", "BR-RJ", "BR-ES"),
    ],
)
def test_there_are_shipped_rules_for_the_place(place: str) -> None:
    rules = [rule for rule in load_rule_book().rules if rule.place == place]
    assert rules
    assert all(rule.source and rule.read_on for rule in rules)


def test_florida_allows_three_calls_in_a_day_from_8_to_20() -> None:
    book = load_rule_book()
    rules = book.rules_of(("US-FL",), CallPurpose.TELEMARKETING)
    day = date(2026, 12, 1)
    assert book.windows(rules, day) == (Window(480, 1200),)
    assert [cap for rule in rules for cap in rule.caps] == [FrequencyCap(3, 24)]


def test_france_closes_at_midday_on_sundays_and_on_holidays() -> None:
    book = load_rule_book()
    rules = book.rules_of(("FR",), CallPurpose.TELEMARKETING)
    assert book.windows(rules, date(2026, 12, 1)) == (
        Window(600, 780),
        Window(840, 1200),
    )
    assert book.windows(rules, date(2026, 12, 6)) == ()
    assert book.windows(rules, date(2026, 12, 25)) == ()


def test_the_holiday_lists_reach_nine_years_ahead() -> None:
    holidays = load_rule_book().holidays
    assert all(max(days).year >= 2035 for days in holidays.values())


def test_a_folder_of_ones_own_can_only_tighten(tmp_path: Path) -> None:
    text = RULE.replace('"NL"', '"US"').replace('["09:00-21:00"]', '["06:00-12:00"]')
    own = folder(tmp_path, text)
    book = load_rule_book([SHIPPED, own])
    rules = book.rules_of(("US",), CallPurpose.SURVEY)
    assert book.windows(rules, date(2026, 12, 1)) == (Window(480, 720),)


def test_the_version_depends_on_the_content_only(tmp_path: Path) -> None:
    own = folder(tmp_path, RULE)
    first = load_rule_book([own]).version
    (own / "NL.toml").rename(own / "other.toml")
    (own / "other.toml").write_text("# A remark.\n" + RULE, "utf-8")
    assert load_rule_book([own]).version == first
    (own / "other.toml").write_text(RULE.replace("21:00", "20:30"), "utf-8")
    assert load_rule_book([own]).version != first


def test_hours_are_shown_in_words(tmp_path: Path) -> None:
    book = load_rule_book([folder(tmp_path, RULE)])
    words = "Mon-Fri 09:00-21:00, Sat 10:00-16:00, Sun closed"
    assert hours_in_words(book.rules[0]) == words


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('id = "NL-hours"\n', "", "rule 1: id is missing"),
        ('place = "NL"', 'place = "Holland"', "no ISO 3166 code"),
        ('place = "NL"', 'place = "NL-"', "no ISO 3166 code"),
        ('["09:00-21:00"]', '["9-21"]', "'9-21' is no window"),
        ('["09:00-21:00"]', '["21:00-09:00"]', "'21:00-09:00' is no window"),
        ('["09:00-21:00"]', '["09:60-21:00"]', "'09:60-21:00' is no window"),
        ('["09:00-21:00"]', '["09:00-12:00", "11:00-21:00"]', "overlap"),
        ('["09:00-21:00"]', '"09:00-21:00"', "must be lists"),
        (", sun = []", "", "no windows for sun"),
        ("sun = []", "sunday = []", "hours may have the keys"),
        ('confidence = "M"', 'confidence = "sure"', "confidence 'sure'"),
        ("read_on = 2026-09-15", 'read_on = "yesterday"', "read_on must be a date"),
        ("read_on", 'valid_from = "soon"\nread_on', "valid_from must be a date"),
        ("read_on", "caps = [{ attempts = 3 }]\nread_on", "each cap needs attempts"),
        (
            "read_on",
            "caps = [{ attempts = 0, hours = 24 }]\nread_on",
            "must be above 0",
        ),
        ("read_on", 'holidays = "none"\nread_on', "'none' does not exist"),
        ("read_on", 'holiday_hours = ["10:00-11:00"]\nread_on', "needs holidays"),
        ("read_on", 'purposes = ["SALES"]\nread_on', "purpose 'SALES'"),
        ("read_on", "hourz = 1\nread_on", "hourz is not known"),
        ("[[rule]]", "[[rulez]]", "rulez is not known"),
        ("[[rule]]", "[[rule]", "NL.toml: "),
        (RULE, RULE + RULE, "rule 2 (NL-hours): the id is used twice"),
        (
            'hours = { weekdays = ["09:00-21:00"], sat = ["10:00-16:00"], sun = [] }\n',
            "",
            "it restricts nothing",
        ),
    ],
)
def test_a_broken_row_is_refused_with_file_row_and_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert old in RULE
    own = folder(tmp_path, RULE.replace(old, new, 1))
    with pytest.raises(BrokenRules) as refused:
        load_rule_book([own])
    assert str(refused.value).startswith("NL.toml")
    assert reason in str(refused.value)


def test_a_broken_holiday_list_is_refused(tmp_path: Path) -> None:
    own = folder(tmp_path, RULE, bank='[days]\n2026-13-01 = "x"')
    with pytest.raises(BrokenRules, match=r"^bank\.toml: "):
        load_rule_book([own])


def test_a_list_in_place_of_a_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenRules, match=r"^NL\.toml: rule must be written"):
        load_rule_book([folder(tmp_path, "rule = [1]")])


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenRules, match="does not exist"):
        load_rule_book([SHIPPED, tmp_path / "rules"])
