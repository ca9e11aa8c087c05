from dataclasses import replace

import pytest

from application.settings import SettingsService
from domain.errors import Invalid
from domain.settings import SettingsValues
from tests.wiring import BY, House


def test_the_first_values_hold_until_somebody_changes_them(house: House) -> None:
    assert house.settings.values() == SettingsValues()
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
    assert house.settings.values() == SettingsValues()


def test_who_changes_another_setting_is_not_overwritten(house: House) -> None:
    house.settings.amend({"global_cap": 3}, by=BY)
    values, _ = house.settings.amend({"tick_seconds": 5}, by=BY)
    assert (values.global_cap, values.tick_seconds) == (3, 5)
    assert house.settings.values() == values


def test_alerts_go_to_no_metadata_service_unless_that_is_allowed(house: House) -> None:
    inside = {"alert_webhook_url": "http://169.254.169.254/latest"}
    with pytest.raises(Invalid) as refused:
        house.settings.amend(inside, by=BY)
    assert "metadata" in refused.value.fields["alert_webhook_url"]
    bold = SettingsService(
        app=house.app, context=house.context, first=SettingsValues(), any_address=True
    )
    bold.amend(inside, by=BY)
    # What stands already is in nobody's way.
    house.settings.amend({"global_cap": 4}, by=BY)
