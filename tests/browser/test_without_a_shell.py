"""From an invitation to results in another system, in the browser alone."""

import csv

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import LONG, Installation, choose_file, sample_file
from tests.scheduler.deliveries.receiver import Received, receiving
from tests.support import eventually

PEOPLE = 4
PHONE = "+12025550191"
COLLEAGUE = "colleague@autolynx.example"
ASSISTANT = "Night desk"


def test_a_member_imports_tests_and_uses_an_assistant_and_gets_the_results(
    installation: Installation, admin: BrowserContext
) -> None:
    installation.bench.provider.create_assistant(
        ASSISTANT, {"firstMessage": "Hi {{name}}"}
    )
    link = _invite(admin.new_page())
    with receiving() as received, installation.stranger() as context:
        page = context.new_page()
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
        _import_assistant(page)
        _add_endpoint(page, received)
        _fill_in(page, installation, name="First")
        _place_test_call(page)
        page.get_by_role("button", name="Create and start").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("First")
        expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)
        results = _arrived(received)
        assert received.faults == []
        assert len(results) == PEOPLE
        with page.expect_download() as exporting:
            page.get_by_role("button", name="Export", exact=True).click()
            page.get_by_role("link", name="Download").click()
        text = exporting.value.path().read_text("utf-8-sig")
        rows = csv.DictReader(text.splitlines())
        assert {row["phone"] for row in rows} == {*results}


def _invite(page: Page) -> str:
    """Add a member as an admin; return the sign-in link."""
    page.goto("/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("E-mail").fill(COLLEAGUE)
    page.get_by_role("radio", name="Admin").check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name=f"Create a sign-in link for {COLLEAGUE}").click()
    link = page.get_by_role("dialog").locator(".secret code").inner_text()
    page.close()
    return link


def _import_assistant(page: Page) -> None:
    page.goto("/assistants")
    page.get_by_role("button", name="Import").click()
    chooser = page.get_by_label("Assistant at the provider")
    chooser.select_option(label=ASSISTANT)
    page.get_by_role("dialog").get_by_role("button", name="Import").click()
    expect(page.get_by_role("cell", name=ASSISTANT)).to_be_visible()


def _add_endpoint(page: Page, received: Received) -> None:
    page.goto("/webhooks")
    page.get_by_role("button", name="Add an endpoint").click()
    page.get_by_label("URL").fill(received.url)
    page.get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog", name="Signing secret")
    received.secrets.append(dialog.locator(".secret code").inner_text())
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("region", name=received.url)).to_contain_text("Enabled")


def _fill_in(page: Page, installation: Installation, *, name: str) -> None:
    """Fill in the page of the new campaign, up to its start."""
    page.goto("/campaigns/new")
    choose_file(page, sample_file(installation.folder, PEOPLE))
    expect(page.locator(".tally")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Assistant", exact=True).select_option(label=ASSISTANT)
    page.get_by_label("Line", exact=True).select_option(index=1)


def _place_test_call(page: Page) -> None:
    page.get_by_role("button", name="Test call").click()
    page.get_by_label("Your own number").fill(PHONE)
    page.get_by_role("button", name="Call", exact=True).click()
    dialog = page.get_by_role("dialog")
    with page.expect_popup() as opened:
        dialog.get_by_role("link", name="Follow the test call").click()
    test = opened.value
    expect(test.locator(".head .state")).to_have_text("Completed", timeout=LONG)
    test.close()
    dialog.locator("footer").get_by_role("button", name="Close").click()


def _arrived(received: Received) -> dict[str, list[str]]:
    """Wait for the end of the campaign; return each contact's messages, by number."""

    def of_campaign() -> list[dict[str, object]]:
        return [
            body
            for body in received.accepted
            if body["data"].get("campaign", {}).get("name") == "First"
        ]

    eventually(
        lambda: (
            "campaign.completed" in [body["type"] for body in of_campaign()]
            and sum(body["type"] == "contact.finished" for body in of_campaign())
            == PEOPLE
        ),
        within=LONG / 1000,
        said="all results",
    )
    results: dict[str, list[str]] = {}
    for body in received.accepted:
        data = body["data"]
        if data.get("campaign", {}).get("name") == "First" and "contact" in data:
            results.setdefault(data["contact"]["phone"], []).append(body["type"])
    assert {tuple(types) for types in results.values()} == {
        ("call.finished", "contact.finished")
    }
    return results
