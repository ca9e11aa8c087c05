"""Assistants are imported from the provider's list, without typing ids."""

import pytest
from playwright.sync_api import BrowserContext, expect

from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.browser.desk import Desk


@pytest.fixture
def unregistered(desk: Desk) -> str:
    """Return the id of an assistant that exists at the provider only."""
    return desk.bench.provider.create_assistant("Night desk", {}).id


def test_an_admin_imports_an_assistant_from_the_providers_list(
    admin: BrowserContext, unregistered: str
) -> None:
    page = admin.new_page()
    page.goto("/assistants")
    page.get_by_role("button", name="Import").click()
    chooser = page.get_by_label("Assistant at the provider")
    known = chooser.locator(f"option[value='{DEFAULT_ASSISTANT_ID}']")
    expect(known).to_contain_text("imported")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Import")).to_be_disabled()
    chooser.select_option(unregistered)
    dialog.get_by_role("button", name="Import").click()
    expect(page.get_by_role("cell", name="Night desk")).to_be_visible()
    page.close()
