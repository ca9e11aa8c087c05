"""Assistants are registered, changed, archived and restored."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.assistant import Assistant, assistant_id_of
from domain.errors import Invalid, WrongState
from tests.support import EPOCH, Fact, given, new_events

BY = "boss@example.com"
AT = EPOCH + timedelta(minutes=1)
CONFIG = {"model": {"provider": "openai"}, "maxDurationSeconds": 300}


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {"actor": BY, **own}


def registered(config: dict[str, Any]) -> Fact:
    named = {"provider_assistant_id": "a-1", "name": "Riley"}
    return fact(Assistant.Created, **named, config=config, tools=())


CREATED = registered(CONFIG)
ARCHIVED = fact(Assistant.Archived)
RESTORED = fact(Assistant.Restored)


def assistant_with(*facts: Fact) -> Assistant:
    return given(Assistant, *facts)


def create(name: str) -> Assistant:
    return Assistant.create(
        provider_assistant_id="a-1", name=name, config=CONFIG, at=AT, by=BY
    )


def test_an_assistants_id_is_derived_from_the_providers_id() -> None:
    assistant = create(" Riley ")
    assert new_events(assistant) == [CREATED]
    assert assistant.id == assistant_id_of("a-1")


def test_an_assistant_needs_a_name() -> None:
    assistant = assistant_with(CREATED)
    for command in (
        create,
        lambda n: assistant.change(name=n, config=CONFIG, at=AT, by=BY),
    ):
        with pytest.raises(Invalid) as refusal:
            command(" ")
        assert refusal.value.fields == {"name": "is empty"}
    assert new_events(assistant) == []


@pytest.mark.parametrize(
    ("name", "config"), [("Riley", {"voice": "new"}), (" Sam ", CONFIG)]
)
def test_a_change_records_name_and_configuration(
    name: str, config: dict[str, Any]
) -> None:
    assistant = assistant_with(CREATED)
    assistant.change(name=name, config=config, at=AT, by=BY)
    new = {"name": name.strip(), "config": config}
    assert new_events(assistant) == [fact(Assistant.Changed, **new, tools=())]
    assert {"name": assistant.name, "config": assistant.config} == new


def test_tools_that_were_set_up_are_recorded() -> None:
    assistant = assistant_with(CREATED)
    tools = ("record_opt_out", "schedule_callback")
    assistant.change(name="Riley", config=CONFIG, tools=tools, at=AT, by=BY)
    changed = fact(Assistant.Changed, name="Riley", config=CONFIG, tools=tools)
    assert new_events(assistant) == [changed]
    assert assistant.tools == tools


def test_a_change_to_the_same_values_records_nothing() -> None:
    assistant = assistant_with(CREATED)
    assistant.change(name=" Riley ", config=dict(CONFIG), at=AT, by=BY)
    assert new_events(assistant) == []


def test_an_assistant_is_archived_once_and_restored_once() -> None:
    assistant = assistant_with(CREATED)
    assistant.restore(at=AT, by=BY)
    for act in (
        assistant.archive,
        assistant.archive,
        assistant.restore,
        assistant.restore,
    ):
        act(at=AT, by=BY)
    assert new_events(assistant) == [ARCHIVED, RESTORED]


def test_an_archived_assistant_is_not_usable() -> None:
    assistant_with(CREATED).must_be_usable()
    assistant_with(CREATED, ARCHIVED, RESTORED).must_be_usable()
    with pytest.raises(WrongState):
        assistant_with(CREATED, ARCHIVED).must_be_usable()


def test_a_campaign_cannot_choose_an_archived_assistant() -> None:
    assistant, campaign_id = assistant_with(CREATED), uuid4()
    assistant.choose(campaign_id=campaign_id, at=AT, by=BY)
    assert new_events(assistant) == [fact(Assistant.Chosen, campaign_id=campaign_id)]
    archived = assistant_with(CREATED, ARCHIVED)
    with pytest.raises(WrongState):
        archived.choose(campaign_id=campaign_id, at=AT, by=BY)
    assert new_events(archived) == []
