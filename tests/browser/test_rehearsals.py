"""A rehearsal from the page of the new campaign."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installation import LONG, Installation, choose_file, sample_file

CONTACTS = 4
OPERATOR = "rehearser@autolynx.example"
NO_REHEARSAL = "No such rehearsal"


@pytest.fixture
def page(installation: Installation) -> Iterator[Page]:
    with installation.newcomer(OPERATOR, "operator") as context:
        yield context.new_page()


def rehearse(page: Page) -> str:
    """Rehearse the draft; return the address of the rehearsal."""
    page.get_by_role("button", name="Rehearse it").click()
    expect(page.get_by_role("heading", name="Rehearsal: Rehearsed")).to_be_visible()
    expect(page.get_by_text("This is a rehearsal.")).to_be_visible()
    return page.url


def expect_result(page: Page) -> None:
    contacts = page.get_by_role("region", name="Contacts of the rehearsal")
    expect(contacts.locator("tbody tr")).to_have_count(CONTACTS, timeout=LONG)


def test_a_campaign_is_rehearsed_before_it_is_created(
    installation: Installation, page: Page, tmp_path: Path
) -> None:
    heading = page.get_by_role("heading", level=1)
    page.goto("/campaigns/new")
    choose_file(page, sample_file(tmp_path, CONTACTS))
    expect(page.locator(".tally")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Rehearsed")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    address = rehearse(page)
    page.reload()  # Before there is a result, usually: it is run again.
    expect_result(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rehearsed export").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == CONTACTS + 1
    page.reload()
    expect_result(page)
    page.get_by_role("button", name="Drop this rehearsal").click()
    expect(page).to_have_url(re.compile("/campaigns/new$"))
    page.go_back()
    expect(heading).to_have_text(NO_REHEARSAL)
    page.goto("/")
    expect(page.get_by_text("Rehearsed")).to_have_count(0)

    page.goto("/campaigns/new")
    expect(page.locator(".tally")).to_be_visible()
    expect(page.get_by_label("Line", exact=True)).not_to_have_value("")
    kept = rehearse(page)
    assert kept != address
    expect_result(page)
    page.get_by_role("button", name="Sign out").click()
    expect(heading).to_have_text("Sign in")
    page.goto(installation.link_of(OPERATOR, "operator"))
    expect(heading).to_have_text("Campaigns")
    page.goto(kept)
    expect(heading).to_have_text(NO_REHEARSAL)
