"""A member's way while the API, the projector, the scheduler or the provider fails.

Every view shows the fault, no input is lost, and the pages recover by themselves.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    create_campaign,
    sample_file,
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


@contextmanager
def frozen(installation: Installation, module: str) -> Iterator[None]:
    """Freeze the process of this module in this context."""
    child = installation.up.child(module)
    os.kill(child, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(child, signal.SIGCONT)


@contextmanager
def provider_down(installation: Installation) -> Iterator[None]:
    """Let the provider reset every connection in this context."""
    installation.simulator.set_faults(down=True)
    try:
        yield
    finally:
        installation.simulator.set_faults()


def visit_every_view(page: Page, shown: Locator | None = None) -> None:
    """Follow the link to each view; `shown` must be visible on each."""
    links = page.get_by_role("navigation", name="Main")
    for name, heading in HEADINGS.items():
        links.get_by_role("link", name=name, exact=True).click()
        # While nothing can be read, some views have a heading already, some have none.
        current = links.locator("[aria-current=page]")
        expect(current).to_have_text(name)
        if shown is None:
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        else:
            expect(shown).to_be_visible(timeout=LONG)


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


def test_a_campaign_is_created_once_although_the_api_freezes(
    installation: Installation, page: Page
) -> None:
    name = "While the API is frozen"
    page.goto("/")
    visit_every_view(page)
    fill_in(page, installation, name)
    page.evaluate("window.sameDocument = true")
    lost = alert(page, "AutoLynx has not answered since")
    expect(lost).to_have_count(0)
    with frozen(installation, "interfaces.asgi"):
        expect(lost).to_be_visible(timeout=LONG)
        expect(page.locator(".pill")).to_contain_text("stale since")
        page.get_by_role("button", name="Create without starting").click()
        toast = page.locator(".toast", has_text="did not answer in time")
        expect(toast.first).to_be_visible(timeout=LONG)
        expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    expect(page.locator(".pill")).to_contain_text("Live", timeout=LONG)
    expect(lost).to_have_count(0)
    page.get_by_role("button", name="Create without starting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_role("link", name="Campaigns", exact=True).first.click()
    expect(page.locator(".card", has_text=name)).to_have_count(1)
    assert page.evaluate("window.sameDocument") is True


def test_every_view_shows_that_the_api_does_not_answer(
    installation: Installation, page: Page
) -> None:
    name = "Kept"
    page.goto("/")
    visit_every_view(page)  # The browser has the modules of all views now.
    fill_in(page, installation, name)
    lost = alert(page, "AutoLynx has not answered since")
    with frozen(installation, "interfaces.asgi"):
        visit_every_view(page, lost)
    expect(lost).to_have_count(0, timeout=LONG)
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")
    expect(page.locator("tbody tr").first).to_be_visible(timeout=LONG)
    back_to_the_draft(page, name)
    page.get_by_role("button", name="Discard the draft").click()


def test_every_view_shows_a_stopped_projector_and_the_draft_is_kept(
    installation: Installation, page: Page
) -> None:
    name = "While the projector is stopped"
    fill_in(page, installation, name)
    stopped = alert(page, "Projector:")
    with frozen(installation, "projections"):
        # An event that the projector would have to process.
        installation.link_of("stopped@autolynx.example", "auditor")
        visit_every_view(page, stopped)
        back_to_the_draft(page, name)
        expect(stopped).to_be_visible()
    expect(stopped).to_have_count(0, timeout=LONG)
    page.get_by_role("button", name="Create and start").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(name)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)


def test_every_view_shows_a_stopped_scheduler(
    installation: Installation, page: Page
) -> None:
    create_campaign(page, sample_file(installation.folder, 1), name="Waits", cap=1)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    stopped = alert(page, "Scheduler:")
    with frozen(installation, "scheduler"):
        visit_every_view(page, stopped)
    expect(stopped).to_have_count(0, timeout=LONG)


def test_every_view_shows_that_the_provider_is_down_and_the_campaign_waits(
    installation: Installation, page: Page
) -> None:
    name = "While the provider is down"
    fill_in(page, installation, name)
    down = alert(page, "Provider:")
    with provider_down(installation):
        visit_every_view(page, down)
        back_to_the_draft(page, name)
        page.get_by_role("button", name="Create and start").click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(name)
        waits = page.get_by_role("region", name="Why it waits")
        expect(waits).to_contain_text("provider", timeout=LONG)
        expect(down).to_be_visible()
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(down).to_have_count(0, timeout=LONG)


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
