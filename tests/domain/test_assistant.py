"""The directory's entry of an assistant."""

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


def entered(config: dict[str, Any]) -> Fact:
    named = {"provider_assistant_id": "a-1", "name": "Riley"}
    return fact(Assistant.Created, **named, config=config)


CREATED = entered(CONFIG)
ARCHIVED = fact(Assistant.Archived)
RESTORED = fact(Assistant.Restored)


def assistant(*facts: Fact) -> Assistant:
    return given(Assistant, *facts)


def create(name: str) -> Assistant:
    return Assistant.create(
        provider_assistant_id="a-1", name=name, config=CONFIG, at=AT, by=BY
    )


def test_an_assistant_is_entered_under_the_providers_id() -> None:
    told = create(" Riley ")
    assert new_events(told) == [CREATED]
    assert told.id == assistant_id_of("a-1")


def test_an_assistant_needs_a_name() -> None:
    told = assistant(CREATED)
    for tell in (create, lambda n: told.change(name=n, config=CONFIG, at=AT, by=BY)):
        with pytest.raises(Invalid) as refusal:
            tell(" ")
        assert refusal.value.fields == {"name": "is empty"}
    assert new_events(told) == []


@pytest.mark.parametrize(
    ("name", "config"), [("Riley", {"voice": "new"}), (" Sam ", CONFIG)]
)
def test_an_assistant_is_changed(name: str, config: dict[str, Any]) -> None:
    told = assistant(CREATED)
    told.change(name=name, config=config, at=AT, by=BY)
    new = {"name": name.strip(), "config": config}
    assert new_events(told) == [fact(Assistant.Changed, **new)]
    assert {"name": told.name, "config": told.config} == new


def test_a_change_to_the_same_is_silent() -> None:
    told = assistant(CREATED)
    told.change(name=" Riley ", config=dict(CONFIG), at=AT, by=BY)
    assert new_events(told) == []


def test_an_assistant_is_archived_once_and_restored_once() -> None:
    told = assistant(CREATED)
    told.restore(at=AT, by=BY)
    for act in (told.archive, told.archive, told.restore, told.restore):
        act(at=AT, by=BY)
    assert new_events(told) == [ARCHIVED, RESTORED]


def test_an_archived_assistant_is_not_used() -> None:
    assistant(CREATED).must_be_usable()
    assistant(CREATED, ARCHIVED, RESTORED).must_be_usable()
    with pytest.raises(WrongState):
        assistant(CREATED, ARCHIVED).must_be_usable()


def test_a_campaign_chooses_one_that_is_not_archived() -> None:
    told, campaign_id = assistant(CREATED), uuid4()
    told.choose(campaign_id=campaign_id, at=AT, by=BY)
    assert new_events(told) == [fact(Assistant.Chosen, campaign_id=campaign_id)]
    archived = assistant(CREATED, ARCHIVED)
    with pytest.raises(WrongState):
        archived.choose(campaign_id=campaign_id, at=AT, by=BY)
    assert new_events(archived) == []
