"""The day of an auditor: replay, verify, take the evidence, and change nothing."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import LONG, Installation, create_campaign, sample_file

CALLS = 4
NAME = "Proven"
VIEWS = (
    "/",
    "{campaign}",
    "{contact}",
    "/assistants",
    "/do-not-call",
    "/rules",
    "/spend",
    "/forecasts",
    "/health",
    "/settings",
)
CHANGES = (
    "Add contacts",
    "Add a number",
    "Allow requests again",
    "Call again",
    "Cancel",
    "Change",
    "Create a campaign",
    "Duplicate",
    "Enforce the rules",
    "Import",
    "Never call",
    "New assistant",
    "New campaign",
    "Pause",
    "Redial",
    "Remove",
    "Resume",
    "Save the changes",
    "Save the note",
    "Schedule",
    "Start",
    "Upload a list",
    "Waive the rules",
)
QUESTIONS = {"Phone number", "Purpose", "Search the transcript", "Speed"}
"""Fields that change nothing; lists have search fields and filters besides."""
CONTROLS = """() => [...document.querySelectorAll(
  "main button, main a.button, dialog button, dialog a.button")]
  .filter((one) => !one.disabled).map((one) => one.innerText.trim())"""
FIELDS = """() => [...document.querySelectorAll(
  "main input, main select, main textarea, dialog select, dialog textarea")]
  .filter((one) => !one.disabled && !one.closest(".filters, .search"))
  .map((one) => one.labels?.[0]?.innerText ?? one.ariaLabel)"""


@pytest.fixture(scope="module")
def campaign(installation: Installation, admin: BrowserContext) -> str:
    """The address of a finished campaign."""
    page = admin.new_page()
    file = sample_file(installation.folder, CALLS)
    create_campaign(page, file, name=NAME, cap=2)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(page.get_by_text("Every report is in.")).to_be_visible(timeout=LONG)
    address = page.url
    page.close()
    return address


@pytest.fixture
def page(installation: Installation, campaign: str) -> Iterator[Page]:
    with installation.opened("auditor") as context:
        yield context.new_page()


def test_an_auditor_replays_verifies_and_downloads_the_evidence(
    page: Page, campaign: str
) -> None:
    page.goto("/")
    page.get_by_role("link", name=NAME).click()
    _replay(page)
    page.get_by_role("link", name="Audit", exact=True).click()
    _verify(page)
    _read_the_events(page, campaign)
    _download_the_evidence(page)


def _replay(page: Page) -> None:
    """Travel from the end to the beginning and back."""
    page.get_by_role("link", name="History").click()
    then = page.get_by_role("region", name="The campaign then")
    expect(then.locator(".state").first).to_have_text("Completed")
    expect(then.locator("[data-then=pending]")).to_have_text("0")
    slider = page.get_by_role("slider", name="Time")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_role("button", name="Completed (later)")).to_be_visible()
    page.get_by_role("button", name="Contacts imported").click()
    # Creating and starting together may take less than the slider's smallest step.
    expect(then.locator(".state").first).to_have_text(re.compile("Created|Queued"))
    expect(then.locator("[data-then=ended]")).to_have_text("0")
    page.get_by_role("button", name="Event after").click()
    page.get_by_role("button", name="End", exact=True).click()
    expect(then.locator(".state").first).to_have_text("Completed")


def _verify(page: Page) -> None:
    page.get_by_role("button", name="Verify now").click()
    verified = page.locator(".banner", has_text="No problem was found")
    expect(verified).to_be_visible(timeout=LONG)


def _read_the_events(page: Page, campaign: str) -> None:
    page.get_by_role("textbox", name="Campaign id").fill(campaign.rpartition("/")[2])
    page.keyboard.press("Enter")
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text="campaign.completed")).to_have_count(1)
    # A call whose report was looked up may be reported twice.
    expect(rows.filter(has_text="call.reported").nth(CALLS - 1)).to_be_visible()
    page.get_by_label("Type", exact=True).fill("campaign.created")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    rows.get_by_text("Payload").click()
    expect(rows.locator("pre")).to_contain_text("assistant_id")


def _download_the_evidence(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Evidence of the campaign").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    state, *events = [json.loads(line) for line in lines]
    assert (state["firstProblem"], state["verifiedUpTo"] > 0) == (None, True)
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))
    types = {event["type"] for event in events}
    assert {"campaign.created", "call.requested", "campaign.completed"} <= types


def test_the_event_feed_shows_every_event_once_and_can_be_stopped(
    installation: Installation, admin: BrowserContext, page: Page
) -> None:
    other = admin.new_page()
    page.goto("/audit")
    rows = page.locator("tbody tr")
    expect(rows.first).to_be_visible()
    expect(page.locator(".pill")).to_contain_text("Live")
    create_campaign(other, sample_file(installation.folder, 2), name="Tailed", cap=2)
    campaign = other.url.rpartition("/")[2]
    page.goto(f"/audit?campaign={campaign}")
    expect(rows.filter(has_text="campaign.completed")).to_be_visible(timeout=LONG)
    expect(rows.filter(has_text="call.reported").nth(1)).to_be_visible(timeout=LONG)
    heard = _positions(page)
    page.reload()
    expect(rows.first).to_be_visible()
    assert [one for one in _positions(page) if one <= max(heard)] == heard
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Follow")).to_be_visible()
    other.close()


def _positions(page: Page) -> list[int]:
    cells = page.locator("tbody tr td:first-child").all_inner_texts()
    return [int(text.replace(",", "")) for text in cells]


def test_no_view_offers_an_auditor_a_change(page: Page, campaign: str) -> None:
    page.goto(campaign)
    link = page.locator("#contacts tbody a").first
    contact = link.get_attribute("href") or ""
    for view in VIEWS:
        page.goto(view.format(campaign=campaign, contact=contact))
        expect(page.get_by_role("heading").first).to_be_visible()
        if view == "{contact}":
            expect(page.locator("dialog.drawer .attempt").first).to_be_visible()
        expect(page.locator(".pill")).to_contain_text("Live")
        expect(page.locator(".skeleton")).to_have_count(0)
        assert not set(page.evaluate(CONTROLS)).intersection(CHANGES), view
        assert set(page.evaluate(FIELDS)) <= QUESTIONS, view
