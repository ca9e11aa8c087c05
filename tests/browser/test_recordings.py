"""The contact drawer offers only recordings that are safe to open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.installation import LONG, Installation, create_campaign, sample_file

NUMBER = "+12015550100"
"""The only number of the campaign: a call to it is answered and has a recording."""

RECORDED: LiteralString = """
    select k.contact_id, m.id, m.recording_url
    from read.call_log c
    join read.contact_log k on k.call_id = c.call_id
    join message_vault m on m.id = c.report_message_id
    where c.campaign_id = %s and m.recording_url is not null and c.status = 'ENDED'
    limit 1
"""
STORE: LiteralString = "update message_vault set recording_url = %s where id = %s"


@pytest.fixture(scope="module")
def campaign(installation: Installation, admin: BrowserContext) -> str:
    """The address of a completed campaign."""
    page = admin.new_page()
    installation.simulator.set_faults(endings={NUMBER: "customer-ended-call"})
    file = sample_file(installation.folder, 1)
    create_campaign(page, file, name="Recordings", cap=1)
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    expect(page.get_by_text("Every report is in.")).to_be_visible(timeout=LONG)
    installation.simulator.set_faults()
    address = page.url
    page.close()
    return address


def test_the_drawer_offers_no_hostile_recording_that_release_1_stored(
    installation: Installation, admin: BrowserContext, campaign: str
) -> None:
    """Which URLs are hostile is tested in tests/domain/calls/test_recording_url.py."""
    url = "javascript:alert(1)"
    page = admin.new_page()
    drawer = page.get_by_role("dialog")
    with installation.bench.writing.connection() as connection:
        found = connection.execute(RECORDED, (campaign.rpartition("/")[2],)).fetchone()
        assert found is not None, "no call of the campaign has a recording"
        contact_id, message_id, good = found
    address = f"{campaign}/contacts/{contact_id}"
    with stored(installation, message_id, url, good):
        page.goto(address)
        expect(drawer.locator(".timeline")).to_contain_text("Report received")
        expect(drawer.locator(".turn").first).to_be_visible()
        expect(drawer.locator("audio")).to_have_count(0)
        expect(drawer.locator("[href$='/recording']")).to_have_count(0)
        assert url not in page.content()
    page.goto(address)
    expect(drawer.locator("audio")).to_have_count(1)
    page.close()


@contextmanager
def stored(
    installation: Installation, message_id: UUID, url: str, good: str
) -> Iterator[None]:
    """Replace a report's recording URL in this context."""
    with installation.bench.writing.connection() as connection:
        connection.execute(STORE, (url, message_id))
    try:
        yield
    finally:
        with installation.bench.writing.connection() as connection:
            connection.execute(STORE, (good, message_id))
