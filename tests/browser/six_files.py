"""Times six contact files from the drop to the created campaign, in a real browser.

`python -m tests.browser.six_files FOLDER` prints a table and stores a screenshot of
each file's report in the folder.
"""

import base64
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from playwright.sync_api import Page, expect

from projections.engine.schema import create_read_model
from storage.database import connect
from storage.migrate import migrate
from storage.process.embedded_postgres import embedded_postgres
from tests.browser.installation import running_desk

LISTS = Path(__file__).parents[1] / "data" / "lists"
FILES = (
    ("hdr_plain4.csv", "First Name, Last Name, Phone Number, Company"),
    ("xl_contacts.xlsx", "a workbook"),
    ("enc_cp1250.csv", "Windows-1250"),
    ("enc_utf16le_nobom.csv", "UTF-16 without a byte order mark"),
    ("hdr_two_phones.csv", "another phone column is chosen"),
    ("str_sf_footer.csv", "a report of Salesforce with its footer"),
)
CHOSEN = {"hdr_two_phones.csv": "Mobile"}
"""The column to which the user gives the role PHONE."""

DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name));
    const options = { dataTransfer: data, bubbles: true, cancelable: true };
    document.querySelector(".drop").dispatchEvent(new DragEvent("drop", options));
}"""


def create_from(page: Page, name: str, shots: Path) -> tuple[int, float]:
    """Drop a file and create a campaign; return the clicks and the seconds.

    Choosing an entry of a select counts as two clicks.
    """
    page.goto("/campaigns/new")
    expect(page.locator("#file")).to_be_visible()
    expect(page.get_by_label("Line", exact=True)).to_be_visible()
    content = base64.b64encode((LISTS / name).read_bytes()).decode()
    start, clicks = monotonic(), 0
    page.evaluate(DROP, [name, content])
    expect(page.locator(".tally[role=status]")).to_be_visible()
    page.screenshot(path=shots / f"{name}.png", full_page=True)
    if column := CHOSEN.get(name):
        with page.expect_response("**/uploads?*"):
            use = page.get_by_label(f"Use of the column {column}", exact=True)
            use.select_option("PHONE")
        clicks += 2
    for label in ("Assistant", "Line"):
        select = page.get_by_label(label, exact=True)
        if not select.input_value():
            select.select_option(index=1)
            clicks += 2
    page.get_by_role("button", name="Create without starting").click()
    clicks += 1
    page.wait_for_url("**/campaigns/*-*")
    return clicks, monotonic() - start


def main(shots: Path) -> None:
    """Print the table."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(embedded_postgres(folder / "postgres", {}))
        migrate(url)
        with connect(url, name="six files") as connection:
            create_read_model(connection)
        desk = opened.enter_context(running_desk(folder, url))
        page = opened.enter_context(desk.opened("operator")).new_page()
        for name, about in FILES:
            clicks, seconds = create_from(page, name, shots)
            row = f"| `{name}`: {about} | {clicks} | {seconds:.1f} |\n"
            sys.stdout.write(row)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
