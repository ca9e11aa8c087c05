"""A member's way while the API, the projector, the scheduler or the provider fails.

Every view shows the fault, no input is lost, and the pages recover by themselves.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    sample_file,
)
from tests.browser.prepared import (
    API,
    PROJECTOR,
    SCHEDULER,
    frozen,
    provider_down,
)

CONTACTS = 3
HEADINGS = {
    "Campaigns": "Campaigns",
    "Assistants": "Assistants",
    "Do not call": "Do not call",
    "Calling rules": "Calling rules",
    "Spend and alerts": "Spend and alerts",
    "Forecasts": "Forecasts",
    "Health and lines": "Health and lines",
    "Members": "Members",
    "Webhooks": "Webhooks",
    "API tokens": "API tokens",
    "Settings": "Settings",
    "Audit": "Audit",
}
"""The heading of each view, by the name of its link."""


@pytest.fixture
def page(installation: Installation, admin: BrowserContext) -> Iterator[Page]:
    page = admin.new_page()
    yield page
    page.close()


def visit_every_view(page: Page, *shown: Locator) -> None:
    """Follow the link to each view; all of `shown` must be visible on each."""
    links = page.get_by_role("navigation", name="Main")
    for name, heading in HEADINGS.items():
        links.get_by_role("link", name=name, exact=True).click()
        # While nothing can be read, some views have a heading already, some have none.
        current = links.locator("[aria-current=page]")
        expect(current).to_have_text(name)
        for one in shown:
            expect(one).to_be_visible(timeout=LONG)
        if not shown:
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def fill_in(page: Page, installation: Installation, name: str) -> None:
    page.goto("/campaigns/new")
    choose_file(page, sample_file(installation.folder, CONTACTS))
    expect(page.locator(".tally[role=status]")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)


def back_to_the_draft(page: Page, name: str) -> None:
    """Open the page of the new campaign; everything that was entered is there."""
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New campaign")
    expect(page.get_by_label("Name", exact=True)).to_have_value(name, timeout=LONG)
    expect(page.locator(".tally[role=status]")).to_be_visible(timeout=LONG)
    expect(page.get_by_label("Assistant", exact=True)).not_to_have_value("")
    expect(page.get_by_label("Line", exact=True)).not_to_have_value("")


def alert(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator("#main").get_by_role("alert").filter(has_text=text).first


def test_every_view_shows_that_the_api_does_not_answer_and_a_campaign_is_created_once(
    installation: Installation, page: Page
) -> None:
    name = "While the API is frozen"
    page.goto("/")
    visit_every_view(page)  # The browser has the modules of all views now.
    fill_in(page, installation, name)
    page.evaluate("window.sameDocument = true")
    lost = alert(page, "AutoLynx has not answered since")
    expect(lost).to_have_count(0)
    create = page.get_by_role("button", name="Create without starting")
    with frozen(installation, API):
        expect(lost).to_be_visible(timeout=LONG)
        expect(page.locator(".pill")).to_contain_text("stale since")
        create.click()
        toast = page.locator(".toast", has_text="did not answer in time")
        expect(toast.first).to_be_visible(timeout=LONG)
        expect(page.get_by_label("Name", exact=True)).to_have_value(name)
        visit_every_view(page, lost)
    expect(lost).to_have_count(0, timeout=LONG)
    expect(page.locator(".pill")).to_contain_text("Live", timeout=LONG)
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")
    expect(page.locator("tbody tr").first).to_be_visible(timeout=LONG)
    back_to_the_draft(page, name)
    create.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_role("link", name="Campaigns", exact=True).first.click()
    expect(page.locator(".card", has_text=name)).to_have_count(1)
    assert page.evaluate("window.sameDocument") is True


def test_every_view_shows_which_parts_are_down_and_the_draft_is_kept(
    installation: Installation, page: Page
) -> None:
    """The projector, the scheduler and the provider fail at the same time."""
    name = "While three parts are down"
    fill_in(page, installation, name)
    projector, scheduler, provider = (
        alert(page, f"{part}:") for part in ("Projector", "Scheduler", "Provider")
    )
    with provider_down(installation):
        with (
            frozen(installation, SCHEDULER),
            frozen(installation, PROJECTOR),
        ):
            # An event that the projector would have to process.
            installation.link_of("stopped@autolynx.example", "auditor")
            visit_every_view(page, projector, scheduler, provider)
            back_to_the_draft(page, name)
            expect(projector).to_be_visible()
        expect(projector).to_have_count(0, timeout=LONG)
        expect(scheduler).to_have_count(0, timeout=LONG)
        page.get_by_role("button", name="Create and start").click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(name)
        waits = page.get_by_role("region", name="Why it waits")
        expect(waits).to_contain_text("provider", timeout=LONG)
        expect(provider).to_be_visible()
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(provider).to_have_count(0, timeout=LONG)


def test_the_list_of_the_provider_s_assistants_is_read_again_by_itself(
    installation: Installation, page: Page
) -> None:
    with provider_down(installation):
        page.goto("/assistants")
        page.get_by_role("button", name="Import").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("alert")).to_be_visible(timeout=LONG)
        dialog.get_by_label("Name here").fill("Not lost")
    chooser = dialog.get_by_label("Assistant at the provider")
    expect(chooser).to_be_visible(timeout=LONG)
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.get_by_label("Name here")).to_have_value("Not lost")
