"""Take pictures of every view into docs/screens: `python -m tests.browser.screens`.

Names of views as arguments limit it to these views, for example `results`.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from storage.process.embedded_postgres import embedded_postgres
from tests.browser.chromium import chromium
from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    create_campaign,
    running_desk,
    sample_file,
)

SCREENS = Path(__file__).parents[2] / "docs/screens"
DESKTOP: ViewportSize = {"width": 1360, "height": 850}
PHONE: ViewportSize = {"width": 400, "height": 850}
LOOKS = (("light", DESKTOP), ("dark", DESKTOP), ("phone", PHONE))


def main() -> int:
    if chromium() is None:
        sys.stderr.write("No Chromium is installed: on Debian, apt install chromium\n")
        return 1
    SCREENS.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _postgres(Path(folder)) as url,
        running_desk(Path(folder), url, speed=6) as installation,
        installation.opened("admin") as context,
    ):
        _take_all(installation, context, frozenset(sys.argv[1:]))
    return 0


def _postgres(folder: Path) -> AbstractContextManager[str]:
    folder.chmod(0o711)  # Postgres may run as another user than root.
    return embedded_postgres(folder / "pg")


def _take_all(
    installation: Installation, context: BrowserContext, wanted: frozenset[str]
) -> None:
    page = context.new_page()
    finished, campaign = _busy_house(installation, page)
    for look, size in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        for name in _views(
            page, finished, campaign, sample_file(installation.folder, 40)
        ):
            if wanted and name not in wanted:
                continue
            page.screenshot(path=SCREENS / f"{name}-{look}.png")


def _busy_house(installation: Installation, page: Page) -> tuple[str, str]:
    """Finish one campaign and start another; return the addresses of both."""
    file = sample_file(installation.folder, 40)
    create_campaign(page, file, name="Last week's reminders", cap=10)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=3 * LONG)
    finished = page.url
    page.goto("/settings")
    page.get_by_label("Daily budget in US dollars").fill("50")
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    create_campaign(
        page, sample_file(installation.folder, 400), name="Spring list", cap=6
    )
    page.get_by_role("button", name="Change").click()
    page.get_by_label("Budget in US dollars").fill("25")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#contacts .state[data-state=ENDED]").nth(9)).to_be_visible(
        timeout=LONG
    )
    return finished, page.url


def _views(page: Page, finished: str, campaign: str, file: Path) -> Iterator[str]:
    """Yield the name of each view once the page shows it."""
    yield from _shown(page, "/", "campaigns")
    yield from _results(page, finished)
    yield from _shown(page, campaign, "campaign")
    page.locator("#contacts").evaluate("element => element.scrollIntoView()")
    yield "contacts"
    talked = page.locator("#contacts tr", has_text="Human").first
    talked.get_by_role("link").click()
    expect(page.locator(".timeline li").first).to_be_visible()
    yield "contact"
    page.goto("/campaigns/new")
    choose_file(page, file)
    expect(page.locator(".rejects")).to_be_visible()
    yield "new-campaign"
    yield from _forecast(page, "forecast-draft")
    page.goto(campaign)
    expect(page.locator(".forecast-actual")).to_be_visible(timeout=LONG)
    yield from _forecast(page, "forecast-actual")
    yield from _shown(page, f"{campaign}/history", "history")
    for view in (
        "assistants",
        "spend",
        "forecasts",
        "health",
        "members",
        "settings",
        "audit",
    ):
        yield from _shown(page, f"/{view}", view)


def _results(page: Page, finished: str) -> Iterator[str]:
    """Show the funnel and the outcomes of the finished campaign."""
    page.goto(finished)
    results = page.get_by_role("region", name="Results")
    expect(results.locator(".outcomes button").nth(2)).to_be_visible(timeout=LONG)
    results.evaluate(
        "element => { element.style.scrollMarginTop = '72px';"
        " element.scrollIntoView({ behavior: 'instant' }); }"
    )
    yield "results"


def _forecast(page: Page, name: str) -> Iterator[str]:
    """Show the card of the forecast."""
    card = page.locator("section", has=page.locator("#forecast"))
    expect(card).to_contain_text("Likely", timeout=LONG)
    card.evaluate(
        "element => { element.style.scrollMarginTop = '72px';"
        " element.scrollIntoView({ behavior: 'instant' }); }"
    )
    yield name


def _shown(page: Page, address: str, name: str) -> Iterator[str]:
    page.goto(address)
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator(".pill")).to_contain_text("Live")
    yield name


if __name__ == "__main__":
    sys.exit(main())
