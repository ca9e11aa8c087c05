"""A member hears the assistant before the campaign starts."""

import re

from playwright.sync_api import BrowserContext, expect

from tests.browser.installation import LONG, Installation, choose_file, sample_file

PHONE = "+12025550191"


def test_an_operator_places_a_test_call_from_the_page_of_the_new_campaign(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    choose_file(page, sample_file(installation.folder, 3))
    expect(page.locator(".tally[role=status]")).to_be_visible()
    place = page.get_by_role("button", name="Test call")
    expect(place).to_be_disabled()
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    place.click()
    number = page.get_by_label("Your own number")
    number.fill("12")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("dialog .wrong")).to_be_visible()
    number.fill(PHONE)
    page.get_by_role("button", name="Call", exact=True).click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Follow the test call").click()
    campaign = opened.value
    expect(campaign.get_by_role("heading", level=1)).to_have_text("Test call")
    expect(campaign.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(campaign.locator("#contacts tbody tr")).to_have_count(1)
    page.close()


def test_an_operator_tests_an_assistant_on_the_page_of_the_assistants(
    installation: Installation,
) -> None:
    with installation.opened("operator") as context:
        page = context.new_page()
        page.goto("/assistants")
        expect(page.get_by_role("button", name="Test call").first).to_be_visible()
        expect(page.get_by_role("button", name="Archive")).to_have_count(0)
        page.get_by_role("button", name="Test call").first.click()
        page.get_by_label("Your own number").fill(PHONE)
        call = page.get_by_role("button", name="Call", exact=True)
        expect(call).to_be_disabled()
        page.get_by_label("Line", exact=True).select_option(index=1)
        call.click()
        follow = page.get_by_role("link", name="Follow the test call")
        expect(follow).to_have_attribute("href", re.compile("^/campaigns/"))
