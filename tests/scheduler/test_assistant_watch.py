"""Running campaigns keep their assistant's version, or members learn of its changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from application.campaigns import CampaignChange
from application.ports import ProviderAssistant
from domain.assistant import Assistant, assistant_id_of
from projections import alerts
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from scheduler.assistant_watch import EVERY, AssistantWatch
from tests.scheduler.leading import Passes
from tests.wiring import BY, Clock, House, housed


@dataclass
class Watching:
    """A watch, and what tests do to the assistant at the provider."""

    house: House
    clock: Clock
    watch: AssistantWatch

    def look(self) -> None:
        """Let the time pass after which the provider is asked again, and look."""
        self.clock.time += EVERY
        self.watch.run(self.house.snapshot())

    def change(self, digest: str, version: str | None = None) -> None:
        """Change the assistant at the provider, behind our back."""
        known = self.house.provider.assistants[DEFAULT_ASSISTANT_ID]
        changed = replace(known, digest=digest, version=version, config={"is": digest})
        self.house.provider.assistants[known.id] = changed

    def row(self, campaign_id: UUID) -> CampaignRow:
        self.house.settle()
        with self.house.reading.connection() as conn:
            found = campaign_board.get(conn, campaign_id)
        assert found is not None
        return found

    def version(self, campaign_id: UUID) -> str | None:
        campaign = self.house.load_campaign(campaign_id)
        return campaign.pinned_version(DEFAULT_ASSISTANT_ID)

    def alerts(self) -> list[str]:
        self.house.settle()
        with self.house.reading.connection() as conn:
            return [row.message for row in alerts.newest(conn, 20)]


def watch_of(house: House) -> AssistantWatch:
    return AssistantWatch(
        house.provider,
        assistants_of=house.campaigns.assistants_of,
        note=house.campaigns.note_assistant,
        refresh=house.assistants.refresh,
        now=house.now,
    )


@pytest.fixture
def watching(database: str) -> Iterator[Watching]:
    clock = Clock()
    with housed(database, now=clock) as house:
        made = Watching(house, clock, watch_of(house))
        made.change("d1")
        yield made


@pytest.fixture
def passes(watching: Watching) -> Iterator[Passes]:
    made = Passes(watching.house)
    yield made
    made.deps.dispatch.stop()


def test_all_calls_use_the_version_that_was_the_newest_at_the_start(
    watching: Watching, passes: Passes
) -> None:
    house = watching.house
    watching.change("d1", "v3")
    campaign_id = house.campaign(2, cap=1)
    watching.look()
    passes.run()
    watching.change("d2", "v4")
    watching.look()
    house.campaigns.change(campaign_id, CampaignChange(cap=2), by=BY)
    passes.run()
    versions = [order.assistant_version for order in house.provider.orders]
    assert versions == ["v3", "v3"]
    assert watching.version(campaign_id) == "v3"
    assert watching.alerts() == []
    house.campaigns.pause(campaign_id, by=BY)
    house.campaigns.resume(campaign_id, by=BY)
    assert watching.version(campaign_id) is None
    watching.look()
    assert watching.version(campaign_id) == "v4"


def test_without_versions_a_change_raises_one_alert_for_each_running_campaign(
    watching: Watching,
) -> None:
    house = watching.house
    running = [house.campaign(1, name="Spring"), house.campaign(1, name="Summer")]
    house.campaign(1, name="Idle", start=False)
    watching.look()
    assert watching.row(running[0]).assistant_changed_at is None
    watching.change("d2")
    watching.look()
    watching.look()
    raised = watching.alerts()
    assert len(raised) == 2
    assert 'The assistant of campaign "Spring" was changed' in raised[1]
    for campaign_id in running:
        assert watching.row(campaign_id).assistant_changed_at is not None
    house.campaigns.pause(running[0], by=BY)
    house.campaigns.resume(running[0], by=BY)
    assert watching.row(running[0]).assistant_changed_at is None


def test_a_change_in_the_dashboard_is_noticed_too(watching: Watching) -> None:
    house = watching.house
    made, _ = house.assistants.create("Ann", {"firstMessage": "Hi"}, by=BY)
    house.settle()
    campaign_id = house.campaign(1, assistant_id=made)
    watching.look()
    house.assistants.update(
        made, name=None, config=None, fields={"first_message": "Hello"}, by=BY
    )
    watching.look()
    assert watching.row(campaign_id).assistant_changed_at is not None


def test_a_new_name_alone_is_no_change(watching: Watching) -> None:
    house = watching.house
    made, _ = house.assistants.create("Ann", {"firstMessage": "Hi"}, by=BY)
    house.settle()
    house.campaign(1, assistant_id=made)
    watching.look()
    house.assistants.update(made, name="Bea", config=None, by=BY)
    watching.look()
    assert watching.alerts() == []


def test_another_leader_does_not_report_a_change_again(watching: Watching) -> None:
    watching.house.campaign(1)
    watching.look()
    watching.change("d2")
    watching.look()
    watching.watch = watch_of(watching.house)
    watching.look()
    assert len(watching.alerts()) == 1


def test_a_change_at_the_provider_updates_the_directory(watching: Watching) -> None:
    house = watching.house
    watching.house.campaign(1)
    watching.look()
    watching.change("d2")
    watching.look()
    known = house.app.load(Assistant, assistant_id_of(DEFAULT_ASSISTANT_ID))
    assert known.config == {"is": "d2"}


def test_while_the_provider_is_away_nothing_is_noted_and_it_is_asked_once_a_minute(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = watching.house
    campaign_id = house.campaign(1)
    asked: list[str] = []
    house.provider.down = True
    ask: Callable[[str], ProviderAssistant | None] = house.provider.assistant

    def counted(id_: str) -> ProviderAssistant | None:
        asked.append(id_)
        return ask(id_)

    monkeypatch.setattr(house.provider, "assistant", counted)
    watching.look()
    watching.watch.run(house.snapshot())
    assert len(asked) == 1
    assert house.load_campaign(campaign_id).noted == {}
    house.provider.down = False
    watching.look()
    assert DEFAULT_ASSISTANT_ID in house.load_campaign(campaign_id).noted
    watching.clock.time += EVERY - timedelta(seconds=1)
    watching.watch.run(house.snapshot())
    assert len(asked) == 2


def test_an_assistant_that_the_provider_lacks_is_not_noted(watching: Watching) -> None:
    house = watching.house
    campaign_id = house.campaign(1)
    house.provider.assistants.clear()
    watching.look()
    assert "assistant_noted" not in house.topics(campaign_id)
