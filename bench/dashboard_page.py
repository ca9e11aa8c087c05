"""CPU time of a browser that shows the dashboard of a large campaign."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from playwright.sync_api import CDPSession, Page, expect

from bench.support.contact_files import write_people
from bench.support.figures import Figure
from bench.support.installation import Server
from tests.browser.chromium import chromium
from tests.browser.installation import create_campaign, running_desk

ROWS = 110_000
LIVE = 50
SPEED = 3
"""Calls last about 30 s, so there are three times as many changes as in reality."""

WATCHED_SECONDS = 20
MOST_BUSY = 10
LONG = 180_000


def measure(server: Server) -> Iterator[Figure]:
    """Watch a campaign of 100,000 contacts; yield nothing without Chromium."""
    if chromium() is None:
        return
    folder = server.folder / "page"
    folder.mkdir()
    with (
        server.empty_database() as url,
        running_desk(folder, url, speed=SPEED, at_once=LIVE) as installation,
        installation.opened("admin") as context,
    ):
        page = context.new_page()
        page.set_default_timeout(LONG)
        expect.set_options(timeout=LONG)
        yield from _watched(page, folder)


def _watched(page: Page, folder: Path) -> Iterator[Figure]:
    people = write_people(folder / "people.csv", ROWS)
    create_campaign(page, people, name="Large", cap=LIVE)
    live = page.locator(".board .slot:not(.free):not([data-over])")
    expect(live.nth(LIVE - 5)).to_be_visible()
    contacts = page.locator(".funnel b").first.inner_text()
    yield Figure(
        name="dashboard CPU",
        value=_busy(page),
        unit="% of a core",
        target=MOST_BUSY,
        details=f"{contacts} contacts pending, {LIVE} live calls, {WATCHED_SECONDS} s",
    )
    page.goto("/")
    page.reload()
    expect(page.locator(".card").first).to_be_visible()
    first = page.evaluate("performance.now()")
    yield Figure(name="dashboard, first row", value=first, unit="ms", target=1000)


def _busy(page: Page) -> float:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, began = _task_seconds(devtools), monotonic()
    page.wait_for_timeout(WATCHED_SECONDS * 1000)
    return 100 * (_task_seconds(devtools) - before) / (monotonic() - began)


def _task_seconds(devtools: CDPSession) -> float:
    answer = devtools.send("Performance.getMetrics")["metrics"]
    found = {metric["name"]: metric["value"] for metric in answer}
    return float(found["TaskDuration"])
