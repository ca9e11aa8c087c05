"""Assistants are changed at the provider first, and archived only when unused."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from application.assistants import AssistantService
from application.errors import ReadModelBehind
from application.ports import ProviderRefused, ProviderUnavailable
from domain.assistant import Assistant
from domain.campaigns.campaign import Campaign
from domain.errors import InUse, Invalid, NotFound, WrongState
from domain.values import campaign_id_of
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.wiring import BY, House, phones


def test_an_imported_assistant_is_registered_as_the_provider_shows_it(
    house: House,
) -> None:
    imported = house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assistant = house.app.load(Assistant, imported[0])
    assert assistant.name == "Riley"
    known = house.provider.assistants[DEFAULT_ASSISTANT_ID]
    assert assistant.config == known.config


def test_importing_again_updates_the_configuration(house: House) -> None:
    house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name="Ours", by=BY)
    known = house.provider.assistants[DEFAULT_ASSISTANT_ID]
    changed = replace(known, config={"maxDurationSeconds": 60})
    house.provider.assistants[DEFAULT_ASSISTANT_ID] = changed
    id_, position = house.assistants.import_assistant(
        DEFAULT_ASSISTANT_ID, name=None, by=BY
    )
    assert position is not None
    assistant = house.app.load(Assistant, id_)
    assert (assistant.name, assistant.config) == ("Ours", {"maxDurationSeconds": 60})
    again = house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assert again == (id_, None)


def test_an_assistant_that_the_provider_lacks_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        house.assistants.import_assistant("nobody", name=None, by=BY)


def test_nothing_is_stored_while_the_provider_is_down(house: House) -> None:
    house.provider.down = True
    with pytest.raises(ProviderUnavailable):
        house.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assert house.app.recorder.max_notification_id() is None


def create(house: House, name: str = "Ann", config: Any = None) -> Any:
    return house.assistants.create(name, {"a": 1} if config is None else config, by=BY)


def test_an_assistant_is_created_at_the_provider_too(house: House) -> None:
    id_, _ = create(house)
    assistant = house.app.load(Assistant, id_)
    there = house.provider.assistants[assistant.provider_assistant_id]
    assert (assistant.name, assistant.config) == ("Ann", {"a": 1})
    assert (there.name, there.config) == ("Ann", {"a": 1})


def test_an_assistant_is_changed_at_the_provider_first(house: House) -> None:
    id_, _ = create(house)
    house.assistants.update(id_, name="Bea", config={"b": 2}, by=BY)
    assistant = house.app.load(Assistant, id_)
    assert (assistant.name, assistant.config) == ("Bea", {"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("name", "config", "wrong"),
    [
        (" ", {}, "name"),
        ("x" * 41, {}, "name"),
        ("a\0b", {}, "name"),
        ("Ann", [1], "config"),
        ("Ann", {"deep": ["a\0b"]}, "config"),
        ("Ann", {"deep": [2**70]}, "config"),
    ],
)
def test_an_invalid_assistant_is_not_sent_to_the_provider(
    house: House, name: str, config: Any, wrong: str
) -> None:
    before = dict(house.provider.assistants)
    with pytest.raises(Invalid) as refused:
        create(house, name, config)
    assert set(refused.value.fields) == {wrong}
    assert house.provider.assistants == before


def test_the_provider_limits_the_length_of_a_name(house: House) -> None:
    house.provider.longest_assistant_name = 5
    create(house, " Cleo1 ")
    with pytest.raises(Invalid, match="1 to 5 characters"):
        create(house, "Cleo12")


@pytest.mark.parametrize("trouble", [ProviderRefused, ProviderUnavailable])
@pytest.mark.parametrize(
    "command",
    [
        lambda service, _: service.create("Cleo", {}, by=BY),
        lambda service, id_: service.update(id_, name="Cleo", config=None, by=BY),
    ],
)
def test_a_refusal_by_the_provider_changes_nothing_here(
    house: House,
    command: Callable[[AssistantService, Any], None],
    trouble: type[Exception],
) -> None:
    id_, _ = create(house)
    last = house.app.recorder.max_notification_id()
    if trouble is ProviderRefused:
        house.provider.refuses = "400: model is unknown"
    else:
        house.provider.down = True
    with pytest.raises(trouble, match=r"model is unknown|down"):
        command(house.assistants, id_)
    assert house.app.recorder.max_notification_id() == last


def test_an_assistant_in_use_is_not_archived(house: House) -> None:
    campaign_id = house.campaign()
    id_ = house.load_campaign(campaign_id).caller.assistant_id
    with pytest.raises(InUse):
        house.assistants.archive(id_, by=BY)
    house.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    house.settle()
    house.assistants.archive(id_, by=BY)
    assert house.app.load(Assistant, id_).archived


@dataclass
class Meddling:
    """Does something once when it is called, for example between read and append."""

    does: Callable[[], object]

    def __call__(self) -> None:
        does, self.does = self.does, lambda: None
        does()


def test_archiving_fails_if_a_campaign_is_created_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = house.new_campaign(house.staged.stage(phones(1))).assistant_id
    meddle, look = Meddling(house.campaign), house.lookups.campaigns_using

    def campaigns_using(assistant_id: UUID) -> int:
        seen = look(assistant_id)
        meddle()
        return seen

    monkeypatch.setattr(house.lookups, "campaigns_using", campaigns_using)
    with pytest.raises(InUse):
        house.assistants.archive(id_, by=BY)
    assert not house.app.load(Assistant, id_).archived


def test_creating_a_campaign_fails_if_its_assistant_is_archived_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = house.new_campaign(house.staged.stage(phones(1)))
    meddle = Meddling(lambda: house.assistants.archive(new.assistant_id, by=BY))
    append = house.app.append

    def appended(*changed: Any, **given: Any) -> int | None:
        if any(isinstance(one, Campaign) for one in changed):
            meddle()
        return append(*changed, **given)

    monkeypatch.setattr(house.app, "append", appended)
    with pytest.raises(WrongState):
        house.imports.create_campaign(new, default_cap=8, by=BY)
    assert house.app.find(Campaign, campaign_id_of(new.upload_id)) is None


def test_archiving_is_refused_while_the_read_tables_are_behind(house: House) -> None:
    id_, _ = create(house)
    house.read_model.held = True
    with pytest.raises(ReadModelBehind):
        house.assistants.archive(id_, by=BY)
    house.read_model.held = False
    house.assistants.archive(id_, by=BY)


def test_importing_an_archived_assistant_restores_it(house: House) -> None:
    id_, _ = create(house)
    house.assistants.archive(id_, by=BY)
    assert house.assistants.archive(id_, by=BY) == (id_, None)
    provider_id = house.app.load(Assistant, id_).provider_assistant_id
    house.assistants.import_assistant(provider_id, name=None, by=BY)
    assert not house.app.load(Assistant, id_).archived
