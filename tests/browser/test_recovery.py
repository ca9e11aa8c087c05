"""A server that goes away and comes back."""

import os
import signal

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.desk import LONG, Desk, create_campaign, sample_file


def pill(page: Page, text: str) -> None:
    expect(page.locator(".pill")).to_contain_text(text, timeout=LONG)


def test_the_page_says_that_it_is_stale_and_recovers_by_itself(
    desk: Desk, admin: BrowserContext
) -> None:
    page = admin.new_page()
    create_campaign(page, sample_file(desk.folder, 15), name="Restarted", cap=3)
    page.evaluate("window.sameDocument = true")
    pill(page, "Live")
    os.kill(desk.up.child("interfaces.asgi"), signal.SIGKILL)
    pill(page, "stale since")
    pill(page, "Live")
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(page.get_by_text("Every report is in.")).to_be_visible(timeout=LONG)
    assert page.evaluate("window.sameDocument") is True
    page.close()


def test_whoever_is_removed_is_shown_the_door(desk: Desk) -> None:
    email = "leaver@autolynx.example"
    with desk.newcomer(email, "operator") as context:
        page = context.new_page()
        page.goto("/")
        pill(page, "Live")
        desk.told("members", "remove", email)
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Sign in", timeout=LONG)


def test_signing_out_ends_the_session(desk: Desk) -> None:
    with desk.newcomer("visitor@autolynx.example", "auditor") as context:
        page = context.new_page()
        page.goto("/settings")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto("/settings")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_link_works_once(desk: Desk) -> None:
    desk.link_of("twice@autolynx.example", "auditor")
    link = desk.told("signin", "twice@autolynx.example")
    with desk.browser.new_context() as first, desk.browser.new_context() as second:
        one, other = first.new_page(), second.new_page()
        one.goto(link)
        expect(one.get_by_role("heading", level=1)).to_have_text("Campaigns")
        assert "token" not in one.url
        other.goto(link)
        expect(other.get_by_role("alert")).to_contain_text("ask for another one")
