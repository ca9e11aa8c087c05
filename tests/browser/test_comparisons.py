"""A campaign that compares two assistants."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.installation import LONG, Installation, choose_file, sample_file

CONTACTS = 8


def test_a_comparison_is_created_run_and_shown(
    installation: Installation, admin: BrowserContext, tmp_path: Path
) -> None:
    installation.bench.assistants.create(
        "Quinn", {"maxDurationSeconds": 60}, by="cli:test"
    )
    page = admin.new_page()
    page.goto("/campaigns/new")
    choose_file(page, sample_file(tmp_path, CONTACTS))
    expect(page.locator(".tally[role=status]")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Compared")
    page.get_by_label("Assistant", exact=True).select_option("Appointment reminder")
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_label("Cap: calls at once").fill(str(CONTACTS))
    page.get_by_role("button", name="Add an assistant").click()
    page.get_by_label("Compared assistant 1", exact=True).select_option("Quinn")
    share = page.get_by_label("Share of compared assistant 1 in percent")
    expect(share).to_have_value("50")
    share.fill("40")
    shows = page.get_by_role("group", name="Compare assistants")
    expect(shows).to_contain_text("60 % of the contacts get the assistant above")
    expect(shows).to_contain_text("this list can show: none")
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compared")

    panel = page.get_by_role("region", name="Compared assistants")
    rows = panel.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("60 %")
    expect(rows.nth(1)).to_contain_text(re.compile(r"Quinn.*40 %"))
    state = page.locator(".head .state")
    expect(state).to_have_text("Completed", timeout=LONG)
    page.reload()
    expect(rows).to_have_count(2)
    called = [int(rows.nth(at).locator("td").nth(1).inner_text()) for at in (0, 1)]
    assert sum(called) == CONTACTS
    page.close()
