"""What the dashboard shows when a part fails, or a change would be lost."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    create_campaign,
    sample_file,
)

API_WORDS = re.compile(r"\bnull\b|Errno|\b[a-z]+[A-Z]\w*|\b[A-Z]+_[A-Z]+")


def test_a_resume_after_which_the_campaign_pauses_again_shows_the_reason(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    choose_file(page, sample_file(installation.folder, 4))
    page.get_by_label("Name", exact=True).fill("Too small a budget")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_label("Budget in US dollars").fill("0.01")
    page.get_by_role("button", name="Create and start").click()
    state = page.locator(".head .state")
    expect(state).to_have_text("Paused", timeout=LONG)
    banner = page.locator(".banner", has_text="Paused:")
    expect(banner).to_contain_text("Raise the campaign's budget, then resume.")
    page.get_by_role("button", name="Resume").click()
    toast = page.locator(".toast")
    expect(toast.filter(has_text="paused again at once")).to_be_visible()
    expect(toast.filter(has_text="Resumed.")).to_have_count(0)
    page.close()


def test_no_past_time_is_in_the_future_where_the_browser_s_clock_is_behind(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.clock.set_system_time(datetime.now(UTC) - timedelta(hours=2))
    create_campaign(page, sample_file(installation.folder, 1), name="Ahead", cap=1)
    expect(page.locator(".head time").first).to_have_text("just now")
    page.goto("/")
    times = page.locator(".card time")
    expect(times.first).to_be_visible()
    assert not [text for text in times.all_inner_texts() if text.startswith("in ")]
    page.close()


@pytest.mark.parametrize("path", ["/nothing", "/campaigns/one/two/three"])
def test_an_unknown_address_shows_a_page(admin: BrowserContext, path: str) -> None:
    page = admin.new_page()
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 404
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("There is no such page")
    page.get_by_role("link", name="Go to the campaigns").click()
    expect(heading).to_have_text("Campaigns")
    page.close()


def test_a_view_that_was_not_loaded_before_the_connection_is_lost_explains_it(
    installation: Installation,
) -> None:
    with installation.opened("operator") as context:
        page = context.new_page()
        page.goto("/")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Campaigns")
        context.set_offline(True)
        page.get_by_role("link", name="Spend and alerts").click()
        expect(heading).to_have_text("This page could not be loaded")
        context.set_offline(False)
        again = page.get_by_role("button", name="Try again")
        expect(again.or_(page.get_by_text("Spend and alerts").nth(1))).to_be_visible()
        page.reload()
        expect(heading).to_have_text("Spend and alerts")


def test_messages_contain_no_words_of_the_api(admin: BrowserContext) -> None:
    page = admin.new_page()
    page.goto("/settings")
    page.get_by_label("Default cap of a campaign").fill("99999999")
    page.get_by_role("button", name="Save the changes").click()
    wrong = page.locator(".wrong")
    expect(wrong).to_be_visible()
    for text in (wrong.inner_text(), page.locator(".toast span").first.inner_text()):
        assert not API_WORDS.search(text), text
    page.on("dialog", lambda dialog: dialog.accept())
    page.close()


def test_a_wide_table_shows_every_column_on_a_phone(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    create_campaign(page, sample_file(installation.folder, 1), name="Narrow", cap=1)
    row = page.locator("#contacts tbody tr").first
    expect(row.get_by_text("+12015550100")).to_be_visible()
    expect(row.locator("td[data-label='Last event']")).to_be_visible(timeout=LONG)
    page.close()
