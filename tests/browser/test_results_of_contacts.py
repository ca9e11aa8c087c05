"""A disposition and a note that are set one shortly after the other."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, Route, expect

from tests.browser.installation import Installation
from tests.browser.prepared import operation_of, queued
from tests.wiring import phones

NOTE = "Ask for the son."


@pytest.fixture
def page(installation: Installation, admin: BrowserContext) -> Iterator[Page]:
    """The page of a campaign with an open contact."""
    page = admin.new_page()
    campaign_id = queued(installation, "Two changes", phones(1, first=340))
    page.goto(f"/campaigns/{campaign_id}")
    page.locator("#contacts tbody a").click()
    expect(page.get_by_label("Note")).to_be_visible()
    yield page
    page.close()


def set_disposition(page: Page) -> None:
    page.locator("dialog.drawer").get_by_label("Disposition").select_option("OTHER")


def save_note(page: Page) -> None:
    page.get_by_label("Note").fill(NOTE)
    page.get_by_role("button", name="Save the note").click()


def expect_both(page: Page) -> None:
    expect(page.locator(".toast", has_text="Note saved.")).to_be_visible()
    expect(page.locator(".toast", has_text="Disposition set.")).to_be_visible()
    page.unroute_all()
    page.reload()
    drawer = page.locator("dialog.drawer")
    expect(drawer.get_by_label("Note")).to_have_value(NOTE)
    expect(drawer.get_by_label("Disposition")).to_have_value("OTHER")


def test_a_note_saved_before_the_disposition_is_shown_keeps_it(page: Page) -> None:
    """The page reads the contact as it was before both changes."""
    before: list[APIResponse] = []

    def show_the_contact_as_before(route: Route) -> None:
        if operation_of(route) != "ContactPage":
            route.fallback()
            return
        if not before:
            before.append(route.fetch(max_retries=3))
        route.fulfill(response=before[0])

    page.route("**/graphql", show_the_contact_as_before)
    with page.expect_response(lambda answer: bool(before)):
        page.reload()
    expect(page.get_by_label("Note")).to_have_value("")
    set_disposition(page)
    expect(page.locator(".toast", has_text="Disposition set.")).to_be_visible()
    save_note(page)
    expect_both(page)


def test_a_note_does_not_overtake_the_disposition_set_before_it(page: Page) -> None:
    """The request that sets the disposition is slow, the next one is not."""
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if operation_of(route) == "SetDisposition" and not held:
            held.append(route)
        else:
            route.fallback()

    page.route("**/graphql", hold_the_first)
    set_disposition(page)
    save_note(page)
    expect(page.get_by_role("button", name="Save the note")).to_be_disabled()
    assert held
    held[0].continue_()
    expect_both(page)
