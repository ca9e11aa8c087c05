"""The dashboard while the server is down, and after it has returned."""

import os
import signal
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from projections.tables.queries import select_value
from storage.database import Conn
from tests.browser.installation import LONG, Installation, create_campaign, sample_file


def pill(page: Page, text: str) -> None:
    expect(page.locator(".pill")).to_contain_text(text, timeout=LONG)


def test_the_page_says_that_it_is_stale_and_recovers_by_itself(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    create_campaign(page, sample_file(installation.folder, 6), name="Restarted", cap=2)
    page.evaluate("window.sameDocument = true")
    pill(page, "Live")
    os.kill(installation.up.child("interfaces.asgi"), signal.SIGKILL)
    pill(page, "stale since")
    pill(page, "Live")
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(page.get_by_text("Every report is in.")).to_be_visible(timeout=LONG)
    assert page.evaluate("window.sameDocument") is True
    page.close()


def test_a_stop_of_all_dialling_is_shown_on_every_page(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    create_campaign(page, sample_file(installation.folder, 1), name="Twice", cap=1)
    campaign = page.url.rpartition("/")[2]
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    page.goto("/spend")
    pill(page, "Live")
    stop = page.get_by_role("alert").filter(has_text="All dialling is stopped")
    expect(stop).to_have_count(0)
    _stop_dialling(installation, UUID(campaign))
    expect(stop).to_be_visible(timeout=LONG)
    page.goto("/assistants")
    expect(stop).to_be_visible(timeout=LONG)
    installation.bench.settings.allow_requests_again(by="cli:test")
    expect(stop).to_have_count(0, timeout=LONG)
    page.close()


def _stop_dialling(installation: Installation, campaign_id: UUID) -> None:
    """Store that the provider shows a second call for the campaign's only call."""
    call_id = installation.bench.read(_only_call, campaign_id)
    installation.bench.calls.confirm_duplicate(call_id, "p-second")


def _only_call(conn: Conn, campaign_id: UUID) -> UUID:
    query = "select call_id from call_log where campaign_id = %(campaign)s"
    found: UUID = select_value(conn, query, campaign=campaign_id)
    return found


@pytest.mark.parametrize("path", ["/campaigns/%E0%A4%A", "/campaigns/%FF/history"])
def test_an_address_that_is_not_utf_8_shows_that_there_is_no_such_page(
    admin: BrowserContext, path: str
) -> None:
    page = admin.new_page()
    page.goto(path)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("There is no such page")
    page.close()


def test_a_removed_member_is_sent_to_the_sign_in_page(
    installation: Installation,
) -> None:
    email = "leaver@autolynx.example"
    with installation.newcomer(email, "operator") as context:
        page = context.new_page()
        page.goto("/")
        pill(page, "Live")
        installation.run("members", "remove", email)
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Sign in", timeout=LONG)


def test_signing_out_ends_the_session(installation: Installation) -> None:
    with installation.newcomer("visitor@autolynx.example", "auditor") as context:
        page = context.new_page()
        page.goto("/settings")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto("/settings")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_sign_in_link_works_once(installation: Installation) -> None:
    installation.link_of("twice@autolynx.example", "auditor")
    link = installation.run("signin", "twice@autolynx.example")
    with (
        installation.browser.new_context() as first,
        installation.browser.new_context() as second,
    ):
        one, other = first.new_page(), second.new_page()
        one.goto(link)
        expect(one.get_by_role("heading", level=1)).to_have_text("Campaigns")
        assert "token" not in one.url
        other.goto(link)
        expect(other.get_by_role("alert")).to_contain_text("ask for a new one")
