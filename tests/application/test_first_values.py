"""The configured values apply in each process until an admin changes a setting."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from application.settings import SettingsService
from domain.settings import SETTINGS_ID, Settings, SettingsValues, values_in_force
from projections.engine.rebuild import rebuild
from projections.registers import settings_board
from tests.wiring import BY, NOON, UNRESTRICTED, Clock, Services

AT_NIGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)
"""3:00 in Washington, where the contacts are."""

ENFORCED = SettingsValues(global_cap=3)
"""The first values of another process: UNRESTRICTED waives rules and caps."""

type Act = Callable[[SettingsService], int | None]


def raise_alert(settings: SettingsService) -> int | None:
    return settings.raise_daily_spend_alert(
        day=date(2026, 3, 2), alert="limit", spend=Decimal(9), budget=Decimal(9)
    )


ACTS: dict[str, Act] = {
    "allowance": lambda settings: settings.allow_requests_again(by=BY),
    "spend alert": raise_alert,
    "unknown reason": lambda settings: settings.report_unknown_reason("new"),
}


@pytest.fixture
def elsewhere(services: Services) -> SettingsService:
    """The settings of a process that has another configuration."""
    return SettingsService(app=services.app, context=services.context, first=ENFORCED)


def in_read_model(services: Services, first: SettingsValues) -> SettingsValues:
    services.settle()
    with services.reading.connection() as conn:
        return settings_board.in_force(conn, first)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_alert_or_allowance_leaves_the_values_of_each_process(
    services: Services, elsewhere: SettingsService, act: Act
) -> None:
    assert act(elsewhere) is not None
    assert services.settings.stored() is None
    assert services.settings.values() == UNRESTRICTED
    assert elsewhere.values() == ENFORCED
    assert in_read_model(services, UNRESTRICTED) == UNRESTRICTED
    assert in_read_model(services, ENFORCED) == ENFORCED
    assert services.snapshot().settings is None
    rebuild(services.url)
    assert in_read_model(services, UNRESTRICTED) == UNRESTRICTED


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_the_gate_does_not_obey_rules_of_a_process_that_raised_an_alert(
    services: Services, elsewhere: SettingsService, act: Act
) -> None:
    act(elsewhere)
    assert isinstance(services.now, Clock)
    services.now.time = AT_NIGHT
    [call_id] = services.claim(services.campaign(1))
    soon = AT_NIGHT + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon) is not None


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_change_by_an_admin_applies_to_all_processes(
    services: Services, elsewhere: SettingsService, act: Act
) -> None:
    act(elsewhere)
    changed, _ = services.settings.amend({"tick_seconds": 5}, by=BY)
    act(elsewhere)
    assert services.settings.values() == elsewhere.values() == changed
    assert in_read_model(services, ENFORCED) == changed
    assert services.snapshot().settings == changed
    rebuild(services.url)
    assert in_read_model(services, ENFORCED) == changed


def test_confirmed_first_values_apply_to_all_processes(
    services: Services, elsewhere: SettingsService
) -> None:
    confirmed, position = elsewhere.amend({"global_cap": 3}, by=BY)
    assert position is not None
    assert confirmed == ENFORCED
    assert services.settings.values() == ENFORCED
    assert in_read_model(services, UNRESTRICTED) == ENFORCED


@pytest.mark.parametrize("asked", [{}, {"calling_rules_reason": "advice"}], ids=str)
def test_a_change_of_no_setting_stores_nothing(
    services: Services, asked: dict[str, str]
) -> None:
    assert services.settings.amend(asked, by=BY) == (UNRESTRICTED, None)
    assert services.app.find(Settings, SETTINGS_ID) is None


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_values_that_an_earlier_release_stored_with_an_alert_still_apply(
    services: Services, act: Act
) -> None:
    make: type[Any] = Settings.Created  # The library makes its constructor.
    earlier = make(
        originator_id=SETTINGS_ID,
        originator_topic="settings",
        originator_version=1,
        timestamp=NOON,
        actor="configuration",
        values=ENFORCED,
    )
    services.app.append(earlier)
    act(services.settings)
    assert services.settings.values() == ENFORCED
    assert in_read_model(services, UNRESTRICTED) == ENFORCED
    seen = services.snapshot().settings
    assert values_in_force(seen, UNRESTRICTED) == ENFORCED
