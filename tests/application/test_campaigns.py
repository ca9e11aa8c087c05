from decimal import Decimal

import pytest
from eventsourcing.persistence import IntegrityError

from application.campaigns.campaigns import CampaignChange
from domain.errors import Invalid, WrongState
from domain.values import CampaignState, PauseCause
from tests.wiring import BY, NOON, Services


def test_each_command_answers_the_position_that_shows_it(services: Services) -> None:
    campaign_id = services.campaign(1, start=False)
    position = services.campaigns.start(campaign_id, by=BY)
    assert position == services.app.recorder.max_notification_id()
    assert services.campaigns.start(campaign_id, by=BY) is None, "it was so already"


def test_a_pause_keeps_its_words_and_a_resume_goes_on(services: Services) -> None:
    campaign_id = services.campaign(1)
    services.campaigns.pause(campaign_id, by=BY, reason="lunch")
    row = services.board(campaign_id)
    assert (row.state, row.pause_cause) == (CampaignState.PAUSED, PauseCause.PERSON)
    assert row.reason_words_id is not None
    assert services.vault.words(row.reason_words_id) == "lunch"
    services.campaigns.resume(campaign_id, by=BY)
    assert services.board(campaign_id).state is CampaignState.QUEUED


def test_a_second_pause_changes_nothing(services: Services) -> None:
    campaign_id = services.campaign(1)
    services.campaigns.pause(campaign_id, by=BY, reason="lunch")
    assert services.campaigns.pause(campaign_id, by=BY, reason="tea") is None


def test_only_the_given_fields_are_changed(services: Services) -> None:
    campaign_id = services.campaign(1, cap=3, budget=Decimal(5))
    services.campaigns.change(campaign_id, CampaignChange(cap=7), by=BY)
    row = services.board(campaign_id)
    assert (row.cap, row.name, row.budget) == (7, "Spring", Decimal(5))
    change = CampaignChange(name="May", budget_named=True)
    services.campaigns.change(campaign_id, change, by=BY)
    row = services.board(campaign_id)
    assert (row.cap, row.name, row.budget) == (7, "May", None)
    with pytest.raises(Invalid):
        services.campaigns.change(campaign_id, CampaignChange(cap=0), by=BY)


def test_a_cancel_with_hang_up_asks_for_the_end_of_live_calls(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    live, claimed = services.claim(campaign_id, 2)
    services.calls.request(live, dial_before=NOON)
    services.settle()
    services.campaigns.cancel(campaign_id, hang_up=True, by=BY)
    assert services.topics(live)[-1] == "hang_up_requested"
    assert services.topics(claimed) == ["created"]


def test_completion_is_skipped_if_the_campaign_changed_since_the_snapshot(
    services: Services,
) -> None:
    campaign_id = services.campaign(1)
    version = services.load_campaign(campaign_id).version
    services.campaigns.pause(campaign_id, by=BY)
    assert services.campaigns.complete(campaign_id, version=version) is None
    assert services.load_campaign(campaign_id).state is CampaignState.PAUSED
    services.campaigns.complete(campaign_id, version=version + 1)
    assert services.load_campaign(campaign_id).state is CampaignState.COMPLETED


def test_an_import_at_the_same_moment_wins_over_the_completion(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(1)
    version, append = services.load_campaign(campaign_id).version, services.app.append

    def overtaken(*changed: object) -> int | None:
        monkeypatch.setattr(services.app, "append", append)
        upload_id = services.staged.stage(["+12025550777"])
        services.imports.import_contacts(campaign_id, upload_id, by=BY)
        return append(*changed)

    monkeypatch.setattr(services.app, "append", overtaken)
    with pytest.raises(IntegrityError):
        services.campaigns.complete(campaign_id, version=version)
    assert services.load_campaign(campaign_id).contacts == 2


def test_a_failed_campaign_has_a_reason(services: Services) -> None:
    campaign_id = services.campaign(1)
    services.campaigns.fail(campaign_id, reason="no number in the vault")
    row = services.board(campaign_id)
    assert row.state is CampaignState.FAILED
    assert row.reason_words_id is not None
    assert services.vault.words(row.reason_words_id) == "no number in the vault"
    with pytest.raises(WrongState):
        services.campaigns.start(campaign_id, by=BY)
