"""The steps of a new campaign: hours, retries, review, draft, and a copied campaign."""

from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.installation import choose_file, sample_file

ROWS = 5


def test_a_draft_is_kept_until_the_campaign_is_created(
    admin: BrowserContext, tmp_path: Path
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    choose_file(page, sample_file(tmp_path, ROWS))
    page.get_by_label("Name", exact=True).fill("Half done")
    steps = page.get_by_role("complementary", name="Steps")
    expect(steps).to_contain_text("Choose an assistant.")
    page.close()

    other = admin.new_page()
    other.goto("/campaigns/new")
    expect(other.get_by_label("Name", exact=True)).to_have_value("Half done")
    expect(other.locator(".tally")).to_contain_text(f"{ROWS} accepted")
    other.get_by_role("button", name="Discard the draft").click()
    expect(other.get_by_label("Name", exact=True)).to_have_value("")
    expect(other.locator(".tally")).to_have_count(0)
    other.close()


def test_hours_retries_and_times_are_reviewed_stored_and_copied(
    admin: BrowserContext, tmp_path: Path
) -> None:
    page = admin.new_page()
    page.goto("/campaigns/new")
    choose_file(page, sample_file(tmp_path, ROWS))
    page.get_by_label("Name", exact=True).fill("All settings")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    _choose_when(page)
    page.get_by_label("Calls to a contact").select_option("patient")
    page.get_by_label("Calls in total").fill("3")
    latest = page.get_by_role("group", name="Latest times of the calls")
    expect(latest.locator("li")).to_have_count(3)
    review = page.get_by_role("region", name="5 · Review")
    expect(review).to_contain_text("at most 3")
    expect(review).to_contain_text("Dec 1")
    expect(review.get_by_role("region", name="Who may be called")).to_be_visible()
    page.get_by_role("button", name="Create without starting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All settings")
    page.get_by_role("link", name="Duplicate").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Copy of All settings")
    expect(page.get_by_label("Purpose of the calls")).to_have_value("SURVEY")
    expect(page.get_by_label("Row 1 from")).to_have_value("10:00")
    expect(page.get_by_label("Row 1 to")).to_have_value("16:30")
    sunday = page.get_by_role("button", name="Sun", exact=True)
    expect(sunday).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Dec 24, 2999")).to_be_visible()
    expect(page.get_by_label("Calls in total")).to_have_value("3")
    expect(page.get_by_label("Not before")).to_have_value("")
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("")
    page.close()


def _choose_when(page: Page) -> None:
    page.get_by_label("Purpose of the calls").select_option("SURVEY")
    page.get_by_label("Not before").fill("2999-12-01T09:00")
    page.get_by_role("button", name="Add hours").click()
    page.get_by_role("button", name="Sun", exact=True).click()
    page.get_by_label("Row 1 from").fill("10:00")
    page.get_by_label("Row 1 to").fill("16:30")
    page.get_by_label("Day without calls").fill("2999-12-24")
    page.get_by_role("button", name="Add the day").click()
