"""Assistants are imported from the provider's list, without typing ids."""

import re
from json import loads

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from interfaces.dashboard.documents import read_documents
from provider.simulator.settings import DEFAULT_ASSISTANT_ID
from tests.browser.installation import Installation

(LIST,) = (one for one in read_documents() if one.name == "Assistants")


@pytest.fixture
def unregistered(installation: Installation) -> str:
    """Return the id of an assistant that exists at the provider only."""
    return installation.bench.provider.create_assistant("Dawn desk", {}).id


def containing(*parts: str) -> re.Pattern[str]:
    """Return a pattern for texts with all these parts, in any order."""
    return re.compile("".join(rf"(?=[\s\S]*{re.escape(part)})" for part in parts))


def held(route: Route, reads_of_the_list: list[Route]) -> None:
    """Hold requests that read the list of assistants; continue all others."""
    if LIST.id in (route.request.post_data or ""):
        reads_of_the_list.append(route)
    else:
        route.continue_()


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
    expect(page.get_by_role("cell", name="Dawn desk")).to_be_visible()
    page.close()


def test_the_form_and_the_json_of_an_assistant_show_the_same(
    installation: Installation, admin: BrowserContext
) -> None:
    made = installation.bench.provider.create_assistant(
        "Day desk",
        {
            "firstMessage": "Hello",
            "hooks": [{"on": "call.ending"}],
            "model": {
                "provider": "openai",
                "model": "gpt-4o",
                "tools": [
                    {"type": "function", "server": {"url": "u", "secret": "hidden"}}
                ],
            },
        },
    )
    installation.bench.assistants.import_assistant(made.id, name=None, by="cli:test")
    page = admin.new_page()
    page.goto("/assistants")
    row = page.get_by_role("row").filter(has_text="Day desk")
    row.get_by_role("button", name="Change").click()
    page.get_by_text("The provider's configuration, as JSON").click()
    json = page.get_by_label("Configuration", exact=True)
    first = page.get_by_label("First message", exact=True)
    expect(first).to_have_value("Hello")
    page.get_by_label("Prompt", exact=True).fill("Be brief.")
    page.get_by_label("Longest call in seconds").fill("120")
    page.get_by_label("Voice", exact=True).fill("vapi/Elliot")
    first.focus()
    expect(json).to_have_value(containing("Be brief.", "Elliot", "120"))
    shown = loads(json.input_value())
    assert shown["model"]["messages"] == [{"role": "system", "content": "Be brief."}]
    assert shown["voice"] == {"provider": "vapi", "voiceId": "Elliot"}
    assert shown["maxDurationSeconds"] == 120
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    stored = installation.bench.provider.assistant(made.id)
    assert stored is not None
    assert stored.config["hooks"] == [{"on": "call.ending"}]
    assert stored.config["maxDurationSeconds"] == 120

    row.get_by_role("button", name="Change").click()
    page.get_by_text("The provider's configuration, as JSON").click()
    expect(json).to_have_value(re.compile("Be brief"))
    json.fill("{")
    first.focus()
    expect(page.get_by_role("alert")).to_contain_text("not a JSON object")
    json.fill('{"firstMessage": "Good day"}')
    page.get_by_label("Prompt", exact=True).focus()
    expect(first).to_have_value("Good day")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    stored = installation.bench.provider.assistant(made.id)
    assert stored is not None
    assert stored.config["firstMessage"] == "Good day"
    assert stored.config["maxDurationSeconds"] == 120
    page.close()


def test_the_dialog_closes_once_the_list_shows_the_saved_assistant(
    installation: Installation, admin: BrowserContext
) -> None:
    config = {"firstMessage": "Hello"}
    installation.bench.assistants.create("Noon desk", config, by="cli:test")
    page = admin.new_page()
    page.goto("/assistants")
    row = page.get_by_role("row").filter(has_text="Noon desk")
    row.get_by_role("button", name="Change").click()
    page.get_by_label("First message", exact=True).fill("Good day")
    reads_of_the_list = list[Route]()
    page.route(lambda _: True, lambda route: held(route, reads_of_the_list))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changed, at the provider too.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_visible()
    for route in reads_of_the_list:
        route.continue_()
    page.unroute_all()
    expect(page.get_by_role("dialog")).to_have_count(0)
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_label("First message", exact=True)).to_have_value("Good day")
    page.close()


def test_an_admin_creates_an_assistant_and_adds_the_tools(
    admin: BrowserContext,
) -> None:
    page = admin.new_page()
    page.goto("/assistants")
    page.get_by_role("button", name="New assistant").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("openai/gpt-4o")
    page.get_by_label("Name", exact=True).fill("Evening desk")
    page.get_by_label("Model", exact=True).fill("gpt-4o")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("PROVIDER/NAME")
    page.get_by_label("Model", exact=True).fill("openai/gpt-4o-mini")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="Evening desk")
    row.get_by_role("button", name="Add tools").click()
    expect(row.get_by_role("button", name="Add tools")).to_have_count(0)
    page.close()


def test_an_operator_tests_an_assistant_on_the_page_of_the_assistants(
    installation: Installation,
) -> None:
    with installation.opened("operator") as context:
        page = context.new_page()
        page.goto("/assistants")
        expect(page.get_by_role("button", name="Test call").first).to_be_visible()
        expect(page.get_by_role("button", name="Archive")).to_have_count(0)
        page.get_by_role("button", name="Test call").first.click()
        page.get_by_label("Your own number").fill("+12025550191")
        call = page.get_by_role("button", name="Call", exact=True)
        expect(call).to_be_disabled()
        page.get_by_label("Line", exact=True).select_option(index=1)
        call.click()
        follow = page.get_by_role("link", name="Follow the test call")
        expect(follow).to_have_attribute("href", re.compile("^/campaigns/"))
