"""Calling rules, the do-not-call register, lists, and why contacts wait."""

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
LISTED = "202-555-0172"


@pytest.fixture(autouse=True)
def waived(installation: Installation) -> Iterator[None]:
    """Waive the rules after each test, because other tests run at any hour."""
    yield
    waiver = {"calling_rules": RulesMode.OFF, "calling_rules_reason": "tests"}
    installation.bench.settings.amend(waiver, by="cli:test")


def test_the_rules_show_their_sources_and_only_an_admin_waives_them(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/rules")
    expect(page.get_by_text("not legal advice").first).to_be_visible()
    page.get_by_label("Country or state").fill("US-FL")
    rules = page.locator("tbody tr")
    expect(rules).to_have_count(1)
    expect(rules).to_contain_text("08:00-20:00")
    expect(rules).to_contain_text("Florida Telephone Solicitation Act")
    expect(rules).to_contain_text("read on")
    page.get_by_role("button", name="Enforce the rules").click()
    page.get_by_role("button", name="Waive the rules").click()
    dialog = page.get_by_role("dialog")
    waive = dialog.get_by_role("button", name="Waive the rules")
    expect(waive).to_be_disabled()
    dialog.get_by_label("Reason").fill("a rehearsal")
    waive.click()
    waived = page.locator(".banner", has_text="waived for all campaigns")
    expect(waived).to_contain_text("by admin@autolynx.example: a rehearsal.")
    page.close()
    with installation.opened("operator") as context:
        other = context.new_page()
        other.goto("/rules")
        expect(other.locator(".banner", has_text="a rehearsal")).to_be_visible()
        assert other.get_by_role("button", name="Enforce the rules").count() == 0


def test_a_number_is_suppressed_looked_up_and_lifted(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/do-not-call")
    page.get_by_role("button", name="Add a number").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Phone number").fill("12")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.locator(".wrong")).to_be_visible()
    dialog.get_by_label("Phone number").fill(SUPPRESSED)
    dialog.get_by_label("Reason").fill("asked by letter")
    dialog.get_by_role("button", name="Add", exact=True).click()
    row = page.get_by_role("region", name="Register").locator("tbody tr")
    expect(row).to_contain_text("+12025550171")
    expect(row).to_contain_text("asked by letter")
    _look_up(page, "1 202 555 0171")
    expect(page.locator(".banner")).to_contain_text("is on the register")
    with installation.opened("operator") as context:
        other = context.new_page()
        other.goto("/do-not-call")
        expect(other.get_by_text("asked by letter")).to_be_visible()
        assert other.get_by_role("button", name="Lift").count() == 0
    page.get_by_role("button", name="Lift +12025550171").click()
    dialog.get_by_label("Reason").fill("entered by mistake")
    dialog.get_by_role("button", name="Lift", exact=True).click()
    expect(row).to_have_count(0)
    _look_up(page, SUPPRESSED)
    expect(page.locator(".banner")).to_contain_text("neither on the register nor")
    page.close()


def _look_up(page: Page, number: str) -> None:
    region = page.get_by_role("region", name="Look a number up")
    region.get_by_label("Phone number").fill(number)
    region.get_by_role("button", name="Look up").click()


def test_a_list_is_uploaded_and_removed(admin: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "registry.txt"
    file.write_text("2025550172\n2025550173\n")
    page = admin.new_page()
    page.goto("/do-not-call")
    page.get_by_role("button", name="Upload a list").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("File").set_input_files(file)
    dialog.get_by_label("Name").fill("Registry")
    dialog.get_by_label("Date of the data").fill("2999-01-01")
    send = dialog.get_by_role("button", name="Upload and activate")
    send.click()
    expect(dialog.get_by_role("alert")).to_contain_text("still in effect")
    dialog.get_by_label("Date of the data").fill("2026-01-15")
    dialog.get_by_label("Covers these prefixes").fill("+1202, 1305")
    send.click()
    row = page.get_by_role("region", name="Lists").locator("tbody tr")
    expect(row).to_contain_text("+1202, +1305")
    expect(row).to_contain_text("Stale")
    expect(row).to_contain_text("SHA-256")
    _look_up(page, LISTED)
    expect(page.locator(".banner")).to_contain_text("is on the list Registry")
    page.get_by_role("button", name="Remove Registry").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(row).to_have_count(0)
    page.close()


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
