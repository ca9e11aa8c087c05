"""While contacts are called, the assistant's version is pinned or changes recorded."""

import pytest

from domain.campaigns.campaign import Campaign
from domain.values import CampaignState
from tests.domain.campaigns.campaign_facts import (
    AT,
    BY,
    DIALING,
    PAST,
    PAUSED,
    QUEUED,
    RUNNING,
    campaign,
    fact,
    in_state,
    resumed,
)
from tests.support import Fact, new_events

CALLING = (QUEUED, DIALING, RUNNING)


def note(subject: Campaign, version: str | None, digest: str) -> None:
    subject.note_assistant("a-1", version=version, digest=digest, at=AT, by=BY)


def noted(version: str | None, digest: str = "d1") -> Fact:
    return fact(
        Campaign.AssistantNoted,
        provider_assistant_id="a-1",
        pinned_version=version,
        digest=digest,
    )


def changed(digest: str) -> Fact:
    return fact(Campaign.AssistantChanged, provider_assistant_id="a-1", digest=digest)


@pytest.mark.parametrize("state", CALLING)
def test_the_version_is_pinned_once_and_later_changes_are_ignored(
    state: CampaignState,
) -> None:
    subject = in_state(state)
    note(subject, "v3", "d1")
    note(subject, "v4", "d2")
    assert new_events(subject) == [noted("v3")]
    assert subject.pinned_version("a-1") == "v3"


@pytest.mark.parametrize("state", CALLING)
def test_without_versions_each_change_is_recorded_once(state: CampaignState) -> None:
    subject = in_state(state)
    for digest in ("d1", "d1", "d2", "d2", "d1"):
        note(subject, None, digest)
    changes = [changed(one) for one in ("d2", "d1")]
    assert new_events(subject) == [noted(None), *changes]
    assert subject.pinned_version("a-1") is None


@pytest.mark.parametrize("state", sorted(PAST.keys() - {*CALLING}))
def test_nothing_is_noted_while_no_contact_may_be_called(state: CampaignState) -> None:
    subject = in_state(state)
    note(subject, "v3", "d1")
    assert new_events(subject) == []


def test_after_a_pause_the_newest_version_is_pinned() -> None:
    subject = campaign(*PAST[QUEUED], noted("v3"), *PAST[PAUSED][2:], resumed(QUEUED))
    assert subject.pinned_version("a-1") is None
    note(subject, "v4", "d2")
    assert new_events(subject) == [noted("v4", "d2")]


def test_each_compared_assistant_has_a_version_of_its_own() -> None:
    subject = in_state(RUNNING)
    subject.note_assistant("a-1", version="v3", digest="d1", at=AT, by=BY)
    subject.note_assistant("a-2", version="v7", digest="d2", at=AT, by=BY)
    assert [subject.pinned_version(one) for one in ("a-1", "a-2", "a-3")] == [
        "v3",
        "v7",
        None,
    ]
