"""The gate's decision, by cases from the law."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import Invalid
from domain.gate.caps import AttemptCount
from domain.gate.decision import (
    CallingHours,
    CallingWindow,
    ListFinding,
    Numbers,
)
from domain.gate.permit import Granted, Never, Wait
from domain.gate.places import Places
from domain.gate.rules import (
    FrequencyCap,
    RuleBook,
    Weekday,
    Window,
)
from domain.outcomes import Withheld
from domain.values import WaitingCode
from tests.domain.gate.gate_cases import (
    CLOSES_AT_8,
    FEDERAL,
    NEW_YORK,
    NOW,
    READ,
    at,
    book,
    gate,
    places,
    rule,
)

# --- Hours --------------------------------------------------------------------------


def test_the_days_of_a_calling_window_are_in_the_order_of_the_week() -> None:
    days = [Weekday.SUN, Weekday.MON, Weekday.SUN]
    window = CallingWindow.of(days, 600, 660)
    expected = (Weekday.MON, Weekday.SUN)
    assert window == CallingWindow(expected, Window(600, 660))


@pytest.mark.parametrize("closes", [600, 599])
def test_a_calling_window_must_open_before_it_closes(closes: int) -> None:
    with pytest.raises(Invalid) as refused:
        CallingWindow.of([Weekday.MON], 600, closes)
    assert refused.value.fields == {"calling_hours": "must open before it closes"}


def test_a_call_within_the_hours_gets_a_permit_that_names_the_rules() -> None:
    now = at(NEW_YORK, "2026-12-01 14:05")
    caps = (FrequencyCap(3, 24),)
    made = gate(places("US", "US-FL"), book(FEDERAL, CLOSES_AT_8), now, caps=caps)
    yesterday, just_now = now - timedelta(hours=30), now - timedelta(hours=1)
    decided = made.decide(
        Numbers(attempts=(just_now, yesterday)), has_consent=False, now=now
    )
    assert isinstance(decided, Granted)
    permit = decided.permit
    assert permit.rules == ("US-hours", "US-FL-hours")
    assert permit.time_zones == (NEW_YORK,)
    assert permit.attempts_before == (AttemptCount(24, 1, 3),)
    assert (permit.rule_book, permit.place_source) == ("v1", "NUMBER")
    assert permit.waived_by is None


def test_a_call_after_hours_waits_until_the_next_morning() -> None:
    now = at(NEW_YORK, "2026-12-01 20:30")
    made = gate(places("US", "US-FL"), book(FEDERAL, CLOSES_AT_8), now)
    decided = made.decide(Numbers(), has_consent=False, now=now)
    assert decided == Wait(WaitingCode.OUTSIDE_HOURS, at(NEW_YORK, "2026-12-02 08:00"))


def test_every_zone_that_the_number_may_have_must_be_open() -> None:
    # 20:30 in Chicago is 21:30 in Orlando.
    both = places("US", "US-FL", zones=("America/Chicago", NEW_YORK))
    now = at("America/Chicago", "2026-12-01 20:30")
    decided = gate(both, book(FEDERAL), now).decide(
        Numbers(), has_consent=False, now=now
    )
    assert decided == Wait(
        WaitingCode.OUTSIDE_HOURS, at("America/Chicago", "2026-12-02 08:00")
    )


@pytest.mark.parametrize(
    ("day", "open_at_20_01"), [("2023-09-30", True), ("2023-10-01", False)]
)
def test_a_rule_takes_effect_on_its_local_date(
    day: int, *, open_at_20_01: bool
) -> None:
    law = rule(
        "US-CT-hours",
        "US-CT",
        ((Window(9 * 60, 20 * 60),),) * 7,
        valid_from=date(2023, 10, 1),
    )
    now = at(NEW_YORK, f"{day} 20:01")
    decided = gate(places("US", "US-CT"), book(FEDERAL, law), now).decide(
        Numbers(), has_consent=False, now=now
    )
    assert isinstance(decided, Granted) == open_at_20_01


def test_a_new_rule_flips_a_running_campaign_at_local_midnight() -> None:
    law = rule("US-NY", "US-NY", ((),) * 7, valid_from=date(2026, 12, 2))
    now = at(NEW_YORK, "2026-12-01 12:00")
    made = gate(places("US", "US-NY"), book(FEDERAL, law), now)
    assert isinstance(made.decide(Numbers(), has_consent=False, now=now), Granted)
    later = made.decide(Numbers(), has_consent=False, now=now + timedelta(days=1))
    assert later == Wait(WaitingCode.OUTSIDE_HOURS, None)


def test_a_holiday_closes_the_day_or_replaces_its_hours() -> None:
    monday = date(2026, 12, 7)
    closed = rule("US-AL", "US-AL", holidays="h")
    shorter = rule(
        "US-NE", "US-NE", holidays="h", holiday_windows=(Window(13 * 60, 21 * 60),)
    )
    now = at(NEW_YORK, "2026-12-07 12:00")
    for law, opens in ((closed, "2026-12-08 08:00"), (shorter, "2026-12-07 13:00")):
        made = gate(places("US", law.place), book(FEDERAL, law, h=[monday]), now)
        decided = made.decide(Numbers(), has_consent=False, now=now)
        assert decided == Wait(WaitingCode.OUTSIDE_HOURS, at(NEW_YORK, opens))


def test_no_call_starts_within_the_margin_before_the_hours_end() -> None:
    own = CallingHours(last_start_minutes=5)
    for minute, is_granted in ((54, True), (55, False), (59, False)):
        now = at(NEW_YORK, f"2026-12-01 20:{minute}")
        decided = gate(places("US"), book(FEDERAL), now, own).decide(
            Numbers(), has_consent=False, now=now
        )
        assert isinstance(decided, Granted) == is_granted


def test_a_call_must_still_be_open_when_its_request_may_arrive_last() -> None:
    now = at(NEW_YORK, "2026-12-01 20:59")
    made = gate(places("US"), book(FEDERAL), now)
    asked = {"has_consent": False, "now": now}
    assert isinstance(made.decide(Numbers(), **asked), Granted)  # type: ignore[arg-type]  # two arguments
    late = made.decide(Numbers(), **asked, request_limit=timedelta(seconds=65))  # type: ignore[arg-type]  # as above
    assert isinstance(late, Wait)


def test_the_night_between_two_open_days_is_no_end_of_the_hours() -> None:
    always = rule("US", "US", ((Window(0, 24 * 60),),) * 7)
    now = at(NEW_YORK, "2026-12-01 23:59")
    own = CallingHours(last_start_minutes=30)
    decided = gate(places("US"), book(always), now, own).decide(
        Numbers(), has_consent=False, now=now
    )
    assert isinstance(decided, Granted)


def test_the_campaigns_own_windows_and_blackout_dates_narrow_the_hours() -> None:
    own = CallingHours(
        windows=(CallingWindow((Weekday.TUE,), Window(600, 660)),),
        blackout_dates=(date(2026, 12, 8),),
        last_start_minutes=0,
    )
    now = at(NEW_YORK, "2026-12-01 11:30")
    decided = gate(places("US"), book(FEDERAL), now, own).decide(
        Numbers(), has_consent=False, now=now
    )
    assert decided == Wait(WaitingCode.OUTSIDE_HOURS, at(NEW_YORK, "2026-12-15 10:00"))


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (NEW_YORK, date(2026, 3, 8)),
        (NEW_YORK, date(2026, 11, 1)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
        ("America/Havana", date(2026, 3, 8)),
    ],
)
def test_hours_follow_the_wall_clock_when_it_changes(zone: str, day: date) -> None:
    window = Window(90, 150)  # 01:30 to 02:30
    law = rule("XX-hours", "XX", ((window,),) * 7)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=14)
    made = gate(places("XX", zones=(zone,)), book(law), start)
    for minutes in range(0, 38 * 60, 5):
        now = start + timedelta(minutes=minutes)
        wall = now.astimezone(ZoneInfo(zone))
        inside = window.opens <= wall.hour * 60 + wall.minute < window.closes
        decided = made.decide(Numbers(), has_consent=False, now=now)
        assert isinstance(decided, Granted) == inside, wall


# --- Frequency, start time ----------------------------------------------------------


def test_the_fourth_call_in_a_day_waits_until_the_first_leaves_the_window() -> None:
    now = at(NEW_YORK, "2026-12-01 14:00")
    attempts = tuple(now - timedelta(hours=h) for h in (1, 2, 20))
    made = gate(places("US"), book(FEDERAL), now, caps=(FrequencyCap(3, 24),))
    decided = made.decide(Numbers(attempts=attempts), has_consent=False, now=now)
    assert decided == Wait(WaitingCode.FREQUENCY_CAP, now + timedelta(hours=4))


def test_the_wait_for_a_cap_ends_when_the_hours_are_open_too() -> None:
    now = at(NEW_YORK, "2026-12-01 14:00")
    law = rule("US-FL", "US-FL", caps=(FrequencyCap(1, 8),))
    made = gate(places("US", "US-FL"), book(FEDERAL, law), now)
    decided = made.decide(Numbers(attempts=(now,)), has_consent=False, now=now)
    assert decided == Wait(WaitingCode.FREQUENCY_CAP, at(NEW_YORK, "2026-12-02 08:00"))


def test_nobody_is_called_before_the_campaign_starts() -> None:
    now = at(NEW_YORK, "2026-12-01 14:00")
    starts_at = at(NEW_YORK, "2026-12-02 07:00")
    made = gate(places("US"), book(FEDERAL), now, starts_at=starts_at)
    decided = made.decide(Numbers(), has_consent=False, now=now)
    assert decided == Wait(WaitingCode.SCHEDULED, at(NEW_YORK, "2026-12-02 08:00"))


# --- Refused, or not to be checked --------------------------------------------------


def finding(**changes: bool) -> ListFinding:
    values = {"contains": False, "covers": True, "is_stale": False, **changes}
    return ListFinding(name="DNC", as_of=READ, **values)


@pytest.mark.parametrize(
    ("number", "result"),
    [
        (Numbers(is_suppressed=True), Never(Withheld.SUPPRESSED)),
        (Numbers(lists=(finding(contains=True),)), Never(Withheld.SUPPRESSED)),
        (Numbers(lists=(finding(is_stale=True),)), Wait(WaitingCode.LIST_STALE)),
        (
            Numbers(lists=(finding(contains=True, is_stale=True),)),
            Wait(WaitingCode.LIST_STALE),
        ),
        (Numbers(lists=None), Wait(WaitingCode.RULES_UNAVAILABLE)),
    ],
)
def test_register_and_lists(number: Numbers, result: Never | Wait) -> None:
    made = gate(places("US"), book(FEDERAL), NOW)
    assert made.decide(number, has_consent=False, now=NOW) == result


def test_a_stale_list_that_does_not_cover_the_number_holds_nobody() -> None:
    number = Numbers(lists=(finding(covers=False, is_stale=True),))
    made = gate(places("US"), book(FEDERAL), NOW)
    assert isinstance(made.decide(number, has_consent=False, now=NOW), Granted)


def test_without_consent_nobody_is_called_where_the_campaign_requires_it() -> None:
    made = gate(places("US"), book(FEDERAL), NOW, requires_consent=True)
    refused = made.decide(Numbers(), has_consent=False, now=NOW)
    assert refused == Never(Withheld.NO_CONSENT)
    assert isinstance(made.decide(Numbers(), has_consent=True, now=NOW), Granted)


@pytest.mark.parametrize(
    ("where", "rules", "result"),
    [
        (None, book(FEDERAL), Wait(WaitingCode.RULES_UNAVAILABLE)),
        (places("US"), None, Wait(WaitingCode.RULES_UNAVAILABLE)),
        (places("NL"), book(FEDERAL), Wait(WaitingCode.NO_RULES)),
        (places("US", "NL"), book(FEDERAL), Wait(WaitingCode.NO_RULES)),
        (places("US", zones=()), book(FEDERAL), Never(Withheld.PLACE_UNKNOWN)),
    ],
)
def test_a_number_is_not_called_without_places_or_rules(
    where: Places | None, rules: RuleBook | None, result: Never | Wait
) -> None:
    decided = gate(where, rules, NOW).decide(Numbers(), has_consent=False, now=NOW)
    assert decided == result
