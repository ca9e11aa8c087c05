"""Measure how busy the page of a large campaign keeps the browser's main thread.

`python -m tests.browser.main_thread [CONTACTS] [LIVE]` runs everything beside the
provider simulator, opens the page of a campaign with that many contacts and live calls,
and prints the share of a minute in which the main thread used a processor.
"""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import CDPSession, expect

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from storage.process.embedded_postgres import embedded_postgres
from tests.browser.installation import LONG, running_desk

CONTACTS, LIVE = 100_000, 50
SECONDS = 60
SPEED = 4
"""Calls are so many times as short as real ones."""


def main() -> int:
    given = [int(text) for text in sys.argv[1:]]
    contacts, live = given or (CONTACTS, LIVE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # Postgres may run as another user than root.
        with (
            embedded_postgres(folder / "pg") as url,
            running_desk(folder, url, speed=SPEED, at_once=live) as installation,
            installation.opened("admin") as context,
        ):
            file = folder / "large.csv"
            rows = (
                f"Person {n},+1202{n // 10_000 + 200:03}{n % 10_000:04}"
                for n in range(contacts)
            )
            file.write_text("\n".join(["name,phone", *rows]))
            options = (
                "--csv",
                str(file),
                "--name",
                "Large",
                "--cap",
                str(live),
                "--start",
            )
            line = (
                "--assistant",
                DEFAULT_ASSISTANT_ID,
                "--phone-number",
                DEFAULT_PHONE_NUMBER_ID,
            )
            id_ = installation.run("campaigns", "create", *options, *line)
            page = context.new_page()
            page.goto(f"/campaigns/{id_}")
            slots = page.locator(".board .slot:not(.free):not([data-over])")
            expect(slots.nth(live * 4 // 5)).to_be_visible(timeout=LONG)
            session = context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = _busy(session)
            time.sleep(SECONDS)
            busy = (_busy(session) - before) / SECONDS
            sys.stdout.write(
                f"{contacts:,} contacts, {slots.count()} live: {busy:.1%} busy\n"
            )
    return 0


def _busy(session: CDPSession) -> float:
    """Return the seconds that tasks of the main thread used a processor."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


if __name__ == "__main__":
    sys.exit(main())
