"""The day of an operator: from an admin's link to the export."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import NEVER_ENDS
from tests.browser.installation import LONG, Installation, create_campaign
from tests.storage.test_workbooks import written
from tests.support import eventually

OPERATOR = "operator-of-the-day@autolynx.example"
NAME = "Spring reminders"
ASSISTANT_ENDED = "assistant-ended-call"
FINAL = ("Ended", "Failed", "Timed out", "Canceled")
OWN_NUMBER = "+12025550191"
CITY = "Washington"
NO_ANSWER, BUSY, TALKED = (
    "customer-did-not-answer",
    "customer-busy",
    "customer-ended-call",
)
PEOPLE = {
    "Ada Abbott": ("202-555-0111", NO_ANSWER, None),
    "Bela Brandt": ("202-555-0112", NO_ANSWER, None),
    "Carmen Castellanos": ("202-555-0113", BUSY, None),
    "Dara Dubois": ("202-555-0114", TALKED, "callback"),
    "Edgar Eriksen": ("202-555-0115", TALKED, "agrees"),
    "Farah Fontaine": ("202-555-0116", TALKED, "declines"),
}
"""The contacts of the workbook: number, ended reason, course of an answered call."""


@pytest.fixture(scope="module")
def workbook() -> bytes:
    """A workbook without usual column names, with one invalid row."""
    rows: list[list[Any]] = [["who", "reach", "city"]]
    rows += [[name, number, CITY] for name, (number, *_) in PEOPLE.items()]
    rows += [["Gil Grant", "12", CITY]]
    return written(("People", rows))


@pytest.fixture(scope="module")
def page(installation: Installation, admin: BrowserContext) -> Iterator[Page]:
    """A page of an operator who signed in through the link of an admin."""
    installation.bench.assistants.add_tools(installation.assistant_id, by="cli:test")
    installation.simulator.set_faults(
        endings={_e164(number): reason for number, reason, _ in PEOPLE.values()}
        | {OWN_NUMBER: TALKED},
        scenes={_e164(number): scene for number, _, scene in PEOPLE.values() if scene},
    )
    link = _invite(admin.new_page())
    with installation.stranger() as context:
        page = context.new_page()
        page.goto(link)
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Campaigns")
        assert "token" not in page.url
        yield page


def _e164(number: str) -> str:
    return f"+1{number.replace('-', '')}"


def _invite(page: Page) -> str:
    page.goto("/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("E-mail").fill(OPERATOR)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name=f"Create a sign-in link for {OPERATOR}").click()
    link = page.get_by_role("dialog").locator(".secret code").inner_text()
    page.close()
    return link


def test_an_operator_calls_a_workbook_and_redials_the_no_answers(
    page: Page, workbook: bytes
) -> None:
    page.get_by_role("link", name="New campaign", exact=True).click()
    _drop(page, workbook)
    _map(page)
    _preview(page)
    _place_test_call(page)
    _create_and_schedule(page)
    _watch_retries_and_a_callback(page)
    _call_again(page)
    _opt_out(page)
    _cancel(page)
    campaign = page.url
    _redial(page)
    page.goto(campaign)
    _export(page)


def _drop(page: Page, workbook: bytes) -> None:
    """Drop the workbook on the page, as from a folder."""
    area = page.locator(".drop")
    expect(area).to_contain_text("Drop a CSV file or a workbook here")
    dropped = page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "spring.xlsx"));
          return transfer;
        }""",
        [*workbook],
    )
    area.dispatch_event("dragover", {"dataTransfer": dropped})
    area.dispatch_event("drop", {"dataTransfer": dropped})


def _map(page: Page) -> None:
    """The numbers are recognised; the operator names the column of the names."""
    reach = page.get_by_label("Use of the column reach", exact=True)
    expect(reach).to_have_value("PHONE", timeout=LONG)
    tally = page.locator(".tally[role=status]")
    expect(tally).to_contain_text(f"{len(PEOPLE)} accepted")
    expect(tally).to_contain_text("1 skipped")
    page.get_by_label("Use of the column who", exact=True).select_option("NAME")
    expect(page.locator(".people")).to_contain_text("Ada Abbott")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the skipped rows").click()
    rows = _rows(download.value.path())
    assert [(row["row"], row["who"]) for row in rows] == [("8", "Gil Grant")]


def _preview(page: Page) -> None:
    """Choose how and again, then look at the review."""
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_label("Cap: calls at once").fill("4")
    page.get_by_label("Calls to a contact").select_option("urgent")
    review = page.get_by_role("region", name="5 · Review")
    expect(review).to_contain_text("at most 3")
    expect(
        review.get_by_role("region", name="Who may be called, and when")
    ).to_be_visible()
    expect(review.get_by_role("region", name="Forecast", exact=True)).to_be_visible()


def _place_test_call(page: Page) -> None:
    page.get_by_role("button", name="Test call").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your own number").fill("12")
    dialog.get_by_role("button", name="Call", exact=True).click()
    expect(dialog.locator(".wrong")).to_be_visible()
    dialog.get_by_label("Your own number").fill(OWN_NUMBER)
    dialog.get_by_role("button", name="Call", exact=True).click()
    with page.expect_popup() as opened:
        dialog.get_by_role("link", name="Follow the test call").click()
    test = opened.value
    expect(test.get_by_role("heading", level=1)).to_have_text("Test call")
    expect(test.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(test.locator("#contacts tbody tr")).to_have_count(1)
    test.close()
    dialog.locator("footer").get_by_role("button", name="Close").click()


def _create_and_schedule(page: Page) -> None:
    page.get_by_role("button", name="Create without starting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.locator(".head .lead")).to_contain_text("Not started")
    page.get_by_role("button", name="Schedule").click()
    dialog = page.get_by_role("dialog")
    # A minute that has just begun, so that the calls start at once.
    now = page.evaluate(
        "new Date(Date.now() - new Date().getTimezoneOffset() * 60000)"
        ".toISOString().slice(0, 16)"
    )
    dialog.get_by_label("First call not before").fill(now)
    dialog.get_by_role("button", name="Schedule").click()
    expect(page.get_by_role("region", name="Results")).to_contain_text("Not before")


def _watch_retries_and_a_callback(page: Page) -> None:
    for name, outcome in (
        ("Ada Abbott", "No answer"),
        ("Bela Brandt", "No answer"),
        ("Carmen Castellanos", "Busy"),
    ):
        row = _row(page, name)
        expect(row).to_contain_text("A retry is planned for later", timeout=LONG)
        expect(row).to_contain_text(outcome)
    expect(_row(page, "Dara Dubois")).to_contain_text(
        "A callback is agreed for later", timeout=LONG
    )
    for name in ("Edgar Eriksen", "Farah Fontaine"):
        expect(_row(page, name)).to_contain_text("Ended", timeout=LONG)
    waits = page.get_by_role("region", name="Why it waits")
    callback = waits.locator("li", has_text="called back")
    expect(callback).to_contain_text("until", timeout=LONG)
    callback.get_by_role("button", name="Show these contacts").click()
    rows = page.locator("#contacts tbody tr")
    expect(rows).to_have_count(1)
    drawer = _open(page, "Dara Dubois")
    expect(drawer).to_contain_text(
        re.compile("Waits: A callback is agreed for later, until")
    )
    expect(drawer.locator(".planned")).to_contain_text("Next call")
    expect(drawer.locator(".turn[data-speaker=customer]").first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Waits because").select_option("")
    expect(rows).to_have_count(len(PEOPLE))


def _row(page: Page, name: str) -> Locator:
    return page.locator("#contacts tbody tr", has_text=name)


def _open(page: Page, name: str) -> Locator:
    _row(page, name).get_by_role("link").click()
    drawer = page.locator("dialog.drawer")
    expect(drawer.get_by_role("heading", level=2)).to_have_text(name)
    return drawer


def _call_again(page: Page) -> None:
    """Call a contact once more, who reached the goal."""
    drawer = _open(page, "Edgar Eriksen")
    drawer.get_by_role("button", name="Call again").click()
    ask = page.get_by_role("dialog", name="Call again?")
    ask.get_by_role("button", name="Call again").click()
    second = drawer.locator(".attempt", has_text="Attempt 2")
    expect(second).to_contain_text("Report received", timeout=LONG)
    expect(drawer.locator(".attempt")).to_have_count(2)
    page.keyboard.press("Escape")


def _opt_out(page: Page) -> None:
    drawer = _open(page, "Ada Abbott")
    drawer.get_by_role("button", name="Never call").click()
    ask = page.get_by_role("dialog", name="Never call this number again?")
    ask.get_by_role("button", name="Never call").click()
    expect(drawer).to_contain_text("Not called any more", timeout=LONG)
    page.keyboard.press("Escape")
    drawer = _open(page, "Farah Fontaine")
    drawer.get_by_label("Disposition").select_option("OPTED_OUT")
    expect(page.locator(".toast", has_text="Disposition set")).to_be_visible()
    page.keyboard.press("Escape")
    expect(_row(page, "Farah Fontaine")).to_contain_text("Opted out")


def _cancel(page: Page) -> None:
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_label("Type “cancel” to confirm").fill("cancel")
    page.get_by_role("button", name="Cancel the campaign").click()
    expect(page.locator(".head .state")).to_have_text("Canceled", timeout=LONG)


def _redial(page: Page) -> None:
    """Of both who did not answer, one must not be called any more."""
    results = page.get_by_role("region", name="Results")
    results.locator(".outcomes button", has_text="No answer").click()
    results.get_by_role("button", name="Redial").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("No answer")).to_be_checked()
    expect(dialog).to_contain_text("1 contact is called again")
    dialog.get_by_role("button", name="Create the redial").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"Redial of {NAME}")
    expect(page.locator("#contacts tbody tr")).to_have_count(1)
    expect(_row(page, "Bela Brandt")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("region", name="Results")).to_contain_text(
        "No answer", timeout=LONG
    )


def _export(page: Page) -> None:
    """The export has a column for each thing that the operator saw."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
        page.get_by_label("Columns").select_option("all")
        page.get_by_role("link", name="Download").click()
    rows = {row["name"]: row for row in _rows(download.value.path())}
    assert {*rows} == {*PEOPLE}
    assert {row["city"] for row in rows.values()} == {CITY}
    assert rows["Bela Brandt"]["outcome"] == "NO_ANSWER"
    assert rows["Edgar Eriksen"]["attempts"] == "2"
    assert rows["Farah Fontaine"]["disposition"] == "OPTED_OUT"
    assert rows["Edgar Eriksen"]["transcript_json"]


def _rows(file: Path) -> list[dict[str, str]]:
    """Read a downloaded CSV file."""
    return [*csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))]


def test_two_members_watch_the_same_calls_and_hear_one(
    installation: Installation, admin: BrowserContext, tmp_path: Path
) -> None:
    """The first calls last until both members have seen them."""
    contacts, cap = 16, 4
    file = tmp_path / "watched.csv"
    phones = write_sample(file, contacts)
    first, others = phones[:cap], phones[cap:]
    endings = dict.fromkeys(first, NEVER_ENDS) | dict.fromkeys(others, ASSISTANT_ENDED)
    # Scenes drawn at random may all be voicemail.
    scenes = dict.fromkeys(others, "agrees")
    installation.simulator.set_faults(endings=endings, scenes=scenes)
    page = admin.new_page()
    create_campaign(page, file, name="Watched", cap=cap)
    with installation.opened("operator") as colleague:
        other = colleague.new_page()
        other.goto(page.url)
        for one in (page, other):
            live = one.locator(".board .slot:not(.free):not([data-over])")
            expect(live).to_have_count(cap, timeout=LONG)
        _hang_up(installation, first)
        for one in (page, other):
            expect(one.locator(".head .state")).to_have_text("Completed", timeout=LONG)
            awaited = one.get_by_text("Every report is in.")
            expect(awaited).to_be_visible(timeout=LONG)
            assert sum(_counted(one, label) for label in FINAL) == contacts
        assert _counted(other, "Ended") == _counted(page, "Ended")
        other.goto("/")
        expect(other.locator(".card", has_text="Watched")).to_contain_text("Completed")
    _hear_a_call(page)
    page.close()


def _hang_up(installation: Installation, numbers: list[str]) -> None:
    calls = installation.simulator.ledger()["calls"]
    live = [
        call["id"]
        for call in calls
        if call["number"] in numbers and call["status"] != "ended"
    ]
    installation.simulator.hang_up(*live)


def _counted(page: Page, label: str) -> int:
    """Read the counter of the funnel with this label."""
    tile = page.get_by_role("button", name=re.compile(rf"^[\d,]+ ?{label}$"))
    return int(tile.locator("b").inner_text().replace(",", ""))


def _hear_a_call(page: Page) -> None:
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
    eventually(lambda: bool(page.evaluate(played)), what="the recording plays")
    expect(drawer.locator(".turn[data-now]")).to_be_visible()
    page.reload()
    expect(drawer.get_by_role("heading", level=2)).to_have_text(name)
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
