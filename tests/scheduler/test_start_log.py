"""What the scheduler logs when it begins to lead."""

import logging

import pytest

from domain.settings import RulesMode
from scheduler.__main__ import _log_ineffective_variables
from tests.wiring import BY, Services


def test_a_variable_that_stored_settings_override_is_logged(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AUTOLYNX_SETTINGS_CALLING_RULES", "OFF")
    services.settings.amend({"calling_rules": RulesMode.ENFORCED}, by=BY)
    with caplog.at_level(logging.WARNING):
        _log_ineffective_variables(services)
    assert (
        "AUTOLYNX_SETTINGS_CALLING_RULES=OFF has no effect:"
        " the stored setting calling_rules=ENFORCED applies"
    ) in caplog.messages
