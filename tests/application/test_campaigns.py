from decimal import Decimal

import pytest
from eventsourcing.persistence import IntegrityError

from application.campaigns import CampaignChange
from domain.errors import Invalid, WrongState
from domain.values import CampaignState, PauseCause
from tests.wiring import BY, NOON, House


def test_each_command_answers_the_position_that_shows_it(house: House) -> None:
    campaign_id = house.campaign(1, start=False)
    position = house.campaigns.start(campaign_id, by=BY)
    assert position == house.app.recorder.max_notification_id()
    assert house.campaigns.start(campaign_id, by=BY) is None, "it was so already"


def test_a_pause_keeps_its_words_and_a_resume_goes_on(house: House) -> None:
    campaign_id = house.campaign(1)
    house.campaigns.pause(campaign_id, by=BY, reason="lunch")
    row = house.board(campaign_id)
    assert (row.state, row.pause_cause) == (CampaignState.PAUSED, PauseCause.PERSON)
    assert row.reason_words_id is not None
    assert house.vault.words(row.reason_words_id) == "lunch"
    house.campaigns.resume(campaign_id, by=BY)
    assert house.board(campaign_id).state is CampaignState.QUEUED


def test_a_second_pause_changes_nothing(house: House) -> None:
    campaign_id = house.campaign(1)
    house.campaigns.pause(campaign_id, by=BY, reason="lunch")
    assert house.campaigns.pause(campaign_id, by=BY, reason="tea") is None


def test_only_the_given_fields_are_changed(house: House) -> None:
    campaign_id = house.campaign(1, cap=3, budget=Decimal(5))
    house.campaigns.change(campaign_id, CampaignChange(cap=7), by=BY)
    row = house.board(campaign_id)
    assert (row.cap, row.name, row.budget) == (7, "Spring", Decimal(5))
    change = CampaignChange(name="May", budget_named=True)
    house.campaigns.change(campaign_id, change, by=BY)
    row = house.board(campaign_id)
    assert (row.cap, row.name, row.budget) == (7, "May", None)
    with pytest.raises(Invalid):
        house.campaigns.change(campaign_id, CampaignChange(cap=0), by=BY)


def test_a_cancel_with_hang_up_asks_for_the_end_of_live_calls(house: House) -> None:
    campaign_id = house.campaign(2)
    live, claimed = house.claim(campaign_id, 2)
    house.calls.request(live, dial_before=NOON)
    house.settle()
    house.campaigns.cancel(campaign_id, hang_up=True, by=BY)
    assert house.topics(live)[-1] == "hang_up_requested"
    assert house.topics(claimed) == ["created"]


def test_a_campaign_completes_only_as_it_was_seen(house: House) -> None:
    campaign_id = house.campaign(1)
    version = house.load_campaign(campaign_id).version
    house.campaigns.pause(campaign_id, by=BY)
    assert house.campaigns.complete(campaign_id, version=version) is None
    assert house.load_campaign(campaign_id).state is CampaignState.PAUSED
    house.campaigns.complete(campaign_id, version=version + 1)
    assert house.load_campaign(campaign_id).state is CampaignState.COMPLETED


def test_an_import_at_the_same_moment_wins_over_the_completion(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = house.campaign(1)
    version, append = house.load_campaign(campaign_id).version, house.app.append

    def overtaken(*changed: object) -> int | None:
        monkeypatch.setattr(house.app, "append", append)
        upload_id = house.staged.stage(["+12025550777"])
        house.imports.import_contacts(campaign_id, upload_id, by=BY)
        return append(*changed)

    monkeypatch.setattr(house.app, "append", overtaken)
    with pytest.raises(IntegrityError):
        house.campaigns.complete(campaign_id, version=version)
    assert house.load_campaign(campaign_id).contacts == 2


def test_a_failed_campaign_has_a_reason(house: House) -> None:
    campaign_id = house.campaign(1)
    house.campaigns.fail(campaign_id, reason="no number in the vault")
    row = house.board(campaign_id)
    assert row.state is CampaignState.FAILED
    assert row.reason_words_id is not None
    assert house.vault.words(row.reason_words_id) == "no number in the vault"
    with pytest.raises(WrongState):
        house.campaigns.start(campaign_id, by=BY)
