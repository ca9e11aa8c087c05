"""Members get access in the browser, without a shell."""

import httpx2
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import Installation

NEWCOMER = "newcomer@autolynx.example"


def shown_secret(page: Page) -> str:
    """Return the text that the open dialog shows once."""
    secret = page.get_by_role("dialog").locator(".secret code").inner_text()
    page.get_by_role("button", name="Close").click()
    return secret


def test_a_new_member_signs_in_with_a_link_that_an_admin_creates_in_the_dashboard(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("E-mail").fill(NEWCOMER)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name=f"Create a sign-in link for {NEWCOMER}").click()
    link = shown_secret(page)
    page.close()
    with installation.stranger() as context:
        tab = context.new_page()
        tab.goto("/sign-in")
        expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
        # The browser does not reload an open page if only the part after # changes.
        tab.evaluate("link => { location.href = link }", link)
        expect(tab.get_by_role("heading", name="Campaigns")).to_be_visible()
    with installation.stranger() as context:
        tab = context.new_page()
        tab.goto(link)
        expect(tab.get_by_role("alert")).to_contain_text("already used")


def test_a_token_created_in_the_dashboard_works_until_it_is_revoked(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/tokens")
    page.get_by_role("button", name="Create a token").click()
    days = page.get_by_label("Days until it expires")
    create = page.get_by_role("button", name="Create", exact=True)
    days.fill("0")
    expect(create).to_be_disabled()
    days.fill("2")
    create.click()
    expect(page.get_by_role("dialog")).to_contain_text("not shown again")
    token = shown_secret(page)

    def works() -> bool:
        answer = httpx2.post(
            f"{installation.up.url}/graphql",
            json={"query": "{ me { email } }"},
            headers={"Authorization": f"Bearer {token}"},
        )
        return "errors" not in answer.json()

    assert works()
    rows = page.locator("tbody tr")
    before = rows.count()
    rows.last.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(rows).to_have_count(before - 1)
    assert not works()
    page.close()
