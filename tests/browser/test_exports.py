"""The dialog that chooses what an export contains."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from domain.outcomes import Disposition
from tests.browser.accessibility import faults_in_all_looks
from tests.browser.installation import Installation
from tests.browser.prepared import BY, called, contacts_of
from tests.wiring import phones

PEOPLE = phones(3, first=360)


@pytest.fixture(scope="module")
def campaign(installation: Installation) -> UUID:
    """A completed campaign; the first contact has a disposition."""
    campaign_id = called(installation, "Exported", PEOPLE)
    first = contacts_of(installation, campaign_id)[0]
    installation.bench.contacts.set_disposition(
        first, Disposition.NOT_INTERESTED, None, by=BY
    )
    return campaign_id


@pytest.fixture
def dialog(admin: BrowserContext, campaign: UUID) -> Iterator[Locator]:
    page = admin.new_page()
    page.goto(f"/campaigns/{campaign}")
    page.locator(".head").get_by_role("button", name="Export", exact=True).click()
    yield page.get_by_role("dialog")
    page.close()


def download(dialog: Locator) -> Path:
    """Download the export, which closes the dialog, and open it again."""
    page = dialog.page
    with page.expect_download() as downloaded:
        dialog.get_by_role("link", name="Download").click()
    expect(dialog).to_have_count(0)
    page.locator(".head").get_by_role("button", name="Export", exact=True).click()
    return downloaded.value.path()


def rows(dialog: Locator) -> list[dict[str, str]]:
    text = download(dialog).read_text("utf-8-sig")
    return [*csv.DictReader(io.StringIO(text))]


def chip(dialog: Locator, group: str, name: str) -> Locator:
    chips = dialog.get_by_role("group", name=group)
    return chips.get_by_role("button", name=name, exact=True)


def day(offset: int) -> str:
    """Return a day whose distance from today no time zone changes to the other side."""
    return (datetime.now(UTC) + timedelta(days=offset)).date().isoformat()


def test_the_dialog_of_an_export_has_no_accessibility_faults(dialog: Locator) -> None:
    dialog.get_by_label("Columns").select_option("chosen")
    expect(chip(dialog, "Columns", "phone")).to_be_visible()
    assert faults_in_all_looks(dialog.page) == []


def test_chosen_columns_are_exported_in_the_order_of_the_list(dialog: Locator) -> None:
    dialog.get_by_label("Columns").select_option("chosen")
    expect(dialog.get_by_role("button", name="Download")).to_be_disabled()
    for name in ("phone", "note", "name"):
        chip(dialog, "Columns", name).click()
    chip(dialog, "Columns", "note").click()
    expect(chip(dialog, "Columns", "phone")).to_have_attribute("aria-pressed", "true")
    expect(chip(dialog, "Columns", "note")).to_have_attribute("aria-pressed", "false")
    exported = rows(dialog)
    assert [[*row] for row in exported] == [["name", "phone"]] * len(PEOPLE)
    assert {row["phone"] for row in exported} == {*PEOPLE}


def test_chips_and_dates_limit_the_exported_contacts(dialog: Locator) -> None:
    chip(dialog, "Only with the disposition", "Not interested").click()
    assert [row["phone"] for row in rows(dialog)] == [PEOPLE[0]]
    chip(dialog, "Only with the status", "Pending").click()
    assert rows(dialog) == []
    for label, offset, contacts in (
        ("Last called from", -2, len(PEOPLE)),
        ("Last called from", 2, 0),
        ("Last called until, inclusive", 2, len(PEOPLE)),
        ("Last called until, inclusive", -2, 0),
    ):
        dialog.get_by_label(label).fill(day(offset))
        assert len(rows(dialog)) == contacts, (label, offset)


def test_a_last_day_before_the_first_one_is_refused(dialog: Locator) -> None:
    dialog.get_by_label("Last called from").fill(day(2))
    last = dialog.get_by_label("Last called until, inclusive")
    last.fill(day(1))
    expect(dialog).to_contain_text("This day precedes the first one.")
    expect(dialog.get_by_role("button", name="Download")).to_be_disabled()
    last.fill(day(2))
    expect(dialog.get_by_role("link", name="Download")).to_be_visible()


def test_a_file_for_excel_begins_with_a_byte_order_mark(dialog: Locator) -> None:
    dialog.get_by_label("Format").select_option("excel")
    assert download(dialog).read_bytes().startswith(b"\xef\xbb\xbf")


def test_json_lines_contain_every_contact_and_have_no_choices(dialog: Locator) -> None:
    dialog.get_by_label("Format").select_option("jsonl")
    expect(dialog.get_by_label("Columns")).to_have_count(0)
    expect(dialog.get_by_role("group")).to_have_count(0)
    lines = download(dialog).read_text().splitlines()
    assert {json.loads(line)["phone"] for line in lines} == {*PEOPLE}
