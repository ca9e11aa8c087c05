"""Forecasts of whole campaigns."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from application.calling_rules.loader import SHIPPED, load_rule_book
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import PRESETS, RetryPolicy
from domain.forecast.advice import advice
from domain.forecast.forecast import Forecast, forecast
from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.learning.learned import learn
from domain.forecast.quantities import Quantity
from domain.forecast.situation import (
    Hours,
    Made,
    Planned,
    Situation,
    Stratum,
    hours_of,
    merged,
)
from domain.gate.decision import CallingHours, CallingWindow, Terms
from domain.gate.groups import ContactGroup
from domain.gate.places import Places, PlaceSource
from domain.gate.rules import CallPurpose, Weekday, Window
from domain.outcomes import Withheld
from domain.values import WaitingCode
from tests.domain.forecast.campaigns import NOW, a_situation, history, open_from

NOTHING = CampaignCounts()


def made_of(situation: Situation, campaigns: int = 0) -> Forecast:
    return forecast(situation, learn(history(campaigns), NOTHING), seed=1)


def width(made: Forecast, quantity: Quantity) -> float:
    found = made.quantities[quantity]
    assert found.p10 is not None
    assert found.p90 is not None
    assert found.p50
    return (found.p90 - found.p10) / found.p50


def test_without_history_the_intervals_are_wide() -> None:
    unsure, sure = made_of(a_situation()), made_of(a_situation(), 20)
    assert unsure.attempts_seen == 0
    assert width(unsure, Quantity.HUMAN) > 2 * width(sure, Quantity.HUMAN)


def test_the_same_seed_gives_the_same_forecast() -> None:
    assert made_of(a_situation()) == made_of(a_situation())


def test_more_slots_change_nothing_where_the_hours_limit_the_pace() -> None:
    hours = open_from(0, hours=1)
    few = (Stratum(hours, ("America/New_York",), 100),)
    situation = a_situation(strata=few, slots=50, terms=CallingTerms(), per_second=10)
    assert made_of(situation).advice[0] == "5 more slots: no noticeable effect."


def test_more_slots_are_advised_where_slots_limit_the_pace() -> None:
    made = made_of(a_situation(5_000, slots=2, terms=CallingTerms()))
    assert made.advice[0].startswith("5 more slots: finished ")
    assert made.advice[0].endswith("earlier.")
    assert max(made.limits, key=made.limits.__getitem__) is WaitingCode.CAP_FULL


def advised_policies(*policies: RetryPolicy) -> list[str]:
    """Return the advice about the retry policy for campaigns with these policies."""
    learned = learn(history(20), NOTHING)
    return [
        text
        for policy in policies
        for text in advice(
            a_situation(200, terms=CallingTerms(retry_policy=policy)), learned, 1
        )
        if text.startswith("retry policy ")
    ]


def test_another_retry_policy_is_advised_if_more_people_answer() -> None:
    [found] = advised_policies(PRESETS["once"])
    assert re.fullmatch(r"retry policy \w+: .*\d+ more human answers\.", found)


def test_the_best_retry_policy_is_not_advised_again() -> None:
    presets = [PRESETS[name] for name in ("gentle", "patient", "urgent")]
    assert len(advised_policies(*presets)) < len(presets)


def test_wider_hours_are_simulated_and_described() -> None:
    def open_for(hours: float) -> Situation:
        stratum = Stratum(open_from(0, hours=hours), ("America/New_York",), 1_000)
        return a_situation(strata=(stratum,), slots=2, terms=CallingTerms())

    learned = learn(history(20), NOTHING)
    made = forecast(open_for(1), learned, seed=1, wider_hours=open_for(10))
    [found] = [one for one in made.advice if one.startswith("all hours")]
    assert re.search(r": finished \d+ d .* earlier", found)


def test_a_budget_that_is_too_small_leaves_contacts_uncalled() -> None:
    made = made_of(a_situation(budget=Decimal(5)))
    assert made.quantities[Quantity.FINISH].p50 is None
    assert (made.quantities[Quantity.SPEND].p90 or 0) < 7
    assert any(text.startswith("twice the budget") for text in made.advice)


def test_the_end_of_the_terms_ends_the_campaign() -> None:
    terms = CallingTerms(ends_at=NOW + timedelta(hours=1))
    made = made_of(a_situation(5_000, terms=terms))
    assert made.quantities[Quantity.FINISH].p50 == pytest.approx(3600)


def test_calls_that_were_made_count_in_the_totals() -> None:
    done = Made(calls=40, answered=20, human=10, goals=3, spend=Decimal(7))
    made = made_of(a_situation(30, made=done, terms=CallingTerms()))
    assert made.quantities[Quantity.CALLS].p50 == pytest.approx(70, abs=1)
    assert (made.quantities[Quantity.SPEND].p10 or 0) >= 7


def test_a_small_campaign_is_simulated_contact_by_contact() -> None:
    made = made_of(a_situation(5, terms=CallingTerms()), 20)
    assert made.quantities[Quantity.CALLS].quantiles == (5.0,) * 19


@pytest.mark.parametrize("contacts", [10, 100])
def test_contacts_who_wait_for_their_last_call_get_one_call(contacts: int) -> None:
    """Ten are simulated contact by contact, a hundred by stratum."""
    last = (Planned(attempt=2, due=60.0, contacts=contacts),)
    stratum = Stratum(open_from(0), ("America/New_York",), 0, last)
    made = made_of(a_situation(strata=(stratum,)))
    assert made.quantities[Quantity.CALLS].p90 == contacts


def test_planned_calls_are_made_when_they_are_due() -> None:
    later = Planned(attempt=2, due=7_200, contacts=50)
    stratum = Stratum(open_from(0), ("America/New_York",), 0, (later,))
    made = made_of(a_situation(strata=(stratum,)), 20)
    assert (made.quantities[Quantity.FINISH].p10 or 0) > 7_200


def test_an_empty_campaign_is_over() -> None:
    made = made_of(a_situation(0, never={Withheld.SUPPRESSED: 3}))
    assert made.quantities[Quantity.CALLS].p90 == 0
    assert made.never == {Withheld.SUPPRESSED: 3}
    assert made.advice == ()


# --- The gate's hours -----------------------------------------------------------------

FLORIDA = ContactGroup(
    Places(("US", "US-FL"), ("America/New_York",), PlaceSource.COLUMN),
    has_consent=False,
)
WEEKDAYS = (Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI)


def test_calls_are_simulated_only_when_the_real_gate_allows_them() -> None:
    book = load_rule_book((SHIPPED,))
    terms = Terms(CallPurpose.TELEMARKETING, CallingHours(), book)
    now = datetime(2026, 3, 2, 6, tzinfo=UTC)
    hours = hours_of(terms, FLORIDA, now)
    opens, closes = hours.spans[0]
    # Florida: 8:00 to 20:00 local time, which is UTC-5; no start in the last 5 minutes.
    assert opens == 7 * 3600
    assert closes == 19 * 3600 - 300
    assert len(hours.spans) > 30


def test_contacts_that_the_gate_refuses_for_good_are_never_called() -> None:
    terms = Terms(
        CallPurpose.TELEMARKETING, CallingHours(), None, False, requires_consent=True
    )
    assert hours_of(terms, FLORIDA, NOW).never is Withheld.NO_CONSENT


def test_windows_of_the_campaign_restrict_the_simulated_hours() -> None:
    window = CallingWindow(WEEKDAYS, Window(9 * 60, 10 * 60))
    terms = Terms(
        CallPurpose.TELEMARKETING, CallingHours(windows=(window,)), None, False
    )
    hours = hours_of(terms, FLORIDA, NOW)
    assert all(end - start == 55 * 60 for start, end in hours.spans[1:])


def test_groups_with_the_same_hours_are_one_stratum() -> None:
    one, other = open_from(0), open_from(5)
    strata = [Stratum(one, (), 3), Stratum(other, (), 1), Stratum(one, (), 4)]
    assert [each.fresh for each in merged(strata)] == [7, 1]
    nearest = Stratum(open_from(4.9), (), 1)
    assert [each.fresh for each in merged([*strata, nearest], most=2)] == [7, 2]


def test_hours_that_begin_later_are_closed_until_then() -> None:
    hours = Hours(((10.0, 20.0), (30.0, 40.0)))
    assert [hours.is_open(at) for at in (5, 10, 19.9, 20, 35)] == [
        False,
        True,
        True,
        False,
        True,
    ]
    assert (hours.next_start(10), hours.next_start(30)) == (30, None)
    assert replace(hours, spans=()).next_start(0) is None
