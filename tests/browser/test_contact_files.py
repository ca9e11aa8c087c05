"""Contact files in the browser: the mapping, the sheet, the region, and a reload."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.accessibility import DESKTOP, PHONE, faults_in_all_looks
from tests.browser.installation import LONG, Installation, choose_file
from tests.storage.test_workbooks import written

CONTACTS = "Name,Office,Handy,city\nAda,202-555-0101,202-555-0111,Oakland\n"
UNKNOWN = "who,reach\nAda,x-1\nBo,202-555-0102\n"
INDIAN = "name,phone\n" + "".join(
    f"Person {n},60001{n:05}\n" for n in range(77_860, 77_880)
)


@pytest.fixture
def page(installation: Installation) -> Iterator[Page]:
    """The page of a new campaign in a browser that has kept no file."""
    with installation.opened("operator") as context:
        page = context.new_page()
        page.goto("/campaigns/new")
        expect(page.locator("#file")).to_be_visible()
        yield page


def file_of(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def row_of(page: Page, column: str) -> Locator:
    """The row of a column in the table of columns."""
    return page.locator(".mapping tbody tr", has=page.locator("th", has_text=column))


def use_of(page: Page, column: str) -> Locator:
    return page.get_by_label(f"Use of the column {column}", exact=True)


def test_a_changed_mapping_is_read_at_once(page: Page, tmp_path: Path) -> None:
    choose_file(page, file_of(tmp_path, CONTACTS))
    expect(use_of(page, "Handy")).to_have_value("PHONE")
    expect(use_of(page, "Name")).to_have_value("NAME")
    expect(row_of(page, "Handy")).to_contain_text("+12025550111")
    expect(page.locator(".people")).to_contain_text("Ada")

    use_of(page, "Office").select_option("PHONE")
    expect(row_of(page, "Office")).to_contain_text("+12025550101")
    expect(use_of(page, "Handy")).to_have_value("VARIABLE")
    expect(page.locator(".people")).to_contain_text("+12025550101")
    use_of(page, "city").select_option("BUSINESS_NAME")
    expect(page.locator(".people")).to_contain_text("Oakland")
    expect(use_of(page, "Office")).to_have_value("PHONE")

    page.get_by_role("button", name="Undo my changes of the columns").click()
    expect(use_of(page, "Handy")).to_have_value("PHONE")
    expect(use_of(page, "city")).to_have_value("VARIABLE")


def test_ten_changes_of_the_mapping_keep_one_upload(
    page: Page, installation: Installation, tmp_path: Path
) -> None:
    name = "changed-often.csv"
    choose_file(page, file_of(tmp_path, CONTACTS, name))
    expect(use_of(page, "Handy")).to_have_value("PHONE")
    for column in ("Office", "Handy") * 5:
        with page.expect_response("**/uploads?*"):
            use_of(page, column).select_option("PHONE")
        expect(row_of(page, column)).to_contain_text("+1202")
    with installation.bench.pools.reading.connection() as connection:
        query = "select count(*) from public.upload where filename = %s"
        assert connection.execute(query, (name,)).fetchone() == (1,)


def test_an_unknown_phone_column_is_asked_for(page: Page, tmp_path: Path) -> None:
    choose_file(page, file_of(tmp_path, UNKNOWN))
    expect(page.get_by_text("Which column holds the phone numbers?")).to_be_visible()
    expect(row_of(page, "reach")).to_contain_text("x-1")
    use_of(page, "reach").select_option("PHONE")
    tally = page.locator(".tally[role=status]")
    expect(tally).to_contain_text("1 accepted")
    expect(tally).to_contain_text("1 skipped")
    expect(page.locator(".rejects")).to_contain_text("Invalid phone")


def test_another_sheet_of_a_workbook_is_chosen(page: Page, tmp_path: Path) -> None:
    people: list[list[Any]] = [["Name", "Phone"], ["Ada", "202-555-0101"]]
    old: list[list[Any]] = [["Name", "Phone"], ["Bo", "202-555-0102"], ["Cy", "x"]]
    content = written(("New", people), ("Old", old))
    choose_file(page, file_of(tmp_path, content, "people.xlsx"))
    expect(page.get_by_label("Sheet", exact=True)).to_have_value("New")
    expect(page.locator(".people")).to_contain_text("Ada")
    page.get_by_label("Sheet", exact=True).select_option("Old")
    expect(page.locator(".people")).to_contain_text("Bo")
    expect(page.locator(".tally[role=status]")).to_contain_text("1 skipped")


def test_a_sheet_without_phone_numbers_leads_to_the_other_sheets(
    page: Page, tmp_path: Path
) -> None:
    content = written(
        ("Notes", [["about", "by"], ["spring", "Ann"]]),
        ("People", [["Name", "Phone"], ["Ada", "202-555-0101"]]),
    )
    choose_file(page, file_of(tmp_path, content, "people.xlsx"))
    expect(page.get_by_text("Which column holds the phone numbers?")).to_be_visible()
    page.get_by_label("Sheet", exact=True).select_option("People")
    expect(page.locator(".people")).to_contain_text("+12025550101")


def test_an_unlikely_region_is_warned_of_and_changed(
    page: Page, tmp_path: Path
) -> None:
    choose_file(page, file_of(tmp_path, INDIAN))
    expect(page.locator(".report .banner")).to_contain_text("IN")
    page.get_by_label("Numbers without + are from").select_option("IN")
    expect(page.locator(".numbers")).to_contain_text(re.compile(r"India.*20"))
    expect(page.locator(".numbers")).to_contain_text("Mobile 20")
    expect(page.locator(".report .banner")).to_have_count(0)


def test_the_file_its_mapping_and_the_form_survive_a_reload(
    page: Page, tmp_path: Path
) -> None:
    choose_file(page, file_of(tmp_path, CONTACTS))
    with page.expect_response("**/uploads?*"):
        use_of(page, "Office").select_option("PHONE")
    expect(row_of(page, "Office")).to_contain_text("+12025550101")
    page.get_by_label("Name", exact=True).fill("Kept")
    page.reload()
    expect(row_of(page, "Office")).to_contain_text("+12025550101")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kept")

    page.get_by_role("link", name="Assistants").first.click()
    page.go_back()
    expect(use_of(page, "Office")).to_have_value("PHONE")
    use_of(page, "Office").select_option("VARIABLE")  # The file itself is there too.
    expect(use_of(page, "Handy")).to_have_value("PHONE")

    page.get_by_label("Assistant", exact=True).select_option(index=1)
    page.get_by_label("Line", exact=True).select_option(index=1)
    page.get_by_role("button", name="Create without starting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kept", timeout=LONG)
    page.goto("/campaigns/new")
    expect(page.get_by_text("Drop a CSV file or a workbook here")).to_be_visible()


def test_a_file_is_read_again_if_its_upload_is_gone(
    page: Page, installation: Installation, tmp_path: Path
) -> None:
    choose_file(page, file_of(tmp_path, CONTACTS))
    expect(page.locator(".people")).to_contain_text("Ada")
    installation.bench.uploads.remove_expired(
        installation.bench.context.now() + timedelta(days=2)
    )
    with page.expect_response("**/uploads?*"):
        page.reload()
    expect(page.locator(".people")).to_contain_text("Ada")


def test_signing_out_removes_the_kept_file(
    installation: Installation, tmp_path: Path
) -> None:
    with installation.newcomer("leaver@autolynx.example", "operator") as context:
        page = context.new_page()
        page.goto("/campaigns/new")
        choose_file(page, file_of(tmp_path, CONTACTS))
        expect(page.locator(".people")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile("/sign-in"))
        page.close()
        page = context.new_page()
        page.goto(installation.link_of("leaver@autolynx.example", "operator"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
        page.goto("/campaigns/new")
        expect(page.get_by_text("Drop a CSV file or a workbook here")).to_be_visible()


def test_a_refused_file_says_why_and_another_one_can_be_chosen(
    page: Page, tmp_path: Path
) -> None:
    choose_file(page, file_of(tmp_path, "%PDF-1.7\n", "people.pdf"))
    expect(page.locator(".panel .banner")).to_contain_text("PDF")
    choose_file(page, file_of(tmp_path, CONTACTS))
    expect(page.locator(".people")).to_contain_text("Ada")
    expect(page.locator(".panel .banner[data-kind=bad]")).to_have_count(0)


def test_variables_that_the_file_lacks_are_shown(
    page: Page, installation: Installation, tmp_path: Path
) -> None:
    config = {"firstMessage": "Hi {{name}} in {{city}}, about {{plan}}?"}
    installation.bench.assistants.create("Asks for a plan", config, by="cli:test")
    page.reload()
    choose_file(page, file_of(tmp_path, CONTACTS))
    page.get_by_label("Assistant", exact=True).select_option("Asks for a plan")
    expect(page.locator(".fit .banner")).to_contain_text("plan")
    expect(page.locator(".fit")).to_contain_text("Hi Ada in Oakland")


def test_axe_finds_nothing_while_a_file_is_shown(
    admin: BrowserContext, tmp_path: Path
) -> None:
    page, found = admin.new_page(), list[str]()
    for name, content, shown in (
        ("unknown.csv", UNKNOWN, ".mapping"),
        ("indian.csv", INDIAN + "Bo,12\n", ".rejects"),
    ):
        page.goto("/campaigns/new")
        choose_file(page, file_of(tmp_path, content, name))
        expect(page.locator(shown)).to_be_visible()
        found += faults_in_all_looks(page)
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"]
    page.close()
    assert found == []
