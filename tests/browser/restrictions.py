"""Steps of an admin who decides whom nobody calls, and when."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.installation import Installation

NUMBER = "(202) 555-0171"


def read_and_waive_the_rules(installation: Installation, page: Page) -> None:
    """Read the rules with their sources, enforce them, and waive them with a reason."""
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
    with installation.opened("operator") as context:
        other = context.new_page()
        other.goto("/rules")
        expect(other.locator(".banner", has_text="a rehearsal")).to_be_visible()
        assert other.get_by_role("button", name="Enforce the rules").count() == 0


def suppress_a_number(page: Page) -> None:
    """Add a number to the register, look it up, and lift it."""
    page.goto("/do-not-call")
    page.get_by_role("button", name="Add a number").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Phone number").fill("12")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.locator(".wrong")).to_be_visible()
    dialog.get_by_label("Phone number").fill(NUMBER)
    dialog.get_by_label("Reason").fill("asked by letter")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_have_count(0)
    register = page.get_by_role("region", name="Register").locator("tbody tr")
    row = register.filter(has_text="+12025550171")
    expect(row).to_contain_text("asked by letter")
    look_up(page, "1 202 555 0171", "is on the register")
    page.get_by_role("button", name="Lift +12025550171").click()
    dialog.get_by_label("Reason").fill("entered by mistake")
    dialog.get_by_role("button", name="Lift", exact=True).click()
    expect(row).to_have_count(0)
    look_up(page, NUMBER, "neither on the register nor")


def look_up(page: Page, number: str, found: str) -> None:
    region = page.get_by_role("region", name="Look a number up")
    region.get_by_label("Phone number").fill(number)
    region.get_by_role("button", name="Look up").click()
    expect(region.locator(".banner")).to_contain_text(found)


def upload_a_list(page: Page, folder: Path) -> None:
    """Upload a do-not-call list, look a number of it up, and remove it."""
    file = folder / "registry.txt"
    file.write_text("2025550172\n2025550173\n")
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
    expect(dialog).to_have_count(0)
    row = page.get_by_role("region", name="Lists").locator("tbody tr")
    expect(row).to_contain_text("+1202, +1305")
    expect(row).to_contain_text("Stale")
    expect(row).to_contain_text("SHA-256")
    look_up(page, "202-555-0172", "is on the list Registry")
    page.get_by_role("button", name="Remove Registry").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(row).to_have_count(0)
