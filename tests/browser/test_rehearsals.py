"""A rehearsal from the page of the new campaign."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.installation import LONG, Installation, choose_file, sample_file

CONTACTS = 4


def test_a_campaign_is_rehearsed_before_it_is_created(
    installation: Installation, admin: BrowserContext, tmp_path: Path
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    rehearse = page.get_by_role("button", name="Rehearse it")
    choose_file(page, sample_file(tmp_path, CONTACTS))
    expect(page.locator(".tally")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Rehearsed")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    rehearse.click()
    expect(page.get_by_role("heading", name="Rehearsal: Rehearsed")).to_be_visible()
    expect(page.get_by_text("This is a rehearsal.")).to_be_visible()
    export = page.get_by_role("link", name="Download the rehearsed export")
    expect(export).to_be_visible(timeout=LONG)
    contacts = page.get_by_role("region", name="Contacts of the rehearsal")
    expect(contacts.locator("tbody tr")).to_have_count(CONTACTS)
    with page.expect_download() as download:
        export.click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == CONTACTS + 1
    page.get_by_role("button", name="Drop this rehearsal").click()
    expect(page).to_have_url(re.compile("/campaigns/new$"))
    page.goto("/")
    expect(page.get_by_text("Rehearsed")).to_have_count(0)
    page.close()
