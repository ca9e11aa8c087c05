"""The whole way of a person, from the sign-in link to the audit."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    create_campaign,
    sample_file,
)
from tests.support import eventually

CONTACTS, CAP = 16, 4
NAME = "Spring reminders"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_file(tmp_path_factory.mktemp("files"), CONTACTS)


def counted(page: Page, label: str) -> int:
    """Read the counter of the funnel with this label."""
    tile = page.get_by_role("button", name=re.compile(rf"^[\d,]+ ?{label}$"))
    return int(tile.locator("b").inner_text().replace(",", ""))


def test_a_person_calls_a_list_from_the_link_to_the_audit(
    installation: Installation, admin: BrowserContext, file: Path, tmp_path: Path
) -> None:
    page = admin.new_page()
    _sees_what_the_file_holds(page, file)
    create_campaign(page, file, name=NAME, cap=CAP)
    address = page.url
    with installation.opened("operator") as colleague:
        other = colleague.new_page()
        other.goto(address)
        _sees_calls_live(page)
        _sees_calls_live(other)
        for one in (page, other):
            _sees_the_end(one)
        assert counted(other, "Ended") == counted(page, "Ended")
        other.goto("/")
        expect(other.locator(".card", has_text=NAME)).to_contain_text("Completed")
    _exports(page, tmp_path)
    _hears_a_call(page)
    _goes_back_in_time(page)
    page.close()


def _sees_what_the_file_holds(page: Page, file: Path) -> None:
    page.goto("/campaigns/new")
    choose_file(page, file)
    expect(page.locator(".tally[role=status]")).to_contain_text(f"{CONTACTS} accepted")
    expect(page.locator(".tally[role=status]")).to_contain_text("5 skipped")
    rejects = page.locator(".rejects")
    expect(rejects).to_contain_text("Invalid phone")
    expect(rejects).to_contain_text("Malformed row")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the skipped rows").click()
    rows = [*csv.reader(download.value.path().read_text("utf-8-sig").splitlines())]
    assert rows[0][:3] == ["row", "reason", "message"]
    assert len(rows) == 6


def _sees_calls_live(page: Page) -> None:
    live = page.locator(".board .slot:not(.free):not([data-over])")
    expect(live.first).to_be_visible(timeout=LONG)
    assert live.count() <= CAP


def _sees_the_end(page: Page) -> None:
    state = page.locator(".head .state")
    expect(state).to_have_text("Completed", timeout=LONG)
    expect(page.get_by_text("Every report is in.")).to_be_visible(timeout=LONG)
    labels = ("Ended", "Failed", "Timed out", "Canceled")
    assert sum(counted(page, label) for label in labels) == CONTACTS


def _exports(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
        page.get_by_label("Columns").select_option("all")
        page.get_by_role("link", name="Download").click()
    target = tmp_path / "export.csv"
    download.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as opened:
        rows = [*csv.DictReader(opened)]
    assert len(rows) == CONTACTS
    assert {row["status"] for row in rows} <= {"ENDED", "FAILED", "TIMEOUT"}


def _hears_a_call(page: Page) -> None:
    drawer = page.get_by_role("dialog")
    later_turn = drawer.get_by_role("button", name=re.compile("^Play from (?!0:00)"))
    answered = page.locator("#contacts tr", has_text="Human")
    expect(answered.first).to_be_visible()
    for talked in answered.all():
        name = talked.get_by_role("link").inner_text()
        talked.get_by_role("link").click()
        expect(drawer.get_by_role("heading", level=2)).to_have_text(name)
        expect(drawer.locator(".turn").first).to_be_visible()
        if later_turn.count():
            break
        page.keyboard.press("Escape")
        expect(drawer).to_have_count(0)
    assert "/contacts/" in page.url
    expect(drawer.locator(".timeline")).to_contain_text("call.placed")
    expect(drawer.locator(".timeline")).to_contain_text("Report received")
    expect(drawer.locator(".turn[data-speaker=assistant]").first).to_be_visible()
    expect(drawer.locator(".turn[data-speaker=customer]").first).to_be_visible()
    later_turn.first.click()
    # Not `wait_for_function`: it evaluates text in the page, which its policy forbids.
    played = "document.querySelector('audio').currentTime > 1"
    eventually(lambda: bool(page.evaluate(played)), said="the recording plays")
    expect(drawer.locator(".turn[data-now]")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(
        name
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def _goes_back_in_time(page: Page) -> None:
    expect(page.locator(".chart-words").first).to_contain_text(re.compile(r" in \d+ s"))
    page.get_by_role("link", name="History").click()
    stood = page.get_by_role("region", name="The campaign then")
    expect(stood.locator(".state").first).to_have_text("Completed")
    slider = page.get_by_role("slider", name="Time")
    slider.focus()
    slider.press("Home")
    # Creating and starting together may take less than the chart's smallest interval.
    expect(stood.locator(".state").first).to_have_text(re.compile("Created|Queued"))
    expect(stood.locator("[data-then=ended]")).to_have_text("0")
    page.get_by_role("button", name="Event after").click()
    page.get_by_role("button", name="End", exact=True).click()
    expect(stood.locator(".state").first).to_have_text("Completed")
