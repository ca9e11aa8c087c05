"""Why contacts wait or are never called, and why a call was allowed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from domain.settings import RulesMode
from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    create_campaign,
    sample_file,
)

SUPPRESSED = "(202) 555-0171"


@pytest.fixture(autouse=True)
def waived(installation: Installation) -> Iterator[None]:
    """Waive the rules after each test, because other tests run at any hour."""
    yield
    waiver = {"calling_rules": RulesMode.OFF, "calling_rules_reason": "tests"}
    installation.bench.settings.amend(waiver, by="cli:test")


def test_a_campaign_shows_who_is_never_called_and_why_the_others_wait(
    admin: BrowserContext, tmp_path: Path
) -> None:
    """Numbers of a country without rules wait at every hour of the day."""
    page = admin.new_page()
    _suppress(page)
    page.goto("/rules")
    page.get_by_role("button", name="Enforce the rules").click()
    expect(page.get_by_role("button", name="Waive the rules")).to_be_visible()
    file = tmp_path / "swiss.csv"
    numbers = ("+41446681800", "+41446681801", "+12025550171")
    rows = (f"Person {n},{number}" for n, number in enumerate(numbers))
    file.write_text("\n".join(["name,phone", *rows]))
    page.goto("/campaigns/new")
    choose_file(page, file)
    preview = page.get_by_role("region", name="Who may be called, and when")
    expect(preview).to_contain_text("On the do-not-call register or a list")
    expect(preview.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("Nobody may be called in the next 72 hours")
    )
    create_campaign(page, file, name="Waits", cap=2)
    # Until the suppressed contact is finished, another reason is listed as well.
    reasons = page.get_by_role("region", name="Why it waits").locator("li")
    reason = reasons.filter(has_text="no calling rules")
    expect(reason).to_be_visible(timeout=LONG)
    reason.get_by_role("button", name="Show these contacts").click()
    listed = page.locator("#contacts tbody tr")
    expect(listed).to_have_count(2)
    expect(listed.first).to_contain_text("No calling rules for the country")
    listed.first.get_by_role("link").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Waits: No calling rules for the country")
    page.keyboard.press("Escape")
    expect(listed.first.get_by_role("link")).to_be_focused()
    contacts = page.locator("#contacts")
    contacts.get_by_label("Waits because").select_option("")
    contacts.get_by_label("Never called because").select_option("SUPPRESSED")
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("On the do-not-call register")
    page.close()


def _suppress(page: Page) -> None:
    page.goto("/do-not-call")
    page.get_by_role("button", name="Add a number").click()
    page.get_by_role("dialog").get_by_label("Phone number").fill(SUPPRESSED)
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("+12025550171").first).to_be_visible()


def test_a_call_shows_why_it_was_allowed(admin: BrowserContext, tmp_path: Path) -> None:
    page = admin.new_page()
    create_campaign(page, sample_file(tmp_path, 2), name="Allowed", cap=2)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    page.locator("#contacts tbody a").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator(".permit")).to_contain_text("calling hours waived by")
    drawer.get_by_text("The facts of the decision").click()
    expect(drawer.locator(".permit")).to_contain_text("Time zones")
    page.close()
