"""What the page of a running campaign shows when its start or its assistant changes."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from domain.campaigns.campaign import Campaign
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.browser.installation import Installation
from tests.browser.prepared import BY, SCHEDULER, facts_of, frozen, queued
from tests.wiring import phones


@pytest.fixture
def page(admin: BrowserContext) -> Iterator[Page]:
    page = admin.new_page()
    yield page
    page.close()


def note_assistant(installation: Installation, campaign_id: UUID, digest: str) -> None:
    """Note the assistant as the scheduler does, without a version to pin."""
    installation.bench.campaigns.note_assistant(
        campaign_id, DEFAULT_ASSISTANT_ID, version=None, digest=digest
    )


def test_the_page_shows_that_the_assistant_was_changed(
    installation: Installation, page: Page
) -> None:
    with frozen(installation, SCHEDULER):  # It would pin a version.
        campaign_id = queued(installation, "Changed assistant", phones(1, first=380))
        note_assistant(installation, campaign_id, "before")
        page.goto(f"/campaigns/{campaign_id}")
        expect(page.locator(".head .state")).to_have_text("Queued")
        banner = page.locator(".banner", has_text="was changed")
        expect(banner).to_have_count(0)
        note_assistant(installation, campaign_id, "after")
        page.reload()  # The open page reads it within ten seconds.
        expect(banner).to_contain_text("Calls since then use the changed assistant.")
        page.get_by_role("button", name="Pause").click()
        expect(banner).to_have_count(0)


def test_an_ended_session_leads_to_the_sign_in_page_and_changes_nothing(
    installation: Installation,
) -> None:
    campaign_id = queued(installation, "Session ended", phones(1, first=382))
    with installation.newcomer("expired@autolynx.example", "operator") as context:
        page = context.new_page()
        page.goto(f"/campaigns/{campaign_id}")
        expect(page.locator(".head .state")).to_have_text("Queued")
        context.clear_cookies()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        toast = page.locator(
            ".toast", has_text="Your session has ended: sign in again."
        )
        expect(toast.first).to_be_visible()
        assert f"next=%2Fcampaigns%2F{campaign_id}" in page.url
    assert facts_of(installation, campaign_id)["Paused"] == 0


def test_the_start_cannot_be_changed_after_the_first_call(
    installation: Installation, page: Page
) -> None:
    campaign_id = queued(installation, "Has started", phones(1, first=381))
    page.goto(f"/campaigns/{campaign_id}")
    start = page.get_by_role("dialog").get_by_label("Not before")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(start).to_be_enabled()
    page.get_by_role("button", name="Discard").click()
    app, now = installation.bench.app, installation.bench.now()
    campaign = app.load(Campaign, campaign_id)
    campaign.note_placed(placed_at=now, at=now, by=BY)
    app.append(campaign)
    expect(page.locator(".head .state")).to_have_text("Dialing")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(start).to_be_disabled()
    expect(page.get_by_role("dialog")).to_contain_text(
        "The first call was placed already"
    )
