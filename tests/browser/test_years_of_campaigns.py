"""The list of campaigns stays usable when there are a thousand."""

from datetime import timedelta
from typing import LiteralString

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from projections.tables.checkpoint import position_of
from tests.browser.installation import LONG, Installation
from tests.many_campaigns import create_campaigns
from tests.support import eventually

COUNT, PAGE = 1_000, 50


@pytest.fixture(scope="module")
def many(installation: Installation) -> Installation:
    """A installation with a thousand campaigns older than those of the other tests."""
    newest_at = installation.bench.context.now() - timedelta(days=30)
    create_campaigns(installation.bench.app, COUNT, newest_at=newest_at)
    installation.bench.read(position_of)
    return installation


def names(page: Page) -> list[str]:
    return page.locator(".card h2").all_inner_texts()


def expected(first: int) -> list[str]:
    return [f"Campaign {number:04}" for number in range(first, first + PAGE)]


def test_a_thousand_campaigns_are_paged_and_filtered(
    many: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/?q=Campaign+0")
    pager = page.get_by_role("navigation", name="Pages")
    expect(pager).to_contain_text(f"1-{PAGE} of 1,000")
    assert names(page) == expected(0)
    pager.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("link", name="Campaign 0050")).to_be_visible()
    assert names(page) == expected(PAGE)
    expect(pager).to_contain_text(f"{PAGE + 1}-{2 * PAGE} of 1,000")
    page.locator(".card").last.scroll_into_view_if_needed()
    pager.get_by_role("button", name="First page").click()
    expect(page.get_by_role("link", name="Campaign 0000")).to_be_visible()
    page.get_by_role("button", name="Canceled").click()
    expect(pager).to_contain_text(f"1-{PAGE} of 100")
    page.get_by_label("Search campaigns").fill("Campaign 0999")
    expect(page.locator(".card")).to_have_count(1)
    page.close()


def test_progress_of_campaigns_on_other_pages_does_not_reload_the_list(
    many: Installation, admin: BrowserContext
) -> None:
    eventually(lambda: none_is_active(many), within=LONG / 1_000)
    page = admin.new_page()
    asked: list[Request] = []
    frames: list[str | bytes] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright cannot call a built-in method
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)),  # noqa: PLW0108 - as above
    )
    page.goto("/")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()

    def all_are_told() -> bool:
        page.title()  # Dispatches the events that have arrived.
        return sum("campaignsProgress" in str(frame) for frame in frames) >= COUNT

    eventually(all_are_told)
    create_campaigns(many.bench.app, 1, newest_at=many.bench.context.now(), name="New")
    expect(page.get_by_role("link", name="New 0000")).to_be_visible()
    assert sum('"states"' in (one.post_data or "") for one in asked) == 2
    page.close()


def none_is_active(installation: Installation) -> bool:
    query: LiteralString = """
        select 1 from campaign_board where state in ('QUEUED', 'DIALING', 'RUNNING')
    """
    return installation.bench.read(lambda conn: conn.execute(query).fetchone()) is None
