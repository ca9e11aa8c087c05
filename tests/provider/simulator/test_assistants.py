"""Assistants and phone numbers of the simulator, as the provider's SDK reads them."""

import pytest

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests import http_requests as asking
from tests.provider.simulator.placing import get
from tests.provider.simulator.sdk import ONCE, SECOND_LINE, api_error, sdk, vapi
from tests.simulator import Simulator


def test_assistants_are_created_changed_and_deleted(simulator: Simulator) -> None:
    assistants = sdk(simulator).assistants
    made = assistants.create(name="Survey", request_options=ONCE)
    changed = assistants.update(
        made.id, first_message="Good day.", request_options=ONCE
    )
    assert (changed.name, changed.first_message) == ("Survey", "Good day.")
    assert assistants.get(made.id, request_options=ONCE) == changed
    listed = assistants.list(request_options=ONCE)
    assert [one.id for one in listed] == [DEFAULT_ASSISTANT_ID, made.id]
    assistants.delete(made.id, request_options=ONCE)
    with pytest.raises(api_error(), match="404"):
        assistants.get(made.id, request_options=ONCE)


def test_an_assistant_with_versions_gets_a_new_one_with_each_change(
    simulator: Simulator,
) -> None:
    headers = {"Authorization": f"Bearer {simulator.api_key}"}
    made = asking.post(
        f"{simulator.url}/assistant",
        json={"name": "Ann", "latestVersion": "v9"},
        headers=headers,
    ).json()
    url = f"{simulator.url}/assistant/{made['id']}"
    answer = asking.request("PATCH", url, json={"name": "Bea"}, headers=headers)
    assert answer.json()["latestVersion"] == "v10"


def test_the_first_assistant_fits_the_sdk(simulator: Simulator) -> None:
    shown = get(simulator, f"/assistant/{DEFAULT_ASSISTANT_ID}").json()
    assert vapi().Assistant.model_validate(shown).name == "Appointment reminder"


def test_phone_numbers_are_listed_and_found(simulator: Simulator) -> None:
    lines = sdk(simulator).phone_numbers
    (line,) = lines.list(request_options=ONCE)
    same = lines.get(DEFAULT_PHONE_NUMBER_ID, request_options=ONCE)
    assert line.number == same.number == "+12025550100"
    with pytest.raises(api_error(), match="404"):
        lines.get(SECOND_LINE, request_options=ONCE)
