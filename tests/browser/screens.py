"""Take pictures of every view into docs/screens: `python -m tests.browser.screens`.

`--into FOLDER` writes them elsewhere, `--whole` takes whole pages. Names of views as
arguments limit it to these views, for example `results`.
"""

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect

from provider.simulator.people.scenes import VARIED_SCENES
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
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS = (("light", DESKTOP), ("dark", DESKTOP), ("phone", PHONE))
IN_DARK = frozenset({"campaign", "campaigns", "contact", "waits"})
"""Views of which the repository has a picture in dark colours too."""
PLAIN_VIEWS = (
    "assistants",
    "do-not-call",
    "rules",
    "spend",
    "forecasts",
    "health",
    "members",
    "webhooks",
    "tokens",
    "settings",
    "audit",
)
type View = Iterator[Locator | None]
"""Shows a view, and yields the part that belongs at the top of the window."""

ENDPOINT = "https://crm.example.com/autolynx"


@dataclass(frozen=True)
class House:
    """An installation in use: the addresses of three campaigns, and a contact file."""

    finished: str
    running: str
    waiting: str
    file: Path


def main() -> int:
    options = _options()
    if chromium() is None:
        sys.stderr.write("No Chromium is installed: on Debian, apt install chromium\n")
        return 1
    options.into.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _postgres(Path(folder)) as url,
        running_desk(
            Path(folder), url, speed=8, scenes=dict(VARIED_SCENES)
        ) as installation,
        installation.opened("admin") as context,
    ):
        _take_all(installation, context, options)
    return 0


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("views", nargs="*")
    parser.add_argument("--into", type=Path, default=SCREENS)
    parser.add_argument("--whole", action="store_true")
    return parser.parse_args()


def _postgres(folder: Path) -> AbstractContextManager[str]:
    folder.chmod(0o711)  # Postgres may run as another user than root.
    return embedded_postgres(folder / "pg")


def _take_all(
    installation: Installation, context: BrowserContext, options: Namespace
) -> None:
    page = context.new_page()
    _take(page, "checklist", _shown(page, "/"), options)
    house = _busy_house(installation, page)
    for name, view in _views(page, house):
        _take(page, name, view, options)


def _take(page: Page, name: str, shown: View, options: Namespace) -> None:
    """Take the pictures of a view in all looks."""
    if options.views and name not in options.views:
        return
    for part in shown:
        for look, size in LOOKS:
            if look == "dark" and name not in IN_DARK and options.into == SCREENS:
                continue
            page.set_viewport_size(size)
            page.emulate_media(color_scheme="dark" if look == "dark" else "light")
            if part is not None:
                _scroll_to(part)
            path = options.into / f"{name}-{look}.png"
            page.screenshot(path=path, full_page=options.whole)


def _busy_house(installation: Installation, page: Page) -> House:
    """Finish one campaign, start another, and a third one with retries."""
    file = sample_file(installation.folder, 40)
    create_campaign(page, file, name="Last week's reminders", cap=10)
    finished = page.url
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=3 * LONG)
    # Not before: a campaign with callbacks is completed days later.
    installation.bench.assistants.add_tools(installation.assistant_id, by="cli:test")
    _set_up(page, installation)
    _start_with_retries(page, file)
    waiting = page.url
    create_campaign(
        page, sample_file(installation.folder, 400), name="Spring list", cap=6
    )
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("Budget in US dollars").fill("25")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#contacts .state[data-state=ENDED]").nth(9)).to_be_visible(
        timeout=LONG
    )
    return House(finished, page.url, waiting, sample_file(installation.folder, 40))


def _set_up(page: Page, installation: Installation) -> None:
    """Set a budget, a suppressed number, a list and an endpoint."""
    page.goto("/settings")
    page.get_by_label("Daily budget in US dollars").fill("50")
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/do-not-call")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add a number").click()
    dialog.get_by_label("Phone number").fill("(202) 555-0171")
    dialog.get_by_label("Reason").fill("Asked by letter")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_have_count(0)
    file = installation.folder / "registry.txt"
    file.write_text("2025550172\n2025550173\n")
    page.get_by_role("button", name="Upload a list").click()
    dialog.get_by_label("File").set_input_files(file)
    dialog.get_by_label("Name").fill("State registry")
    dialog.get_by_label("Date of the data").fill("2026-11-01")
    dialog.get_by_label("Covers these prefixes").fill("+1202")
    dialog.get_by_role("button", name="Upload and activate").click()
    expect(dialog).to_have_count(0)
    page.goto("/webhooks")
    page.get_by_role("button", name="Add an endpoint").click()
    dialog.get_by_label("URL").fill(ENDPOINT)
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_role("button", name="Close").click()


def _start_with_retries(page: Page, file: Path) -> None:
    page.goto("/campaigns/new")
    choose_file(page, file)
    page.get_by_label("Name", exact=True).fill("Renewals")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_label("Cap: calls at once").fill("4")
    page.get_by_label("Calls to a contact").select_option("patient")
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Renewals")


def _views(page: Page, house: House) -> Iterator[tuple[str, View]]:
    """Yield the name of each view, and a generator that shows it."""
    yield "campaign", _shown(page, house.running)
    yield "campaigns", _shown(page, "/")
    yield "results", _panel(page, house.finished, "Results")
    yield "waits", _panel(page, house.waiting, "Why it waits")
    yield "contacts", _contacts(page, house.running)
    yield "contact", _contact(page, house.running)
    yield "permit", _permit(page, house.running)
    yield "new-campaign", _new_campaign(page, house.file)
    yield "forecast-draft", _panel(page, "/campaigns/new", "Forecast")
    yield "forecast-actual", _panel(page, house.running, "Forecast")
    yield "history", _shown(page, f"{house.running}/history")
    for view in PLAIN_VIEWS:
        yield view, _shown(page, f"/{view}")
    yield "rehearsal", _rehearsal(page)


def _shown(page: Page, address: str) -> View:
    page.goto(address)
    expect(page.get_by_role("heading").first).to_be_visible(timeout=LONG)
    expect(page.locator(".skeleton")).to_have_count(0, timeout=LONG)
    expect(page.locator(".pill")).to_contain_text("Live")
    yield None


def _panel(page: Page, address: str, name: str) -> View:
    """Show the panel with this name at the top of the window."""
    for _ in _shown(page, address):
        panel = page.get_by_role("region", name=name, exact=True)
        if name == "Forecast":
            expect(panel).to_contain_text("Likely", timeout=LONG)
        yield panel


def _scroll_to(element: Locator) -> None:
    element.evaluate(
        "element => { element.style.scrollMarginTop = '72px';"
        " element.scrollIntoView({ behavior: 'instant' }); }"
    )


def _contacts(page: Page, campaign: str) -> View:
    for _ in _shown(page, campaign):
        yield page.locator("#contacts")


def _contact(page: Page, campaign: str) -> View:
    for _ in _shown(page, campaign):
        page.locator("#contacts tr", has_text="Human").first.get_by_role("link").click()
        expect(page.locator(".timeline li").first).to_be_visible(timeout=LONG)
        yield None


def _permit(page: Page, campaign: str) -> View:
    for _ in _contact(page, campaign):
        permit = page.get_by_role("dialog").locator(".permit").first
        permit.get_by_text("The facts of the decision").click()
        yield permit


def _new_campaign(page: Page, file: Path) -> View:
    page.goto("/campaigns/new")
    choose_file(page, file)
    expect(page.locator(".rejects")).to_be_visible()
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    yield None


def _rehearsal(page: Page) -> View:
    """Rehearse the draft that the browser keeps."""
    for _ in _shown(page, "/campaigns/new"):
        page.get_by_role("button", name="Rehearse it").click()
        export = page.get_by_role("link", name="Download the rehearsed export")
        expect(export).to_be_visible(timeout=LONG)
        yield None


if __name__ == "__main__":
    sys.exit(main())
