"""The actions on a campaign and its contacts while a part of AutoLynx fails.

The person sees the fault, nothing is executed twice or lost, and the state is correct
once the part works again.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from storage.database import Conn
from tests.browser.installation import LONG, Installation
from tests.browser.prepared import (
    API,
    PROJECTOR,
    called,
    contacts_of,
    created,
    facts_of,
    frozen,
    lost_requests,
    lost_responses,
    provider_down,
    queued,
)
from tests.wiring import phones

CALLED = phones(5, first=300)
WAITING = phones(2, first=320)
START = "2999-01-01T09:00"
LOOK = "Before you repeat a change, look whether it was made."

type During = Callable[[], AbstractContextManager[None]]
"""Opens the context in which a button is pressed."""


@pytest.fixture(scope="module")
def completed(installation: Installation) -> UUID:
    """A campaign whose contacts were called; each test changes one of them."""
    return called(installation, "Called before the faults", CALLED)


@pytest.fixture(scope="module")
def contacts(installation: Installation, completed: UUID) -> list[UUID]:
    return contacts_of(installation, completed)


@pytest.fixture
def page(installation: Installation, admin: BrowserContext) -> Iterator[Page]:
    page = admin.new_page()
    yield page
    page.close()


def fault(page: Page, text: str) -> Locator:
    return page.locator("#main").get_by_role("alert").filter(has_text=text).first


def toast(page: Page, text: str) -> Locator:
    return page.locator(".toast", has_text=text).last


def expect_state(page: Page, state: str) -> None:
    expect(page.locator(".head .state")).to_have_text(state)


def settled(page: Page) -> None:
    """Wait until the page shows everything that it reads when it is opened."""
    expect(page.locator(".pill")).to_contain_text("Live")
    expect(page.locator(".skeleton")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def press(button: Locator, during: During) -> None:
    """Press a button during a fault: it cannot be pressed again before the answer."""
    with during():
        button.click()
        if during is not nullcontext:
            expect(button).to_be_disabled()


def walk_the_campaign(page: Page, during: During) -> None:
    """Schedule, pause, resume and cancel the campaign that is shown."""
    settled(page)
    actions = page.locator(".head")
    actions.get_by_role("button", name="Schedule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("First call not before").fill(START)
    press(dialog.get_by_role("button", name="Schedule"), during)
    expect_state(page, "Queued")
    expect(page.locator(".head .lead")).to_contain_text("No call before")
    press(actions.get_by_role("button", name="Pause"), during)
    expect_state(page, "Paused")
    press(actions.get_by_role("button", name="Resume"), during)
    expect_state(page, "Queued")
    expect(toast(page, "Resumed.")).to_be_visible()
    expect(page.locator(".toast", has_text="paused again")).to_have_count(0)
    actions.get_by_role("button", name="Cancel", exact=True).click()
    dialog.get_by_label("Type “cancel” to confirm").fill("cancel")
    press(dialog.get_by_role("button", name="Cancel the campaign"), during)
    expect_state(page, "Canceled")


def walk_the_drawer(page: Page, note: str, during: During) -> None:
    """Set the disposition, save a note and add the number to the register."""
    drawer = page.locator("dialog.drawer")
    expect(drawer.get_by_label("Disposition")).to_be_visible()
    settled(page)
    with during():
        drawer.get_by_label("Disposition").select_option("NOT_INTERESTED")
    expect(toast(page, "Disposition set.")).to_be_visible()
    drawer.get_by_label("Note").fill(note)
    press(drawer.get_by_role("button", name="Save the note"), during)
    expect(toast(page, "Note saved.")).to_be_visible()
    expect(drawer.get_by_label("Disposition")).to_have_value("NOT_INTERESTED")
    expect(drawer.get_by_label("Note")).to_have_value(note)
    # The campaign is finished.
    expect(drawer.get_by_role("button", name="Call again")).to_be_disabled()
    drawer.get_by_role("button", name="Never call").click()
    ask = page.get_by_role("dialog", name="Never call this number again?")
    press(ask.get_by_role("button", name="Never call"), during)
    expect(toast(page, "The number is not called again")).to_be_visible()


def open_redial(page: Page, campaign_id: UUID, name: str) -> Locator:
    """Open the dialog of a redial; return its button once it can be pressed."""
    page.goto(f"/campaigns/{campaign_id}")
    page.get_by_role("region", name="Results").get_by_role(
        "button", name="Redial"
    ).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the new campaign").fill(name)
    button = dialog.get_by_role("button", name="Create the redial")
    expect(button).to_be_enabled()
    return button


def exported(page: Page, during: During) -> list[dict[str, str]]:
    """Export all columns of the campaign that is shown."""
    page.locator(".head").get_by_role("button", name="Export", exact=True).click()
    page.get_by_label("Columns").select_option("all")
    with page.expect_download() as download, during():
        page.get_by_role("link", name="Download").click()
    text = download.value.path().read_text("utf-8-sig")
    return [*csv.DictReader(io.StringIO(text))]


def redials(installation: Installation, name: str) -> int:
    """Count the campaigns of this name."""
    query = "select count(*) from campaign_board where name = %s"
    return installation.bench.read(_count, query, name)


def _count(conn: Conn, query: str, name: str) -> int:
    row = conn.execute(query.encode(), (name,)).fetchone()
    assert row is not None
    return int(row[0])


ONCE = {"Queued": 1, "Paused": 1, "Resumed": 1, "Canceled": 1}
"""Events of the campaign's walk."""


def test_actions_are_executed_once_although_the_api_freezes(
    installation: Installation, page: Page, completed: UUID, contacts: list[UUID]
) -> None:
    def during() -> AbstractContextManager[None]:
        return frozen(installation, API)

    campaign_id = created(installation, "Frozen", WAITING)
    page.goto(f"/campaigns/{campaign_id}")
    walk_the_campaign(page, during)
    assert ONCE.items() <= facts_of(installation, campaign_id).items()
    page.goto(f"/campaigns/{completed}/contacts/{contacts[0]}")
    walk_the_drawer(page, "Frozen", during)
    assert facts_of(installation, contacts[0])["Disposed"] == 2
    create = open_redial(page, completed, "Redial while frozen")
    settled(page)
    press(create, during)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Redial while frozen")
    assert redials(installation, "Redial while frozen") == 1
    page.goto(f"/campaigns/{completed}")
    settled(page)
    rows = {row["contact_id"]: row for row in exported(page, during)}
    assert rows.keys() == {str(id_) for id_ in contacts}
    assert rows[str(contacts[0])]["note"] == "Frozen"


def test_pages_keep_what_they_show_while_the_api_is_frozen(
    installation: Installation,
    admin: BrowserContext,
    completed: UUID,
    contacts: list[UUID],
) -> None:
    address = f"/campaigns/{completed}"
    shown = {
        address: ".card, #contacts tbody tr",
        f"{address}/history": ".timeline li",
        f"{address}/contacts/{contacts[1]}": "dialog.drawer .attempts > li",
    }
    pages = {admin.new_page(): part for part in shown.values()}
    for one, path in zip(pages, shown, strict=True):
        one.goto(path)
        expect(one.locator(pages[one]).first).to_be_visible()
    drawer = one.locator("dialog.drawer")
    drawer.get_by_label("Note").fill("Not lost")
    with frozen(installation, API):
        for one, part in pages.items():
            lost = one.locator(".banner", has_text="AutoLynx has not answered since")
            expect(lost).to_be_visible(timeout=LONG)
            expect(one.locator(part).first).to_be_visible()
    for one in pages:
        expect(one.locator(".pill")).to_contain_text("Live", timeout=LONG)
    expect(drawer.get_by_label("Note")).to_have_value("Not lost")
    drawer.get_by_role("button", name="Save the note").click()
    expect(toast(one, "Note saved.")).to_be_visible()
    for one in pages:
        one.close()


def test_actions_are_executed_once_although_the_projector_is_stopped(
    installation: Installation, page: Page, completed: UUID, contacts: list[UUID]
) -> None:
    campaign_id = queued(installation, "Behind", WAITING)
    page.goto(f"/campaigns/{campaign_id}")
    expect_state(page, "Queued")
    stopped = fault(page, "Projector:")
    with frozen(installation, PROJECTOR):
        page.locator(".head").get_by_role("button", name="Pause").click()
        expect_state(page, "Paused")
        page.locator(".head").get_by_role("button", name="Resume").click()
        expect(toast(page, "Resumed.")).to_be_visible()
        expect_state(page, "Queued")
        expect(stopped).to_be_visible(timeout=LONG)
        page.goto(f"/campaigns/{completed}/contacts/{contacts[2]}")
        walk_the_drawer(page, "Behind", nullcontext)
        expect(stopped).to_be_attached()
        create = open_redial(page, completed, "Redial while behind")
        create.click()
        behind = toast(page, "see that a projector runs, then try again")
        expect(behind).to_be_visible()
    expect(stopped).to_have_count(0, timeout=LONG)
    create.click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Redial while behind")
    assert redials(installation, "Redial while behind") == 1
    facts = facts_of(installation, campaign_id)
    assert (facts["Paused"], facts["Resumed"]) == (1, 1)
    assert facts_of(installation, contacts[2])["Disposed"] == 2
    page.goto(f"/campaigns/{completed}/contacts/{contacts[2]}")
    drawer = page.locator("dialog.drawer")
    expect(drawer.get_by_label("Note")).to_have_value("Behind")
    expect(drawer.get_by_label("Disposition")).to_have_value("NOT_INTERESTED")
    page.goto(f"/campaigns/{campaign_id}")
    expect_state(page, "Queued")


def test_all_actions_work_while_the_provider_is_down(
    installation: Installation, page: Page, completed: UUID, contacts: list[UUID]
) -> None:
    campaign_id = created(installation, "Without the provider", WAITING)
    down = fault(page, "Provider:")
    with provider_down(installation):
        page.goto(f"/campaigns/{campaign_id}")
        expect(down).to_be_visible(timeout=LONG)
        walk_the_campaign(page, nullcontext)
        page.goto(f"/campaigns/{completed}/contacts/{contacts[3]}")
        walk_the_drawer(page, "Without the provider", nullcontext)
        expect(down).to_be_attached()
        open_redial(page, completed, "Redial without the provider").click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Redial without the provider")
        page.goto(f"/campaigns/{completed}/history")
        expect(page.locator(".timeline li").first).to_be_visible()
        page.goto(f"/campaigns/{completed}")
        assert len(exported(page, nullcontext)) == len(contacts)
    expect(down).to_have_count(0, timeout=LONG)
    assert ONCE.items() <= facts_of(installation, campaign_id).items()


def test_the_page_shows_what_was_executed_although_the_response_was_lost(
    installation: Installation, page: Page, completed: UUID, contacts: list[UUID]
) -> None:
    campaign_id = queued(installation, "Unanswered", WAITING)
    page.goto(f"/campaigns/{campaign_id}")
    with lost_responses(page, "PauseCampaign"):
        page.locator(".head").get_by_role("button", name="Pause").click()
        expect(toast(page, LOOK)).to_be_visible()
    expect_state(page, "Paused")
    page.goto(f"/campaigns/{completed}/contacts/{contacts[4]}")
    drawer = page.locator("dialog.drawer")
    with lost_responses(page, "SetDisposition"):
        drawer.get_by_label("Note").fill("Unanswered")
        drawer.get_by_role("button", name="Save the note").click()
        expect(toast(page, LOOK)).to_be_visible()
    expect(drawer.get_by_role("button", name="Save the note")).to_be_disabled()
    create = open_redial(page, completed, "Redial unanswered")
    with lost_responses(page, "CreateCampaign"):
        create.click()
        expect(toast(page, LOOK)).to_be_visible()
    create.click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Redial unanswered")
    assert redials(installation, "Redial unanswered") == 1
    assert facts_of(installation, campaign_id)["Paused"] == 1
    assert facts_of(installation, contacts[4])["Disposed"] == 1


def test_no_input_is_lost_if_a_request_does_not_arrive(
    installation: Installation, page: Page, completed: UUID, contacts: list[UUID]
) -> None:
    campaign_id = created(installation, "Not arrived", WAITING)
    page.goto(f"/campaigns/{campaign_id}")
    page.get_by_role("button", name="Schedule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("First call not before").fill(START)
    schedule = dialog.get_by_role("button", name="Schedule")
    with lost_requests(page, "ScheduleCampaign"):
        schedule.click()
        expect(toast(page, LOOK)).to_be_visible()
    expect(dialog.get_by_label("First call not before")).to_have_value(START)
    expect_state(page, "Created")
    schedule.click()
    expect_state(page, "Queued")

    page.goto(f"/campaigns/{completed}/contacts/{contacts[4]}")
    drawer = page.locator("dialog.drawer")
    note, disposition = drawer.get_by_label("Note"), drawer.get_by_label("Disposition")
    before = note.input_value()
    with lost_requests(page, "SetDisposition", "SuppressNumber"):
        disposition.select_option("OTHER")
        expect(toast(page, LOOK)).to_be_visible()
        expect(disposition).to_have_value("")
        note.fill("Typed before the fault")
        drawer.get_by_role("button", name="Save the note").click()
        expect(page.locator(".toast", has_text=LOOK)).to_have_count(2)
        expect(note).to_have_value("Typed before the fault")
        drawer.get_by_role("button", name="Never call").click()
        ask = page.get_by_role("dialog", name="Never call this number again?")
        ask.get_by_role("button", name="Never call").click()
        expect(page.locator(".toast", has_text=LOOK)).to_have_count(3)
        expect(ask).to_be_visible()
        ask.get_by_role("button", name="Keep it").click()
    page.reload()
    expect(note).to_have_value(before)
    note.fill("Typed again")
    drawer.get_by_role("button", name="Save the note").click()
    expect(toast(page, "Note saved.")).to_be_visible()
    expect(drawer).not_to_contain_text(re.compile("Not called any more"))
