"""How the state of a campaign changes the status of its contacts."""

import pytest

from domain.states import (
    FINISHED,
    MAY_DIAL,
    STARTED,
    shown_counts,
    shown_status,
    stored_statuses,
)
from domain.values import CampaignState, ContactStatus

PENDING, CANCELED, ENDED = (
    ContactStatus.PENDING,
    ContactStatus.CANCELED,
    ContactStatus.ENDED,
)


def test_each_state_is_new_started_or_finished() -> None:
    assert {CampaignState.CREATED} | STARTED | FINISHED == set(CampaignState)
    assert not STARTED & FINISHED
    assert {CampaignState.PAUSED} == STARTED - MAY_DIAL


def test_a_pending_contact_of_a_canceled_campaign_counts_as_canceled() -> None:
    assert shown_status(PENDING, CampaignState.CANCELED) is CANCELED
    assert shown_status(ENDED, CampaignState.CANCELED) is ENDED


@pytest.mark.parametrize("state", sorted(set(CampaignState) - {CampaignState.CANCELED}))
def test_in_every_other_state_each_contact_has_its_stored_status(
    state: CampaignState,
) -> None:
    assert [shown_status(one, state) for one in ContactStatus] == list(ContactStatus)


def test_a_filter_for_canceled_contacts_also_finds_the_pending_ones() -> None:
    canceled = CampaignState.CANCELED
    assert stored_statuses({CANCELED}, canceled) == {PENDING, CANCELED}
    assert stored_statuses({PENDING}, canceled) == set()
    assert stored_statuses({PENDING}, CampaignState.RUNNING) == {PENDING}


def test_the_pending_contacts_of_a_canceled_campaign_are_counted_as_canceled() -> None:
    stored = {PENDING: 5, CANCELED: 2, ENDED: 1}
    shown = shown_counts(stored, CampaignState.CANCELED)
    assert (shown[PENDING], shown[CANCELED], shown[ENDED]) == (0, 7, 1)
    assert shown_counts(stored, CampaignState.RUNNING)[PENDING] == 5
