from dataclasses import replace

import pytest

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
