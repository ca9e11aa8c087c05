"""The forecast of a draft, of a campaign with its calls, and how well they held."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.installation import (
    LONG,
    Installation,
    choose_file,
    create_campaign,
    sample_file,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return sample_file(tmp_path, 60)


def test_a_draft_is_forecast_while_it_is_filled_in(
    installation: Installation, admin: BrowserContext, file: Path
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    choose_file(page, file)
    card = page.get_by_role("region", name="Forecast", exact=True)
    expect(card).to_contain_text("Likely finished", timeout=LONG)
    expect(card).to_contain_text("Not calibrated yet")
    calls = card.locator("tr", has=page.get_by_role("rowheader", name="Calls"))
    once = re.compile(r"^Calls(\d+)\1 to \1$")
    expect(calls).to_have_text(once)
    page.get_by_label("Calls at once").fill("1")
    expect(card).to_contain_text("5 more slots: finished", timeout=LONG)
    page.goto("/campaigns")
    page.goto("/campaigns/new")
    expect(card).to_contain_text("Likely finished", timeout=LONG)


def test_a_campaign_shows_its_forecast_with_the_calls_that_were_made(
    installation: Installation, admin: BrowserContext, file: Path
) -> None:
    page = admin.new_page()
    create_campaign(page, file, name="Forecast", cap=3)
    panel = page.get_by_role("region", name="Forecast", exact=True)
    expect(panel).to_contain_text("Likely finished", timeout=LONG)
    expect(panel.get_by_role("rowheader", name="By a person")).to_be_visible()


def test_the_page_of_forecasts_says_when_it_cannot_judge_yet(
    installation: Installation, admin: BrowserContext
) -> None:
    page = admin.new_page()
    page.goto("/forecasts")
    start = page.locator("section", has_text="At the start of the campaign")
    expect(start.locator("tbody tr")).to_have_count(6, timeout=LONG)
    expect(start.locator("tbody tr").first).to_contain_text("not calibrated yet")


def test_the_page_of_forecasts_compares_them_with_a_naive_forecast(
    installation: Installation, admin: BrowserContext
) -> None:
    """Without the twenty campaigns that it takes: the response is changed."""
    page = admin.new_page()
    scores = {"FINISH": (0.84, 2.0), "SPEND": (0.5, 10.0)}

    def scored(route: Route) -> None:
        answer = route.fetch(max_retries=3)
        body = answer.json()
        for row in (body.get("data") or {}).get("calibration", []):
            coverage, crps = scores.get(row["quantity"], (None, None))
            if coverage is not None:
                row |= {"coverage": coverage, "crps": crps, "naiveCrps": 8.0}
                row["campaigns"] = 20
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/graphql", scored)
    page.goto("/forecasts")
    start = page.locator("section", has_text="At the start of the campaign")
    rows = start.locator("tbody tr")
    expect(rows.filter(has_text="84 %")).to_contain_text("75 % less error")
    expect(rows.filter(has_text="50 %")).to_contain_text("25 % more error")
    expect(rows.filter(has_text="not calibrated yet")).to_have_count(4)
    page.unroute_all(behavior="wait")
    page.close()
