"""Bounds of the settings, changes by admins, and alerts."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.errors import Invalid
from domain.settings import (
    ENVIRONMENT,
    SETTINGS_ID,
    RulesMode,
    Settings,
    SettingsValues,
    stored_values,
    values_in_force,
)
from tests.support import EPOCH, Fact, given, new_events

BY = "boss@example.com"
AT = EPOCH + timedelta(minutes=1)
TODAY = date(2026, 1, 1)
DEFAULTS = SettingsValues()
OWN = SettingsValues(global_cap=3, frequency_caps=()).with_rules(
    RulesMode.OFF, reason=None, by=ENVIRONMENT
)
"""The first values of a process whose configuration differs from the defaults."""


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {"actor": BY, **own}


def alerted(**own: Any) -> Fact:
    fields: dict[str, Any] = {
        "day": TODAY,
        "alert": "limit",
        "spend": Decimal(9),
        "budget": Decimal(9),
    }
    return fact(Settings.DailySpendAlertRaised, **fields | own)


CREATED = fact(Settings.Created, values=None)
CHANGED = fact(Settings.Changed, changed=(), values=DEFAULTS)
CREATED_EARLIER = fact(Settings.Created, values=DEFAULTS)
"""As releases stored it that fixed the first values with any event."""

ALLOWED = fact(Settings.RequestsAllowedAgain)
REPORTED = fact(Settings.UnknownReasonReported, reason="new")


def settings_with(*facts: Fact) -> Settings:
    return given(Settings, *facts)


def raise_alert(settings: Settings, **own: Any) -> None:
    _, fields = alerted(**own)
    settings.raise_daily_spend_alert(at=AT, **fields | {"by": fields.pop("actor")})


def test_settings_have_one_stream_with_a_fixed_id() -> None:
    settings = Settings.create(at=AT, by=BY)
    assert new_events(settings) == [CREATED]
    assert settings.id == SETTINGS_ID


def test_the_defaults_are_within_the_bounds() -> None:
    DEFAULTS.check()


FINE: list[dict[str, Any]] = [
    {"default_cap": 1},
    {"default_cap": 10_000},
    {"global_cap": 1},
    {"global_cap": 10_000},
    {"tick_seconds": 1},
    {"tick_seconds": 3_600},
    {"silence_timeout_seconds": 10},
    {"silence_timeout_seconds": 86_400},
    {"dials_per_second": 0.01},
    {"dials_per_second": 1_000.0},
    {"default_region": "DE"},
    {"daily_budget": Decimal("0.01")},
    {"spend_alert_threshold": Decimal("0.01")},
    {"spend_alert_threshold": Decimal(1)},
    {"retention_days": 1},
    {"retention_days": 36_500},
    {"daily_budget": Decimal("1e12")},
    {"daily_budget": Decimal("0.000000000001")},
    {"alert_webhook_url": "https://example.com/alerts"},
    {"refill_immediately": False},
]

WRONG: list[dict[str, Any]] = [
    {"daily_budget": Decimal("1e999999")},
    {"daily_budget": Decimal("1e-999999")},
    {"daily_budget": Decimal("1000000000000.01")},
    {"spend_alert_threshold": Decimal("1e-999999")},
    {"retention_days": 36_501},
    {"default_cap": 0},
    {"default_cap": 10_001},
    {"global_cap": 0},
    {"global_cap": 10_001},
    {"tick_seconds": 0},
    {"tick_seconds": 3_601},
    {"silence_timeout_seconds": 9},
    {"silence_timeout_seconds": 86_401},
    {"dials_per_second": 0.0},
    {"dials_per_second": 1_000.1},
    {"dials_per_second": float("nan")},
    {"default_region": "de"},
    {"default_region": "USA"},
    {"default_region": "U1"},
    {"default_region": "ÄÖ"},
    {"daily_budget": Decimal(0)},
    {"daily_budget": Decimal("NaN")},
    {"daily_budget": Decimal("Infinity")},
    {"spend_alert_threshold": Decimal(0)},
    {"spend_alert_threshold": Decimal("1.01")},
    {"spend_alert_threshold": Decimal("NaN")},
    {"alert_webhook_url": "hooks.example.com"},
    {"alert_webhook_url": "file:///etc/passwd"},
    {"retention_days": 0},
]


@pytest.mark.parametrize("own", FINE, ids=str)
def test_a_change_names_the_changed_settings(own: dict[str, Any]) -> None:
    settings, values = settings_with(CREATED), replace(DEFAULTS, **own)
    settings.change(values=values, first=DEFAULTS, at=AT, by=BY)
    assert new_events(settings) == [
        fact(Settings.Changed, changed=tuple(own), values=values)
    ]
    assert settings.values == values


@pytest.mark.parametrize("own", WRONG, ids=str)
def test_a_value_out_of_bounds_is_refused_and_named(own: dict[str, Any]) -> None:
    settings, values = settings_with(CREATED), replace(DEFAULTS, **own)
    with pytest.raises(Invalid) as refusal:
        settings.change(values=values, first=DEFAULTS, at=AT, by=BY)
    assert refusal.value.fields.keys() == own.keys()
    assert new_events(settings) == []


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        SettingsValues(global_cap=0, retention_days=0).check()
    assert refusal.value.fields.keys() == {"global_cap", "retention_days"}


@pytest.mark.parametrize(
    "past", [[CREATED, CHANGED], [CREATED_EARLIER]], ids=["changed", "earlier"]
)
def test_a_change_to_the_stored_values_records_nothing(past: list[Fact]) -> None:
    settings = settings_with(*past)
    settings.change(values=replace(DEFAULTS), first=OWN, at=AT, by=BY)
    assert new_events(settings) == []


# --- First values ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "past",
    [[], [CREATED], [CREATED, ALLOWED], [CREATED, alerted(), REPORTED, ALLOWED]],
    ids=["nothing", "created", "allowed", "alerted"],
)
def test_alerts_and_allowances_store_no_values(past: list[Fact]) -> None:
    settings = settings_with(*past) if past else None
    stored = stored_values(settings)
    assert stored is None
    assert values_in_force(stored, DEFAULTS) == DEFAULTS
    assert values_in_force(stored, OWN) == OWN


@pytest.mark.parametrize(
    "past",
    [
        [CREATED, CHANGED],
        [CREATED, alerted(), CHANGED, ALLOWED],
        [CREATED_EARLIER, CHANGED],
    ],
    ids=["changed", "alerted", "earlier"],
)
def test_the_first_values_end_with_a_change(past: list[Fact]) -> None:
    assert values_in_force(stored_values(settings_with(*past)), OWN) == DEFAULTS


@pytest.mark.parametrize(
    "later", [[], [alerted()], [REPORTED], [ALLOWED]], ids=["", "alert", "reason", "ok"]
)
def test_values_that_an_earlier_release_stored_still_apply(later: list[Fact]) -> None:
    """Even if only an alert stored them: an upgrade neither waives nor removes any."""
    settings = settings_with(CREATED_EARLIER, *later)
    assert values_in_force(stored_values(settings), OWN) == DEFAULTS


def test_the_first_change_stores_the_other_first_values_too() -> None:
    settings = settings_with(CREATED, alerted())
    values = replace(OWN, tick_seconds=5)
    settings.change(values=values, first=OWN, at=AT, by=BY)
    assert new_events(settings) == [
        fact(Settings.Changed, changed=("tick_seconds",), values=values)
    ]


def test_first_values_that_an_admin_confirms_are_stored() -> None:
    settings = settings_with(CREATED)
    settings.change(values=replace(DEFAULTS), first=DEFAULTS, at=AT, by=BY)
    assert new_events(settings) == [CHANGED]
    assert values_in_force(stored_values(settings), OWN) == DEFAULTS


# --- Alerts and allowances ------------------------------------------------------------


def test_each_permission_to_request_again_is_recorded() -> None:
    settings = settings_with(CREATED)
    settings.allow_requests_again(at=AT, by=BY)
    settings.allow_requests_again(at=AT, by=BY)
    assert new_events(settings) == [fact(Settings.RequestsAllowedAgain)] * 2


def test_a_spend_alert_is_raised_once_a_day() -> None:
    settings = settings_with(CREATED)
    raise_alert(settings)
    raise_alert(settings, spend=Decimal(10))
    assert new_events(settings) == [alerted()]


@pytest.mark.parametrize(
    "own",
    [{"day": date(2026, 1, 2)}, {"alert": "threshold"}, {"budget": Decimal(8)}],
    ids=str,
)
def test_another_day_kind_or_budget_raises_another_alert(own: dict[str, Any]) -> None:
    settings = settings_with(CREATED, alerted())
    raise_alert(settings, **own)
    assert new_events(settings) == [alerted(**own)]


def test_an_unknown_ended_reason_is_reported_once() -> None:
    settings = settings_with(CREATED)
    for reason in ("new", "new", "other", "new"):
        settings.report_unknown_reason(reason, at=AT, by=BY)
    assert [own["reason"] for _, own in new_events(settings)] == ["new", "other"]
