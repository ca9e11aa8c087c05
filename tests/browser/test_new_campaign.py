"""The steps of a new campaign, its copy, and the changes of an existing campaign."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from playwright.sync_api import BrowserContext, Locator, Page, expect

from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms, OutputRule
from domain.outcomes import Disposition
from tests.browser.accessibility import faults_of
from tests.browser.installation import Installation, choose_file, sample_file

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


def test_output_rules_are_entered_and_every_setting_is_changed_later(
    installation: Installation, admin: BrowserContext, tmp_path: Path
) -> None:
    page = admin.new_page()
    _create_with_a_rule(page, tmp_path)
    campaign = UUID(page.url.rpartition("/")[2])
    assert _terms(installation, campaign).output_rules == (
        OutputRule("score", 2, Disposition.GOAL_REACHED),
    )

    page.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog", name="Change the campaign")
    rule = dialog.get_by_role("group", name="Rule 1")
    expect(rule.get_by_label("Value")).to_have_value("2")
    expect(dialog).to_contain_text("Cannot be changed")
    _change_everything(dialog)
    assert faults_of(page) == []
    dialog.get_by_label("Calls in total").fill("99")
    dialog.get_by_role("button", name="Save").click()
    calls = dialog.locator(".field", has_text="Calls to a contact")
    expect(calls).to_contain_text("attempts must be from 1 to 10")
    dialog.get_by_label("Calls in total").fill("2")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    _expect_changed(_terms(installation, campaign))

    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Change").click()
    line = dialog.locator(".field", has_text="Line").first
    expect(line).to_contain_text("Pause the campaign to change")
    expect(line.locator("select")).to_be_disabled()
    dialog.get_by_label("Output with the time of a callback").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    assert _terms(installation, campaign).callback_output is None
    page.close()


def _create_with_a_rule(page: Page, folder: Path) -> None:
    """Create a campaign with one output rule, after two faults in it are shown."""
    page.goto("/campaigns/new")
    choose_file(page, sample_file(folder, ROWS))
    page.get_by_label("Name", exact=True).fill("Rules")
    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_role("button", name="Add a rule").click()
    rule = page.get_by_role("group", name="Rule 1")
    rule.get_by_label("Is").select_option("number")
    rule.get_by_label("Value").fill("two")
    create = page.get_by_role("button", name="Create without starting")
    create.click()
    expect(rule).to_contain_text("Enter the name of an output.")
    expect(rule).to_contain_text("Enter a number.")
    rule.get_by_label("Output").fill("score")
    rule.get_by_label("Value").fill("2")
    create.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rules")


def _change_everything(dialog: Locator) -> None:
    dialog.get_by_label("Not before").fill("2999-12-01T09:00")
    dialog.get_by_label("Ends").fill("2999-12-31T18:00")
    dialog.get_by_role("button", name="Add hours").click()
    dialog.get_by_label("Row 1 from").fill("10:00")
    dialog.get_by_label("Day without calls").fill("2999-12-24")
    dialog.get_by_role("button", name="Add the day").click()
    dialog.get_by_label("Calls to a contact").select_option("patient")
    dialog.get_by_label("Calls in total").fill("3")
    latest = dialog.get_by_role("group", name="Latest times of the calls")
    expect(latest.locator("li")).to_have_count(3)
    dialog.get_by_label("Calls a day").fill("1")
    dialog.get_by_label("Output with the time of a callback").fill("call me")
    dialog.get_by_role("button", name="Add a rule").click()
    added = dialog.get_by_role("group", name="Rule 2")
    added.get_by_label("Output").fill("/successEvaluation")
    added.get_by_label("Is").select_option("text")
    added.get_by_label("Value").fill("wrong")
    added.get_by_label("Means").select_option("WRONG_PERSON")


def _expect_changed(terms: CallingTerms) -> None:
    assert terms.starts_at is not None
    assert terms.ends_at is not None
    assert terms.ends_at - terms.starts_at > timedelta(days=30)
    assert terms.calling_hours.windows[0].window.opens == 10 * 60
    assert [str(day) for day in terms.calling_hours.blackout_dates] == ["2999-12-24"]
    assert (terms.policy.attempts, terms.policy.per_day) == (2, 1)
    assert terms.callback_output == "call me"
    assert terms.output_rules == (
        OutputRule("score", 2, Disposition.GOAL_REACHED),
        OutputRule("/successEvaluation", "wrong", Disposition.WRONG_PERSON),
    )


def _terms(installation: Installation, campaign_id: UUID) -> CallingTerms:
    return installation.bench.app.load(Campaign, campaign_id).terms
