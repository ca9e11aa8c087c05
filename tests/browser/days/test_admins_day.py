"""The day of an admin who sets up an installation in the browser."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Dialog, Locator, Page, Route, expect

from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from tests.browser.installation import LONG, Installation, choose_file, sample_file
from tests.browser.restrictions import (
    read_and_waive_the_rules,
    suppress_a_number,
    upload_a_list,
)
from tests.scheduler.deliveries.receiver import Received, receiving
from tests.support import eventually

PEOPLE = 4
OWN_NUMBER = "+12025550191"
NEWCOMER = "newcomer@autolynx.example"
ASSISTANT = "Night desk"
NO_SECRET = "No secret is set: messages are refused."
"""Detail of a health component in a response that the test changes."""


@pytest.fixture(scope="module")
def page(admin: BrowserContext) -> Page:
    return admin.new_page()


# --- The checklist of an empty installation ------------------------------------------


def test_each_step_of_the_checklist_turns_done(
    installation: Installation, page: Page
) -> None:
    """Other tests have created campaigns: the responses are changed on their way."""
    simulator = installation.simulator
    page.goto("/")
    _show_no_campaigns_but(page, "")
    page.goto("/?")
    checklist = page.get_by_role("region", name="Before the first campaign")
    key, messages, line, assistant, test_call = (
        checklist.locator("li", has_text=title)
        for title in (
            "The provider accepts the key",
            "The provider's messages arrive",
            "There is a line",
            "There is an assistant",
            "Hear the assistant in a test call",
        )
    )
    expect(assistant).to_contain_text("done")
    expect(test_call).to_contain_text("to do")
    simulator.set_faults(down=True)
    expect(key).to_contain_text("to do", timeout=LONG)
    simulator.set_faults(deleted_lines=[DEFAULT_PHONE_NUMBER_ID])
    expect(key).to_contain_text("done", timeout=LONG)
    expect(line).to_contain_text("to do", timeout=LONG)
    simulator.set_faults()
    expect(line).to_contain_text("done", timeout=LONG)
    _see_messages_refused_and_arriving(page, messages)
    expect(checklist).to_contain_text("4 of 5 done")
    placed = _place_test_call(page, installation)
    _show_no_campaigns_but(page, placed)
    page.goto("/")
    expect(test_call).to_contain_text("done", timeout=LONG)
    expect(checklist).to_contain_text("5 of 5 done")
    expect(page.locator(".card")).to_contain_text("Test call")
    page.unroute_all(behavior="wait")


def _show_no_campaigns_but(page: Page, shown: str) -> None:
    """Leave only the campaign with this id in the list of campaigns."""

    def without_others(route: Route) -> None:
        answer = route.fetch(max_retries=3)
        body = answer.json()
        if listed := (body.get("data") or {}).get("campaigns"):
            kept = [one for one in listed["nodes"] if one["id"] == shown]
            listed |= {"nodes": kept, "totalCount": len(kept)}
        route.fulfill(response=answer, body=json.dumps(body))

    page.unroute_all(behavior="wait")
    page.route("**/graphql", without_others)


def _see_messages_refused_and_arriving(page: Page, messages: Locator) -> None:
    """Without a secret, which needs a restart: the response is changed on its way."""

    def without_secret(route: Route) -> None:
        answer = route.fetch(max_retries=3)
        body = answer.json()
        data = body.get("data") or {}
        for one in data.get("health", {}).get("components", []):
            if one["name"] == "webhooks":
                one |= {"status": "DEGRADED", "detail": NO_SECRET}
        if "campaigns" in data:
            data["campaigns"] |= {"nodes": [], "totalCount": 0}
        route.fulfill(response=answer, body=json.dumps(body))

    other = page.context.new_page()
    # The socket would push the true state.
    other.route_web_socket("**/graphql", lambda socket: socket.close())
    other.route("**/graphql", without_secret)
    other.goto("/")
    step = other.locator(".checklist li", has_text="The provider's messages arrive")
    expect(step).to_contain_text("to do")
    expect(step).to_contain_text(NO_SECRET)
    other.unroute_all(behavior="wait")
    other.close()
    expect(messages).to_contain_text("done")


def _import(page: Page, provider_id: str) -> None:
    page.goto("/assistants")
    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog")
    add = dialog.get_by_role("button", name="Import")
    expect(add).to_be_disabled()
    page.get_by_label("Assistant at the provider").select_option(provider_id)
    add.click()
    expect(dialog).to_have_count(0)


def _place_test_call(page: Page, installation: Installation) -> str:
    """Place a test call; return the id of its campaign."""
    page.goto("/campaigns/new")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_role("button", name="Test call").click()
    page.get_by_label("Your own number").fill(OWN_NUMBER)
    installation.simulator.set_faults(endings={OWN_NUMBER: "customer-ended-call"})
    page.get_by_role("button", name="Call", exact=True).click()
    link = page.get_by_role("link", name="Follow the test call")
    campaign = link.get_attribute("href") or ""
    page.get_by_role("dialog").locator("footer").get_by_role("button").click()
    return campaign.rpartition("/")[2]


# --- The whole way --------------------------------------------------------------------


def test_an_admin_sets_up_everything_that_a_campaign_needs(
    installation: Installation, page: Page, tmp_path: Path
) -> None:
    made = installation.bench.provider.create_assistant(
        ASSISTANT,
        {
            "firstMessage": "Hi {{name}}",
            "model": {"provider": "openai", "model": "gpt-4o"},
        },
    )
    _import(page, made.id)
    _change_in_the_form(installation, page, made.id)
    _be_warned_of_unsaved_settings(page)
    read_and_waive_the_rules(installation, page)
    suppress_a_number(page)
    upload_a_list(page, tmp_path)
    link = _add_a_member(page)
    _sign_in(installation, link)
    _create_and_revoke_a_token(installation, page)
    with receiving() as received:
        endpoint = _add_an_endpoint(page, received)
        _call(page, installation)
        _see_the_deliveries(endpoint, received, page)
        _read_an_alert_at_the_bell(installation, page)
        _remove_the_endpoint(endpoint, page)
    _remove_the_member(page)


def _change_in_the_form(
    installation: Installation, page: Page, provider_id: str
) -> None:
    row = page.get_by_role("row").filter(has_text=ASSISTANT)
    row.get_by_role("button", name="Change").click()
    first = page.get_by_label("First message", exact=True)
    expect(first).to_have_value("Hi {{name}}")
    first.fill("Good evening, {{name}}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    stored = installation.bench.provider.assistant(provider_id)
    assert stored is not None
    assert stored.config["firstMessage"] == "Good evening, {{name}}"
    row.get_by_role("button", name="Add tools").click()
    expect(row.get_by_role("button", name="Add tools")).to_have_count(0)


def _be_warned_of_unsaved_settings(page: Page) -> None:
    asked: list[str] = []

    def stay_once(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if len(asked) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", stay_once)
    page.goto("/settings")
    cap = page.get_by_label("Default cap of a campaign")
    stored = cap.input_value()
    changed = str(int(stored) + 1)
    cap.fill(changed)
    page.get_by_role("link", name="Assistants").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Settings")
    expect(cap).to_have_value(changed)
    page.get_by_role("link", name="Assistants").click()
    expect(heading).to_have_text("Assistants")
    assert len(asked) == 2
    assert "not saved" in asked[0]
    page.remove_listener("dialog", stay_once)
    page.goto("/settings")
    expect(cap).to_have_value(stored)
    cap.fill(changed)
    page.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Assistants").click()
    expect(heading).to_have_text("Assistants")


def _add_a_member(page: Page) -> str:
    """Add a member, make an admin of the member; return the sign-in link."""
    page.goto("/members")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("E-mail").fill(NEWCOMER)
    page.get_by_role("button", name="Add", exact=True).click()
    row = page.get_by_role("row").filter(has_text=NEWCOMER)
    row.get_by_role("combobox").select_option("ADMIN")
    expect(page.locator(".toast", has_text="has another role now")).to_be_visible()
    page.get_by_role("button", name=f"Create a sign-in link for {NEWCOMER}").click()
    return _shown_secret(page)


def _shown_secret(page: Page) -> str:
    """Return the text that the open dialog shows once."""
    secret = page.get_by_role("dialog").locator(".secret code").inner_text()
    page.get_by_role("button", name="Close").click()
    return secret


def _sign_in(installation: Installation, link: str) -> None:
    with installation.stranger() as context:
        tab = context.new_page()
        tab.goto("/sign-in")
        expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
        # The browser does not reload an open page if only the part after # changes.
        tab.evaluate("link => { location.href = link }", link)
        expect(tab.get_by_role("heading", name="Campaigns")).to_be_visible()
        expect(tab.get_by_role("link", name="Members")).to_be_visible()
    with installation.stranger() as context:
        tab = context.new_page()
        tab.goto(link)
        expect(tab.get_by_role("alert")).to_contain_text("already used")


def _create_and_revoke_a_token(installation: Installation, page: Page) -> None:
    page.goto("/tokens")
    page.get_by_role("button", name="Create a token").click()
    days = page.get_by_label("Days until it expires")
    create = page.get_by_role("button", name="Create", exact=True)
    days.fill("0")
    expect(create).to_be_disabled()
    days.fill("2")
    create.click()
    expect(page.get_by_role("dialog")).to_contain_text("not shown again")
    token = _shown_secret(page)

    def works() -> bool:
        answer = httpx2.post(
            f"{installation.up.url}/graphql",
            json={"query": "{ me { email } }"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=LONG / 1000,
        )
        return "errors" not in answer.json()

    assert works()
    rows = page.locator("tbody tr")
    before = rows.count()
    rows.last.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(rows).to_have_count(before - 1)
    assert not works()


def _add_an_endpoint(page: Page, received: Received) -> Locator:
    page.goto("/webhooks")
    page.get_by_role("button", name="Add an endpoint").click()
    add = page.get_by_role("button", name="Add", exact=True)
    page.get_by_label("URL").fill("ftp://crm.example.com")
    expect(add).to_be_disabled()
    page.get_by_label("URL").fill(received.url)
    add.click()
    dialog = page.get_by_role("dialog", name="Signing secret")
    received.secrets.append(dialog.locator(".secret code").inner_text())
    dialog.get_by_role("button", name="Close").click()
    endpoint = page.get_by_role("region", name=received.url)
    expect(endpoint).to_contain_text("Enabled · all types of messages · added")
    return endpoint


def _call(page: Page, installation: Installation) -> None:
    """Use everything: call a few people, and wait until all are finished."""
    page.goto("/campaigns/new")
    choose_file(page, sample_file(installation.folder, PEOPLE))
    expect(page.locator(".tally")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("First")
    page.get_by_label("Assistant", exact=True).select_option(label=ASSISTANT)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("First")
    expect(page.locator(".head .state")).to_have_text("Completed", timeout=LONG)


def _see_the_deliveries(endpoint: Locator, received: Received, page: Page) -> None:
    """Each contact's messages arrive once and in order; one is sent again."""

    def arrived(wanted: str) -> int:
        return sum(body["type"] == wanted for body in received.accepted)

    eventually(
        lambda: (
            arrived("contact.finished") == PEOPLE and arrived("campaign.completed") == 1
        ),
        within=LONG / 1000,
        what="all results",
    )
    results: dict[str, list[str]] = {}
    for body in received.accepted:
        if phone := body["data"].get("contact", {}).get("phone"):
            results.setdefault(phone, []).append(body["type"])
    assert len(results) == PEOPLE
    assert {*map(tuple, results.values())} == {("call.finished", "contact.finished")}
    page.goto("/webhooks")
    endpoint.get_by_text("Deliveries", exact=True).click()
    expect(endpoint.locator("tbody tr").first).to_contain_text("Delivered")
    before = received.types.count("campaign.completed")
    endpoint.get_by_role("button", name="Send campaign.completed again").click()
    eventually(
        lambda: received.types.count("campaign.completed") == before + 1, within=60
    )
    assert received.faults == []
    endpoint.get_by_label("Only failed ones").check()
    expect(endpoint).to_contain_text("None in the last 30 days.")


def _read_an_alert_at_the_bell(installation: Installation, page: Page) -> None:
    bell = page.get_by_role("button", name=re.compile("^Alerts"))
    bell.click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(bell).to_have_accessible_name("Alerts")
    installation.bench.settings.raise_daily_spend_alert(
        day=datetime.now(UTC).date(),
        alert="threshold",
        spend=Decimal("8.25"),
        budget=Decimal(10),
    )
    expect(bell).to_have_accessible_name("Alerts: 1 new", timeout=LONG)
    bell.click()
    alerts = page.get_by_role("dialog", name="Alerts")
    expect(alerts).to_contain_text("New: All campaigns together have spent 8.25")
    alerts.get_by_role("button", name="Close").click()
    expect(bell).to_have_accessible_name("Alerts")
    page.reload()
    expect(bell).to_have_accessible_name("Alerts")


def _remove_the_endpoint(endpoint: Locator, page: Page) -> None:
    endpoint.get_by_role("button", name="Disable").click()
    expect(endpoint).to_contain_text("Disabled")
    endpoint.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(endpoint).to_have_count(0)


def _remove_the_member(page: Page) -> None:
    page.goto("/members")
    page.get_by_role("button", name=f"Remove {NEWCOMER}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("row").filter(has_text=NEWCOMER)).to_have_count(0)
