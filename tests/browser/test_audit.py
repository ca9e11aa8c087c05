"""The event history as it grows, its verification, and its download."""

import json

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import LONG, Installation, create_campaign, sample_file

CALLS = 4


def positions(page: Page) -> list[int]:
    cells = page.locator("tbody tr td:first-child").all_inner_texts()
    return [int(text) for text in cells]


def test_the_event_feed_shows_every_event_once_and_can_be_stopped(
    installation: Installation, admin: BrowserContext
) -> None:
    page, other = admin.new_page(), admin.new_page()
    page.goto("/audit")
    row = page.locator("tbody tr")
    expect(row.first).to_be_visible()
    create_campaign(
        other, sample_file(installation.folder, CALLS), name="Tailed", cap=2
    )
    campaign = other.url.rpartition("/")[2]
    page.goto(f"/audit?campaign={campaign}")
    expect(row.filter(has_text="call.ended").first).to_be_visible(timeout=LONG)
    expect(row.filter(has_text="campaign.completed")).to_be_visible(timeout=LONG)
    # A call whose report was looked up may be reported twice.
    reports = row.filter(has_text="call.reported")
    expect(reports.nth(CALLS - 1)).to_be_visible(timeout=LONG)
    heard = positions(page)
    page.reload()
    expect(row.first).to_be_visible()
    assert [one for one in positions(page) if one <= max(heard)] == heard
    page.keyboard.press("f")
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    page.get_by_label("Type", exact=True).fill("campaign.created")
    page.keyboard.press("Enter")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("campaign.created")
    row.get_by_text("Payload").click()
    expect(row.locator("pre")).to_contain_text("assistant_id")
    for one in (page, other):
        one.close()


def test_an_auditor_verifies_the_history_and_downloads_the_evidence(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    create_campaign(page, sample_file(installation.folder, 2), name="Proven", cap=2)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    campaign = page.url.rpartition("/")[2]
    page.close()
    with installation.opened("auditor") as context:
        other = context.new_page()
        other.goto("/audit")
        other.get_by_role("button", name="Verify now").click()
        verified = other.locator(".banner", has_text="No problem was found")
        expect(verified).to_be_visible(timeout=LONG)
        other.goto(f"/audit?campaign={campaign}")
        with other.expect_download() as download:
            other.get_by_role("link", name="Evidence of the campaign").click()
        lines = download.value.path().read_text("utf-8").splitlines()
    state, *events = [json.loads(line) for line in lines]
    assert (state["firstProblem"], state["verifiedUpTo"] > 0) == (None, True)
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))
    types = {event["type"] for event in events}
    assert {"campaign.created", "call.requested", "campaign.completed"} <= types
