"""Each role is shown what it may do, and nothing else."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import LONG, Installation, create_campaign, sample_file

EVERYBODY = {
    "Campaigns",
    "Assistants",
    "Do not call",
    "Calling rules",
    "Spend and alerts",
    "Forecasts",
    "Health and lines",
    "API tokens",
    "Settings",
}
PLACES = {
    "operator": EVERYBODY,
    "auditor": EVERYBODY | {"Audit"},
    "admin": EVERYBODY | {"Audit", "Members", "Webhooks"},
}


@pytest.fixture(scope="module")
def campaign(installation: Installation, admin: BrowserContext) -> str:
    """The address of a campaign that goes on for a while."""
    page = admin.new_page()
    file = sample_file(installation.folder, 40)
    create_campaign(page, file, name="Seen by all", cap=1)
    address = page.url
    page.close()
    return address


def places(page: Page) -> set[str]:
    links = page.get_by_role("navigation", name="Main").get_by_role("link").all()
    return {link.inner_text() for link in links} - {"AutoLynx"}


@pytest.mark.parametrize("role", ["operator", "auditor", "admin"])
def test_each_role_sees_its_own_views_only(
    installation: Installation, campaign: str, role: str
) -> None:
    changes, looks_back = role != "auditor", role != "operator"
    with installation.opened(role) as context:
        page = context.new_page()
        page.goto("/")
        expect(page.get_by_role("link", name="Seen by all")).to_be_visible()
        assert places(page) == PLACES[role]
        assert page.get_by_role("link", name="New campaign").count() == changes
        page.goto(campaign)
        expect(page.get_by_role("button", name="Export")).to_be_visible()
        for name in ("Pause", "Cancel", "Change", "Add contacts"):
            button = page.get_by_role("button", name=name, exact=True)
            assert button.count() == changes, name
        assert page.get_by_role("link", name="History").count() == looks_back
        page.goto("/settings")
        expect(page.get_by_label("Cap over all campaigns")).to_be_enabled(
            enabled=role == "admin"
        )


@pytest.mark.parametrize("address", ["/audit", "/members", "/campaigns/new"])
def test_a_view_that_the_role_may_not_see_explains_that(
    installation: Installation, address: str
) -> None:
    role = "auditor" if address == "/campaigns/new" else "operator"
    with installation.opened(role) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator(".empty")).to_contain_text("For ")


def test_an_operator_pauses_changes_resumes_and_cancels(
    installation: Installation, campaign: str
) -> None:
    with installation.opened("operator") as context:
        page = context.new_page()
        page.goto(campaign)
        state = page.locator(".head .state")
        page.get_by_role("button", name="Pause").click()
        expect(state).to_have_text("Paused", timeout=LONG)
        page.get_by_role("button", name="Change").click()
        page.get_by_label("Cap: calls at once").fill("2")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("of 2 places taken")).to_be_visible()
        page.keyboard.press("p")
        expect(state).not_to_have_text("Paused")
        page.get_by_role("button", name="Cancel", exact=True).click()
        confirm = page.get_by_role("button", name="Cancel the campaign")
        expect(confirm).to_be_disabled()
        page.get_by_label("Type “cancel” to confirm").fill("cancel")
        page.get_by_label("Hang up").check()
        confirm.click()
        expect(state).to_have_text("Canceled", timeout=LONG)
