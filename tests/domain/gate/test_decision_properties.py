"""The gate's decision, compared with a simple oracle."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.gate.decision import (
    Numbers,
)
from domain.gate.permit import Granted, Wait
from domain.gate.places import Places, PlaceSource
from domain.gate.rules import (
    FrequencyCap,
    Rule,
    Window,
)
from tests.domain.gate.gate_cases import NEW_YORK, NOW, book, gate, places, rule
from tests.examples import examples

ZONES = (
    NEW_YORK,
    "America/Chicago",
    "America/Phoenix",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: FIRST + timedelta(minutes=minutes)
)
windows = st.builds(
    lambda a, b: Window(min(a, b), max(a, b) + 1),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
weeks = st.tuples(*[st.lists(windows, max_size=1).map(tuple)] * 7)
rules_of = st.lists(
    st.builds(
        lambda n, place, week, day: rule(
            f"r{n}", place, week, valid_from=day, holidays="h"
        ),
        st.integers(0, 10**9),
        st.sampled_from(["US", "US-FL", "US-NY", "CA"]),
        weeks,
        st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)
holidays = st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=5)


def is_open_by_hand(
    codes: Collection[str],
    zones: Collection[str],
    rules: Collection[Rule],
    closed: Collection[date],
    now: datetime,
) -> bool:
    """Check every rule in every zone by itself, by the wall clock."""
    for zone in zones:
        wall = now.astimezone(ZoneInfo(zone))
        day, minute = wall.date(), wall.hour * 60 + wall.minute
        for one in rules:
            is_about = one.place in codes or one.place in {c[:2] for c in codes}
            if not is_about or (one.valid_from and day < one.valid_from):
                continue
            allowed = () if day in closed else (one.week or ())[day.weekday()]
            if not any(w.opens <= minute < w.closes for w in allowed):
                return False
    return True


@examples(100)
@given(
    st.sets(st.sampled_from(["US", "US-FL", "US-NY"]), min_size=1),
    st.sets(st.sampled_from(ZONES), min_size=1, max_size=3),
    rules_of,
    holidays,
    instants,
)
def test_no_permit_lies_outside_any_single_rule_or_zone(
    codes: set[str],
    zones: set[str],
    rules: list[Rule],
    closed: frozenset[date],
    now: datetime,
) -> None:
    always = rule("US-always", "US", None)
    where = Places(tuple(sorted(codes)), tuple(sorted(zones)), PlaceSource.NUMBER)
    made = gate(where, book(always, *rules, h=closed), now)
    decided = made.decide(Numbers(), has_consent=False, now=now)
    assert isinstance(decided, Granted) == is_open_by_hand(
        codes, zones, rules, closed, now
    )
    if isinstance(decided, Wait) and decided.until is not None:
        assert decided.until > now
        assert is_open_by_hand(codes, zones, rules, closed, decided.until)
        just_before = decided.until - timedelta(minutes=1)
        assert not is_open_by_hand(codes, zones, rules, closed, just_before)


@examples(80)
@given(
    st.lists(st.integers(0, 300), max_size=12, unique=True),
    st.lists(
        st.builds(FrequencyCap, st.integers(1, 4), st.integers(1, 200)), max_size=3
    ),
)
def test_no_window_ever_contains_more_calls_than_its_cap(
    hours_ago: list[int], caps: list[FrequencyCap]
) -> None:
    attempts = tuple(NOW - timedelta(hours=h) for h in hours_ago)
    made = gate(places("US"), book(rule("US", "US", None)), NOW, caps=tuple(caps))
    decided = made.decide(Numbers(attempts=attempts), has_consent=False, now=NOW)
    free = NOW if isinstance(decided, Granted) else decided.until  # type: ignore[union-attr]  # a wait
    assert free is not None
    for cap in caps:
        since = free - timedelta(hours=cap.hours)
        assert sum(attempt > since for attempt in attempts) < cap.attempts
