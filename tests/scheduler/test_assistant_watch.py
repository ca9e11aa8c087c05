"""Running campaigns keep their assistant's version, or members learn of its changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from application.campaigns.campaigns import CampaignChange
from application.ports import ProviderAssistant
from domain.assistant import Assistant, assistant_id_of
from projections import alerts
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from scheduler.assistant_watch import EVERY, AssistantWatch
from tests.scheduler.leading import Passes
from tests.wiring import BY, Clock, Services, open_services


@dataclass
class Watching:
    """A watch, and what tests do to the assistant at the provider."""

    services: Services
    clock: Clock
    watch: AssistantWatch

    def look(self) -> None:
        """Let the time pass after which the provider is asked again, and look."""
        self.clock.time += EVERY
        self.watch.run(self.services.snapshot())

    def change(self, digest: str, version: str | None = None) -> None:
        """Change the assistant at the provider, behind our back."""
        known = self.services.provider.assistants[DEFAULT_ASSISTANT_ID]
        changed = replace(known, digest=digest, version=version, config={"is": digest})
        self.services.provider.assistants[known.id] = changed

    def row(self, campaign_id: UUID) -> CampaignRow:
        self.services.settle()
        with self.services.reading.connection() as conn:
            found = campaign_board.get(conn, campaign_id)
        assert found is not None
        return found

    def version(self, campaign_id: UUID) -> str | None:
        campaign = self.services.load_campaign(campaign_id)
        return campaign.pinned_version(DEFAULT_ASSISTANT_ID)

    def alerts(self) -> list[str]:
        self.services.settle()
        with self.services.reading.connection() as conn:
            return [row.message for row in alerts.newest(conn, 20)]


def watch_of(services: Services) -> AssistantWatch:
    return AssistantWatch(
        services.provider,
        assistants_of=services.campaigns.assistants_of,
        note=services.campaigns.note_assistant,
        refresh=services.assistants.refresh,
        now=services.now,
    )


@pytest.fixture
def watching(database: str) -> Iterator[Watching]:
    clock = Clock()
    with open_services(database, now=clock) as services:
        made = Watching(services, clock, watch_of(services))
        made.change("d1")
        yield made


@pytest.fixture
def passes(watching: Watching) -> Iterator[Passes]:
    made = Passes(watching.services)
    yield made
    made.deps.dispatch.stop()


def test_all_calls_use_the_version_that_was_the_newest_at_the_start(
    watching: Watching, passes: Passes
) -> None:
    services = watching.services
    watching.change("d1", "v3")
    campaign_id = services.campaign(2, cap=1)
    watching.look()
    passes.run()
    watching.change("d2", "v4")
    watching.look()
    services.campaigns.change(campaign_id, CampaignChange(cap=2), by=BY)
    passes.run()
    versions = [order.assistant_version for order in services.provider.orders]
    assert versions == ["v3", "v3"]
    assert watching.version(campaign_id) == "v3"
    assert watching.alerts() == []
    services.campaigns.pause(campaign_id, by=BY)
    services.campaigns.resume(campaign_id, by=BY)
    assert watching.version(campaign_id) is None
    watching.look()
    assert watching.version(campaign_id) == "v4"


def test_without_versions_a_change_raises_one_alert_for_each_running_campaign(
    watching: Watching,
) -> None:
    services = watching.services
    running = [services.campaign(1, name="Spring"), services.campaign(1, name="Summer")]
    services.campaign(1, name="Idle", start=False)
    watching.look()
    assert watching.row(running[0]).assistant_changed_at is None
    watching.change("d2")
    watching.look()
    watching.look()
    raised = watching.alerts()
    assert len(raised) == 2
    for name in ("Spring", "Summer"):  # Their order depends on random ids.
        changed = f'The assistant of campaign "{name}" was changed'
        assert sum(changed in message for message in raised) == 1
    for campaign_id in running:
        assert watching.row(campaign_id).assistant_changed_at is not None
    services.campaigns.pause(running[0], by=BY)
    services.campaigns.resume(running[0], by=BY)
    assert watching.row(running[0]).assistant_changed_at is None


def test_a_change_in_the_dashboard_is_noticed_too(watching: Watching) -> None:
    services = watching.services
    made, _ = services.assistants.create("Ann", {"firstMessage": "Hi"}, by=BY)
    services.settle()
    campaign_id = services.campaign(1, assistant_id=made)
    watching.look()
    services.assistants.update(
        made, name=None, config=None, fields={"first_message": "Hello"}, by=BY
    )
    watching.look()
    assert watching.row(campaign_id).assistant_changed_at is not None


def test_a_new_name_alone_is_no_change(watching: Watching) -> None:
    services = watching.services
    made, _ = services.assistants.create("Ann", {"firstMessage": "Hi"}, by=BY)
    services.settle()
    services.campaign(1, assistant_id=made)
    watching.look()
    services.assistants.update(made, name="Bea", config=None, by=BY)
    watching.look()
    assert watching.alerts() == []


def test_another_leader_does_not_report_a_change_again(watching: Watching) -> None:
    watching.services.campaign(1)
    watching.look()
    watching.change("d2")
    watching.look()
    watching.watch = watch_of(watching.services)
    watching.look()
    assert len(watching.alerts()) == 1


def test_a_change_at_the_provider_updates_the_directory(watching: Watching) -> None:
    services = watching.services
    watching.services.campaign(1)
    watching.look()
    watching.change("d2")
    watching.look()
    known = services.app.load(Assistant, assistant_id_of(DEFAULT_ASSISTANT_ID))
    assert known.config == {"is": "d2"}


def test_while_the_provider_is_away_nothing_is_noted_and_it_is_asked_once_a_minute(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = watching.services
    campaign_id = services.campaign(1)
    asked: list[str] = []
    services.provider.down = True
    ask: Callable[[str], ProviderAssistant | None] = services.provider.assistant

    def counted(id_: str) -> ProviderAssistant | None:
        asked.append(id_)
        return ask(id_)

    monkeypatch.setattr(services.provider, "assistant", counted)
    watching.look()
    watching.watch.run(services.snapshot())
    assert len(asked) == 1
    assert services.load_campaign(campaign_id).noted == {}
    services.provider.down = False
    watching.look()
    assert DEFAULT_ASSISTANT_ID in services.load_campaign(campaign_id).noted
    watching.clock.time += EVERY - timedelta(seconds=1)
    watching.watch.run(services.snapshot())
    assert len(asked) == 2


def test_an_assistant_that_the_provider_lacks_is_not_noted(watching: Watching) -> None:
    services = watching.services
    campaign_id = services.campaign(1)
    services.provider.assistants.clear()
    watching.look()
    assert "assistant_noted" not in services.topics(campaign_id)
