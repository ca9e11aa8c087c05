"""Settings are read, changed one by one, and checked."""

from dataclasses import replace

import pytest

from application.settings import SettingsService
from domain.errors import Invalid
from domain.settings import SettingsValues
from tests.wiring import BY, UNRESTRICTED, Services


def test_the_first_values_apply_until_they_are_changed(services: Services) -> None:
    assert services.settings.values() == UNRESTRICTED
    assert services.snapshot().settings is None
    changed = replace(SettingsValues(), global_cap=3)
    services.settings.change(changed, by=BY)
    assert services.settings.values() == changed
    assert services.snapshot().settings == changed


def test_the_same_values_again_change_nothing(services: Services) -> None:
    values = replace(SettingsValues(), global_cap=3)
    assert services.settings.change(values, by=BY) is not None
    assert services.settings.change(values, by=BY) is None


def test_values_out_of_bounds_are_refused(services: Services) -> None:
    with pytest.raises(Invalid):
        services.settings.change(replace(SettingsValues(), tick_seconds=0), by=BY)
    assert services.settings.values() == UNRESTRICTED


def test_a_change_keeps_other_settings(services: Services) -> None:
    services.settings.amend({"global_cap": 3}, by=BY)
    values, _ = services.settings.amend({"tick_seconds": 5}, by=BY)
    assert (values.global_cap, values.tick_seconds) == (3, 5)
    assert services.settings.values() == values


def test_alerts_to_a_metadata_service_are_refused_unless_allowed(
    services: Services,
) -> None:
    internal = {"alert_webhook_url": "http://169.254.169.254/latest"}
    with pytest.raises(Invalid) as refused:
        services.settings.amend(internal, by=BY)
    assert "metadata" in refused.value.fields["alert_webhook_url"]
    permissive = SettingsService(
        app=services.app,
        context=services.context,
        first=SettingsValues(),
        any_address=True,
    )
    permissive.amend(internal, by=BY)
    # A URL that is stored already does not prevent other changes.
    services.settings.amend({"global_cap": 4}, by=BY)
