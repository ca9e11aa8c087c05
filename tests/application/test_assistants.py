from dataclasses import replace

import pytest

from application.ports import ProviderUnavailable
from domain.assistant import Assistant
from domain.errors import NotFound
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.wiring import BY, House


def test_an_assistant_is_entered_with_what_the_provider_says(house: House) -> None:
    imported = house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assistant = house.app.load(Assistant, imported[0])
    assert assistant.name == "Riley"
    assert assistant.longest_call_seconds == 600


def test_imported_again_it_takes_over_what_changed(house: House) -> None:
    house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name="Ours", by=BY)
    known = house.provider.assistants[DEFAULT_ASSISTANT_ID]
    changed = replace(known, config={"maxDurationSeconds": 60})
    house.provider.assistants[DEFAULT_ASSISTANT_ID] = changed
    id_, position = house.assistants.import_assistant(
        DEFAULT_ASSISTANT_ID, name=None, by=BY
    )
    assert position is not None
    assistant = house.app.load(Assistant, id_)
    assert (assistant.name, assistant.longest_call_seconds) == ("Ours", 60)
    again = house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assert again == (id_, None)


def test_what_the_provider_does_not_have_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        house.assistants.import_assistant("nobody", name=None, by=BY)


def test_a_provider_that_is_down_stores_nothing(house: House) -> None:
    house.provider.down = True
    with pytest.raises(ProviderUnavailable):
        house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assert house.app.recorder.max_notification_id() is None
