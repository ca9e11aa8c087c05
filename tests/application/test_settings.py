"""Settings are read, changed one by one, and checked."""

from dataclasses import replace

import pytest

from application.settings import SettingsService
from domain.errors import Invalid
from domain.settings import SettingsValues
from tests.wiring import BY, UNRESTRICTED, House


def test_the_first_values_apply_until_they_are_changed(house: House) -> None:
    assert house.settings.values() == UNRESTRICTED
    assert house.snapshot().settings is None
    changed = replace(SettingsValues(), global_cap=3)
    house.settings.change(changed, by=BY)
    assert house.settings.values() == changed
    assert house.snapshot().settings == changed


def test_the_same_values_again_change_nothing(house: House) -> None:
    values = replace(SettingsValues(), global_cap=3)
    assert house.settings.change(values, by=BY) is not None
    assert house.settings.change(values, by=BY) is None


def test_values_out_of_bounds_are_refused(house: House) -> None:
    with pytest.raises(Invalid):
        house.settings.change(replace(SettingsValues(), tick_seconds=0), by=BY)
    assert house.settings.values() == UNRESTRICTED


def test_a_change_keeps_other_settings(house: House) -> None:
    house.settings.amend({"global_cap": 3}, by=BY)
    values, _ = house.settings.amend({"tick_seconds": 5}, by=BY)
    assert (values.global_cap, values.tick_seconds) == (3, 5)
    assert house.settings.values() == values


def test_alerts_to_a_metadata_service_are_refused_unless_allowed(house: House) -> None:
    internal = {"alert_webhook_url": "http://169.254.169.254/latest"}
    with pytest.raises(Invalid) as refused:
        house.settings.amend(internal, by=BY)
    assert "metadata" in refused.value.fields["alert_webhook_url"]
    permissive = SettingsService(
        app=house.app, context=house.context, first=SettingsValues(), any_address=True
    )
    permissive.amend(internal, by=BY)
    # A URL that is stored already does not prevent other changes.
    house.settings.amend({"global_cap": 4}, by=BY)
