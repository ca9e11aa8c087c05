"""A scheduler's alerts do not store the first values of its configuration."""

from decimal import Decimal

from application.settings import SettingsService
from domain.settings import SettingsValues
from projections.alerts import AlertKind
from scheduler.alerts.alerts import Alerts
from storage.process.alert_outbox import AlertOutbox
from tests.scheduler.alerts.test_alerts import Receiver, look, raised, spend
from tests.wiring import UNRESTRICTED, Services


def test_a_spend_alert_changes_no_settings_of_other_processes(
    services: Services,
) -> None:
    first = SettingsValues(daily_budget=Decimal("1.00"))
    scheduler = Alerts(
        reading=services.reading,
        outbox=AlertOutbox(services.writing),
        campaigns=services.campaigns,
        settings=SettingsService(
            app=services.app, context=services.context, first=first
        ),
        first=first,
        now=services.now,
        random=lambda: 0.0,
        post=Receiver(),
    )
    spend(services, services.campaign(5), "1.00")
    look(services, scheduler)
    assert raised(services) == [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]
    assert services.settings.values() == UNRESTRICTED
    assert services.snapshot().settings is None
