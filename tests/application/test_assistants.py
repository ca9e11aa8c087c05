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
from tests.wiring import BY, Services, phones


def test_an_imported_assistant_is_registered_as_the_provider_shows_it(
    services: Services,
) -> None:
    imported = services.assistants.import_assistant(
        DEFAULT_ASSISTANT_ID, name=None, by=BY
    )
    assistant = services.app.load(Assistant, imported[0])
    assert assistant.name == "Riley"
    known = services.provider.assistants[DEFAULT_ASSISTANT_ID]
    assert assistant.config == known.config


def test_importing_again_updates_the_configuration(services: Services) -> None:
    services.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name="Ours", by=BY)
    known = services.provider.assistants[DEFAULT_ASSISTANT_ID]
    changed = replace(known, config={"maxDurationSeconds": 60})
    services.provider.assistants[DEFAULT_ASSISTANT_ID] = changed
    id_, position = services.assistants.import_assistant(
        DEFAULT_ASSISTANT_ID, name=None, by=BY
    )
    assert position is not None
    assistant = services.app.load(Assistant, id_)
    assert (assistant.name, assistant.config) == ("Ours", {"maxDurationSeconds": 60})
    again = services.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assert again == (id_, None)


def test_an_assistant_that_the_provider_lacks_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound):
        services.assistants.import_assistant("nobody", name=None, by=BY)


def test_nothing_is_stored_while_the_provider_is_down(services: Services) -> None:
    services.provider.down = True
    with pytest.raises(ProviderUnavailable):
        services.assistants.import_assistant(DEFAULT_ASSISTANT_ID, name=None, by=BY)
    assert services.app.recorder.max_notification_id() is None


def create(services: Services, name: str = "Ann", config: Any = None) -> Any:
    return services.assistants.create(
        name, {"a": 1} if config is None else config, by=BY
    )


def test_an_assistant_is_created_at_the_provider_too(services: Services) -> None:
    id_, _ = create(services)
    assistant = services.app.load(Assistant, id_)
    there = services.provider.assistants[assistant.provider_assistant_id]
    assert (assistant.name, assistant.config) == ("Ann", {"a": 1})
    assert (there.name, there.config) == ("Ann", {"a": 1})


def test_an_assistant_is_changed_at_the_provider_first(services: Services) -> None:
    id_, _ = create(services)
    services.assistants.update(id_, name="Bea", config={"b": 2}, by=BY)
    assistant = services.app.load(Assistant, id_)
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
    services: Services, name: str, config: Any, wrong: str
) -> None:
    before = dict(services.provider.assistants)
    with pytest.raises(Invalid) as refused:
        create(services, name, config)
    assert set(refused.value.fields) == {wrong}
    assert services.provider.assistants == before


def test_the_provider_limits_the_length_of_a_name(services: Services) -> None:
    services.provider.longest_assistant_name = 5
    create(services, " Cleo1 ")
    with pytest.raises(Invalid, match="1 to 5 characters"):
        create(services, "Cleo12")


@pytest.mark.parametrize("trouble", [ProviderRefused, ProviderUnavailable])
@pytest.mark.parametrize(
    "command",
    [
        lambda service, _: service.create("Cleo", {}, by=BY),
        lambda service, id_: service.update(id_, name="Cleo", config=None, by=BY),
    ],
)
def test_a_refusal_by_the_provider_changes_nothing_here(
    services: Services,
    command: Callable[[AssistantService, Any], None],
    trouble: type[Exception],
) -> None:
    id_, _ = create(services)
    last = services.app.recorder.max_notification_id()
    if trouble is ProviderRefused:
        services.provider.refuses = "400: model is unknown"
    else:
        services.provider.down = True
    with pytest.raises(trouble, match=r"model is unknown|down"):
        command(services.assistants, id_)
    assert services.app.recorder.max_notification_id() == last


def test_an_assistant_in_use_is_not_archived(services: Services) -> None:
    campaign_id = services.campaign()
    id_ = services.load_campaign(campaign_id).caller.assistant_id
    with pytest.raises(InUse):
        services.assistants.archive(id_, by=BY)
    services.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    services.settle()
    services.assistants.archive(id_, by=BY)
    assert services.app.load(Assistant, id_).archived


@dataclass
class Meddling:
    """Does something once when it is called, for example between read and append."""

    does: Callable[[], object]

    def __call__(self) -> None:
        does, self.does = self.does, lambda: None
        does()


def test_archiving_fails_if_a_campaign_is_created_meanwhile(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = services.new_campaign(services.staged.stage(phones(1))).assistant_id
    meddle, look = Meddling(services.campaign), services.lookups.campaigns_using

    def campaigns_using(assistant_id: UUID) -> int:
        seen = look(assistant_id)
        meddle()
        return seen

    monkeypatch.setattr(services.lookups, "campaigns_using", campaigns_using)
    with pytest.raises(InUse):
        services.assistants.archive(id_, by=BY)
    assert not services.app.load(Assistant, id_).archived


def test_creating_a_campaign_fails_if_its_assistant_is_archived_meanwhile(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = services.new_campaign(services.staged.stage(phones(1)))
    meddle = Meddling(lambda: services.assistants.archive(new.assistant_id, by=BY))
    append = services.app.append

    def appended(*changed: Any, **given: Any) -> int | None:
        if any(isinstance(one, Campaign) for one in changed):
            meddle()
        return append(*changed, **given)

    monkeypatch.setattr(services.app, "append", appended)
    with pytest.raises(WrongState):
        services.imports.create_campaign(new, default_cap=8, by=BY)
    assert services.app.find(Campaign, campaign_id_of(new.upload_id)) is None


def test_archiving_is_refused_while_the_read_tables_are_behind(
    services: Services,
) -> None:
    id_, _ = create(services)
    services.read_model.held = True
    with pytest.raises(ReadModelBehind):
        services.assistants.archive(id_, by=BY)
    services.read_model.held = False
    services.assistants.archive(id_, by=BY)


def test_importing_an_archived_assistant_restores_it(services: Services) -> None:
    id_, _ = create(services)
    services.assistants.archive(id_, by=BY)
    assert services.assistants.archive(id_, by=BY) == (id_, None)
    provider_id = services.app.load(Assistant, id_).provider_assistant_id
    services.assistants.import_assistant(provider_id, name=None, by=BY)
    assert not services.app.load(Assistant, id_).archived
