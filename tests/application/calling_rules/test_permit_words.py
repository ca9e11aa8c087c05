"""A permit is explained in one line."""

from dataclasses import replace
from datetime import UTC, date, datetime

from application.calling_rules.loader import load_rule_book
from application.calling_rules.permit_words import permit_words
from domain.gate.caps import AttemptCount
from domain.gate.permit import ConsultedList, Permit
from domain.gate.rules import CallPurpose

BOOK = load_rule_book()
TUESDAY = datetime(2026, 12, 1, 19, 5, tzinfo=UTC)
PERMIT = Permit(
    places=("US-FL",),
    time_zones=("America/New_York",),
    place_source="NUMBER",
    rule_book=BOOK.version,
    rules=tuple(
        rule.id
        for rule in BOOK.rules_of(("US-FL",), CallPurpose.TELEMARKETING)
        if rule.week is not None
    ),
    lists=(ConsultedList("Registry", date(2026, 11, 20)),),
    attempts_before=(AttemptCount(24, 0, 3),),
)


def test_a_permit_is_explained_by_time_rules_calls_and_lists() -> None:
    assert permit_words(PERMIT, TUESDAY, BOOK) == (
        "Tuesday 14:05 in New York; Florida allows 08:00 to 20:00; US allows 08:00 to"
        " 21:00; first of 3 calls in 24 hours; list Registry of 20 November 2026"
    )


def test_all_time_zones_are_named() -> None:
    zones = ("America/Chicago", "America/New_York")
    words = permit_words(replace(PERMIT, time_zones=zones), TUESDAY, BOOK)
    assert words.startswith("Tuesday 13:05 in Chicago and Tuesday 14:05 in New York;")


def test_a_waiver_is_named_instead_of_the_rules() -> None:
    waived = replace(PERMIT, rules=(), waived_by="ann@example.com", lists=())
    assert permit_words(waived, TUESDAY, BOOK) == (
        "Tuesday 14:05 in New York; calling hours waived by ann@example.com;"
        " first of 3 calls in 24 hours"
    )


def test_rules_of_another_rule_book_are_named_by_their_ids() -> None:
    later = replace(PERMIT, rule_book="another", lists=(), attempts_before=())
    assert permit_words(later, TUESDAY, BOOK) == (
        f"Tuesday 14:05 in New York; allowed by the rules {', '.join(PERMIT.rules)}"
    )


def test_calls_without_a_known_limit_are_counted() -> None:
    counted = replace(PERMIT, attempts_before=(AttemptCount(24, 2),), lists=())
    words = permit_words(counted, TUESDAY, BOOK)
    assert words.endswith("; 2 calls before in 24 hours")
