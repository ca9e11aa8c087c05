"""Results of a campaign, a redial, single contacts, and the choice of retries."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import LONG, create_campaign, sample_file

CONTACTS = 6


@pytest.fixture
def finished(admin: BrowserContext, tmp_path: Path) -> Page:
    """A campaign's page after all its contacts were called."""
    page = admin.new_page()
    create_campaign(page, sample_file(tmp_path, CONTACTS), name="Called", cap=6)
    lead = page.locator(".state", has_text="Completed").first
    expect(lead).to_be_visible(timeout=LONG)
    # A report may change the outcome of its call.
    expect(page.get_by_text("Every report is in.")).to_be_visible(timeout=LONG)
    page.reload()
    return page


def test_results_are_shown_filtered_and_called_again(finished: Page) -> None:
    results = finished.get_by_role("region", name="Results")
    stages = results.locator(".stages li")
    expect(stages.nth(1)).to_have_text(re.compile(rf"Dialed\s*{CONTACTS}"))
    outcome = results.locator(".outcomes button").first
    contacts = int(outcome.locator("b").inner_text())
    outcome.click()
    expect(finished.locator("#contacts tbody tr")).to_have_count(contacts)

    finished.locator("#contacts tbody a").first.click()
    drawer = finished.get_by_role("dialog")
    drawer.get_by_label("Disposition").select_option("NOT_INTERESTED")
    expect(finished.locator(".toast", has_text="Disposition set")).to_be_visible()
    drawer.get_by_label("Note").fill("Ask for the son.")
    drawer.get_by_role("button", name="Save the note").click()
    expect(finished.locator(".toast", has_text="Note saved")).to_be_visible()
    finished.keyboard.press("Escape")
    listed = finished.locator("#contacts")
    listed.get_by_label("Outcome").select_option("")
    listed.get_by_label("Disposition").select_option("NOT_INTERESTED")
    expect(listed.locator("tbody tr")).to_have_count(1)
    expect(listed.locator("tbody tr")).to_contain_text("Ask for the son.")
    listed.get_by_label("Disposition").select_option("OPTED_OUT")
    listed.get_by_role("button", name="Clear the filters").click()
    expect(listed.locator("tbody tr")).to_have_count(CONTACTS)

    results.get_by_role("button", name="Redial").click()
    dialog = finished.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{CONTACTS} contacts are called again")
    dialog.get_by_role("button", name="Create the redial").click()
    expect(finished.get_by_role("link", name="Called")).to_be_visible()
    expect(finished.get_by_role("heading", level=1)).to_have_text("Redial of Called")
    finished.close()


def test_selected_contacts_are_redialed(finished: Page) -> None:
    listed = finished.locator("#contacts")
    chosen = listed.get_by_role("checkbox", name=re.compile("^Select (?!all)"))
    listed.get_by_label("Select all contacts of this page").check()
    expect(listed.get_by_role("status")).to_contain_text(f"{CONTACTS} selected")
    listed.get_by_role("button", name="Clear the selection").click()
    for place in (0, 2):
        chosen.nth(place).check()
    listed.get_by_role("button", name="Redial the selected").click()
    dialog = finished.get_by_role("dialog")
    expect(dialog).to_contain_text("2 contacts are called again")
    dialog.get_by_role("button", name="Create the redial").click()
    expect(finished.get_by_role("heading", level=1)).to_have_text("Redial of Called")
    expect(finished.locator("#contacts tbody tr")).to_have_count(2)
    expect(finished.locator("#contacts").get_by_role("status")).to_have_count(0)
    finished.close()


def test_a_retry_preset_shows_when_people_are_called_at_the_latest(
    admin: BrowserContext,
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    page.get_by_label("Calls to a contact").select_option("patient")
    expect(page.locator("[aria-label='Latest times of the calls'] li")).to_have_count(4)
    page.close()
