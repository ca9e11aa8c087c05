"""Agreeing on a callback: the time that was named, or the next possible ones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.callbacks import (
    BETWEEN_OFFERS,
    LONGEST_AHEAD,
    MOST_OFFERS,
    SHORTEST_AHEAD,
    CallbackLimits,
    CallbackTime,
    CallbackWish,
    NotAgreed,
    Obstacle,
    agree,
    agree_to_output,
)

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
CHICAGO, NEW_YORK = "America/Chicago", "America/New_York"
LIMITS = CallbackLimits(NOW, (CHICAGO,))


def limits(*zones: str, ends_at: datetime | None = None) -> CallbackLimits:
    return CallbackLimits(NOW, zones or (CHICAGO,), ends_at)


def at(text: str, zone: str | None = None) -> CallbackWish:
    return CallbackWish(datetime.fromisoformat(text), zone)


def test_a_wall_time_is_meant_where_the_number_belongs() -> None:
    agreed = agree(at("2026-03-03T15:00"), LIMITS)
    assert agreed == CallbackTime(datetime(2026, 3, 3, 21, 0, tzinfo=UTC), CHICAGO)
    assert agreed.local.isoformat() == "2026-03-03T15:00:00-06:00"


def test_a_time_with_an_offset_is_that_instant() -> None:
    agreed = agree(at("2026-03-03T15:00-05:00"), LIMITS)
    assert agreed == CallbackTime(datetime(2026, 3, 3, 20, 0, tzinfo=UTC), CHICAGO)


def test_a_number_of_two_time_zones_asks_which_one_is_meant() -> None:
    """Area code 928: Arizona has no daylight saving time, the Navajo Nation has."""
    zones = ("America/Phoenix", "America/Denver")
    summer = agree(at("2026-04-15T15:00"), limits(*zones))
    assert isinstance(summer, NotAgreed)
    assert summer.obstacle is Obstacle.ZONE_AMBIGUOUS
    assert [time.time_zone for time in summer.possible] == [*zones]
    assert {time.local.hour for time in summer.possible} == {15}
    for time in summer.possible:
        assert agree(at("2026-04-15T15:00", time.time_zone), limits(*zones)) == time


def test_time_zones_that_agree_at_that_time_need_no_question() -> None:
    winter = agree(at("2026-03-04T15:00"), limits("America/Phoenix", "America/Denver"))
    assert winter == CallbackTime(
        datetime(2026, 3, 4, 22, 0, tzinfo=UTC), "America/Phoenix"
    )


@pytest.mark.parametrize("zone", ["Chicago", "", "Mars/Base", "../etc/passwd"])
def test_an_unknown_time_zone_is_asked_for(zone: str) -> None:
    refused = agree(at("2026-03-03T15:00", zone), LIMITS)
    assert refused == NotAgreed(Obstacle.ZONE_UNKNOWN)


def test_a_number_of_unknown_place_needs_a_time_zone() -> None:
    unplaced = CallbackLimits(NOW, ())
    refused = agree(at("2026-03-03T15:00"), unplaced)
    assert refused == NotAgreed(Obstacle.ZONE_UNKNOWN)
    named = agree(at("2026-03-03T15:00", CHICAGO), unplaced)
    assert isinstance(named, CallbackTime)


def test_a_time_that_the_clocks_skip_is_not_agreed() -> None:
    refused = agree(at("2026-03-08T02:30"), LIMITS)
    assert isinstance(refused, NotAgreed)
    assert refused.obstacle is Obstacle.NO_SUCH_TIME
    assert refused.possible[0].local.isoformat() == "2026-03-08T03:30:00-05:00"


def test_of_a_time_that_comes_twice_the_first_is_agreed() -> None:
    autumn = CallbackLimits(datetime(2026, 10, 31, tzinfo=UTC), (CHICAGO,))
    agreed = agree(at("2026-11-01T01:30"), autumn)
    assert isinstance(agreed, CallbackTime)
    assert agreed.local.isoformat() == "2026-11-01T01:30:00-05:00"


@pytest.mark.parametrize(
    ("wish", "obstacle"),
    [
        ("2026-03-02T11:00", Obstacle.PAST),
        ("2026-05-02T15:00", Obstacle.TOO_FAR),
        ("2026-03-05T15:00", Obstacle.AFTER_END),
    ],
)
def test_an_impossible_time_is_answered_with_possible_times(
    wish: str, obstacle: Obstacle
) -> None:
    end = NOW + timedelta(days=1)
    refused = agree(at(wish), limits(ends_at=end))
    assert isinstance(refused, NotAgreed)
    assert refused.obstacle is obstacle
    assert [time.due_at for time in refused.possible] == [
        NOW + timedelta(hours=n, minutes=15) for n in range(3)
    ]


def test_a_campaign_that_ends_now_offers_nothing() -> None:
    refused = agree(at("2026-03-03T15:00"), limits(ends_at=NOW))
    assert refused == NotAgreed(Obstacle.AFTER_END)


def test_nobody_is_called_back_more_often_than_allowed() -> None:
    used_up = CallbackLimits(NOW, (CHICAGO,), callbacks_left=0)
    assert agree(at("2026-03-03T15:00"), used_up) == NotAgreed(Obstacle.NO_MORE)


# --- For any wish and any limits ------------------------------------------------------

ZONES = st.sampled_from(
    [CHICAGO, NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe", "Europe/London"]
)
MINUTES = st.integers(-3 * 24 * 60, 70 * 24 * 60)


@st.composite
def wishes(draw: st.DrawFn) -> CallbackWish:
    time = NOW + timedelta(minutes=draw(MINUTES))
    zone = draw(st.none() | ZONES)
    return CallbackWish(
        time if draw(st.booleans()) else time.replace(tzinfo=None), zone
    )


@st.composite
def any_limits(draw: st.DrawFn) -> CallbackLimits:
    end = draw(st.none() | MINUTES)
    opens, closes = draw(st.integers(0, 12)), draw(st.integers(13, 24))

    def next_opening(instant: datetime) -> datetime | None:
        """Open daily from `opens` to `closes` UTC."""
        day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
        opening = day + timedelta(hours=opens)
        if instant < opening:
            return opening
        return instant if instant < day + timedelta(hours=closes) else opening + DAY

    return CallbackLimits(
        NOW,
        tuple(draw(st.lists(ZONES, max_size=3, unique=True))),
        NOW + timedelta(minutes=end) if end is not None else None,
        draw(st.integers(0, 2)),
        draw(st.sampled_from([next_opening, lambda _: None, lambda at: at])),
    )


DAY = timedelta(days=1)


@given(wishes(), any_limits())
def test_an_agreed_time_is_the_named_one_and_within_every_limit(
    wish: CallbackWish, known: CallbackLimits
) -> None:
    agreed = agree(wish, known)
    if isinstance(agreed, NotAgreed):
        return
    if wish.time.tzinfo is None:
        shown = agreed.due_at.astimezone(ZoneInfo(agreed.time_zone))
        assert shown.replace(tzinfo=None) == wish.time
        assert (
            agreed.time_zone == wish.time_zone or agreed.time_zone in known.time_zones
        )
    else:
        assert agreed.due_at == wish.time
    assert_possible(agreed, known)


@given(wishes(), any_limits())
def test_each_offered_time_would_be_agreed(
    wish: CallbackWish, known: CallbackLimits
) -> None:
    refused = agree(wish, known)
    if isinstance(refused, CallbackTime):
        return
    assert len(refused.possible) <= MOST_OFFERS
    for offer in refused.possible:
        assert_possible(offer, known)
        assert agree(CallbackWish(offer.due_at, offer.time_zone), known) == offer
    if refused.obstacle is not Obstacle.ZONE_AMBIGUOUS:
        dues = [offer.due_at for offer in refused.possible]
        assert all(
            later - earlier >= BETWEEN_OFFERS for earlier, later in pairwise(dues)
        )


def assert_possible(time: CallbackTime, known: CallbackLimits) -> None:
    ahead = time.due_at - known.now
    assert SHORTEST_AHEAD <= ahead <= LONGEST_AHEAD
    assert known.ends_at is None or time.due_at < known.ends_at
    assert known.next_opening(time.due_at) == time.due_at
    assert known.callbacks_left > 0


# --- Times in outputs -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            "2026-03-03T15:00",
            CallbackTime(datetime(2026, 3, 3, 21, tzinfo=UTC), CHICAGO),
        ),
        ("2026-03-02T11:00", Obstacle.PAST),
        ("2026-03-03", Obstacle.UNREADABLE),
        ("soon", Obstacle.UNREADABLE),
        (7, Obstacle.UNREADABLE),
        ("0001-01-01T00:00", Obstacle.UNREADABLE),
        ("9999-12-31T23:59", Obstacle.UNREADABLE),
    ],
)
def test_a_time_in_an_output_is_agreed_or_names_its_obstacle(
    output: object, expected: CallbackTime | Obstacle
) -> None:
    assert agree_to_output(output, LIMITS) == expected


@given(st.datetimes() | st.datetimes(timezones=st.timezones()))
def test_any_time_is_agreed_or_names_its_obstacle(time: datetime) -> None:
    assert agree_to_output(time.isoformat(), LIMITS)


def test_a_number_of_two_time_zones_has_no_callback_from_an_output() -> None:
    zones = limits("America/Phoenix", "America/Denver")
    assert agree_to_output("2026-04-15T15:00", zones) is Obstacle.ZONE_AMBIGUOUS
