"""The first values of calling rules and frequency caps, from the environment."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from application.configuration import FirstSettings
from domain.gate.rules import FrequencyCap
from domain.settings import ENVIRONMENT, RulesMode, SettingsValues

RULES = "AUTOLYNX_SETTINGS_CALLING_RULES"
CAPS = "AUTOLYNX_SETTINGS_FREQUENCY_CAPS"
THREE_A_DAY, SEVEN_A_WEEK = FrequencyCap(3, 24), FrequencyCap(7, 168)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(RULES, raising=False)
    monkeypatch.delenv(CAPS, raising=False)


def test_rules_and_caps_are_enforced_unless_the_environment_says_otherwise() -> None:
    first = FirstSettings().values()
    assert first.calling_rules is RulesMode.ENFORCED
    assert first.frequency_caps == (THREE_A_DAY, SEVEN_A_WEEK)
    assert first.rules_waived_by is None


def test_the_environment_waives_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RULES, "OFF")
    first = FirstSettings().values()
    assert first.calling_rules is RulesMode.OFF
    assert first.rules_waived_by == ENVIRONMENT
    assert first.frequency_caps == (THREE_A_DAY, SEVEN_A_WEEK)


@pytest.mark.parametrize(("text", "caps"), [("", ()), ("2/12", (FrequencyCap(2, 12),))])
@pytest.mark.parametrize("in_file", [False, True])
def test_an_empty_variable_or_line_of_the_file_sets_no_caps(
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    caps: tuple[FrequencyCap, ...],
    *,
    in_file: bool,
) -> None:
    if in_file:
        Path(".env").write_text(f"{CAPS}={text}\n")
    else:
        monkeypatch.setenv(CAPS, text)
    assert FirstSettings().values().frequency_caps == caps


def test_caps_in_another_form_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CAPS, "three a day")
    with pytest.raises(ValidationError, match="write attempts/hours"):
        FirstSettings()


def test_a_variable_that_differs_from_the_stored_setting_is_ineffective(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(RULES, "OFF")
    monkeypatch.setenv(CAPS, "")
    monkeypatch.setenv("AUTOLYNX_SETTINGS_GLOBAL_CAP", "12")
    found = FirstSettings().ineffective(SettingsValues(global_cap=12))
    named = {(one.variable, one.configured, one.setting, one.stored) for one in found}
    assert named == {
        (RULES, "OFF", "calling_rules", "ENFORCED"),
        (CAPS, "", "frequency_caps", "3/24,7/168"),
    }


def test_each_variable_has_effect_while_no_settings_are_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(RULES, "OFF")
    assert FirstSettings().ineffective(None) == []


def test_a_variable_that_is_not_set_is_never_ineffective() -> None:
    assert FirstSettings().ineffective(SettingsValues(global_cap=12)) == []
