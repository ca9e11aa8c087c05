"""Admins add endpoints and see their deliveries; everybody sees alerts at the bell."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from playwright.sync_api import BrowserContext, expect

from tests.browser.installation import Installation
from tests.scheduler.deliveries.receiver import receiving
from tests.support import eventually

NEW_ALERTS = re.compile(r"^Alerts: \d+ new$")


def raise_daily_alert(installation: Installation) -> None:
    installation.bench.settings.raise_daily_spend_alert(
        day=datetime.now(UTC).date(),
        alert="threshold",
        spend=Decimal("8.25"),
        budget=Decimal(10),
    )


def test_an_alert_reaches_an_endpoint_added_in_the_dashboard_and_the_bell(
    installation: Installation, admin: BrowserContext
) -> None:
    with receiving() as received:
        page = admin.new_page()
        page.goto("/webhooks")
        page.get_by_role("button", name="Add an endpoint").click()
        add = page.get_by_role("button", name="Add", exact=True)
        page.get_by_label("URL").fill("ftp://crm.example.com")
        expect(add).to_be_disabled()
        page.get_by_label("URL").fill(received.url)
        page.get_by_label("spend.alert").check()
        add.click()
        dialog = page.get_by_role("dialog", name="Signing secret")
        received.secrets.append(dialog.locator(".secret code").inner_text())
        dialog.get_by_role("button", name="Close").click()
        panel = page.get_by_role("region", name=received.url)
        expect(panel).to_contain_text("Enabled · spend.alert · added")
        raise_daily_alert(installation)
        eventually(lambda: received.types == ["spend.alert"], within=30)
        panel.get_by_text("Deliveries", exact=True).click()
        expect(panel).to_contain_text("Delivered")
        panel.get_by_role("button", name="Send spend.alert again").click()
        eventually(lambda: len(received.ids) == 2, within=30)
        assert (len(set(received.ids)), received.faults) == (1, [])
        page.reload()
        page.get_by_role("button", name=NEW_ALERTS).click()
        alerts = page.get_by_role("dialog", name="Alerts")
        expect(alerts).to_contain_text("New: All campaigns together have spent 8.25")
        alerts.get_by_role("button", name="Close").click()
        expect(page.get_by_role("button", name="Alerts", exact=True)).to_be_visible()
        panel.get_by_role("button", name="Disable").click()
        expect(panel).to_contain_text("Disabled")
        panel.get_by_role("button", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(panel).to_have_count(0)
        page.close()
