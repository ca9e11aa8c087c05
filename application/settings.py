"""The installation's settings: first from the environment, then from its admins."""

from datetime import date
from decimal import Decimal

from application.app import AutoLynx, decide
from application.calls import SCHEDULER
from application.recording import Means
from domain.settings import SETTINGS_ID, Settings, SettingsValues

ENVIRONMENT = "configuration"


class SettingsService:
    def __init__(self, *, app: AutoLynx, means: Means, first: SettingsValues) -> None:
        self._app, self._means, self._first = app, means, first

    def values(self) -> SettingsValues:
        """Return what holds now; until somebody changes it, the first values."""
        settings = self._app.find(Settings, SETTINGS_ID)
        return settings.values if settings else self._first

    def change(self, values: SettingsValues, *, by: str) -> int | None:
        def command() -> int | None:
            settings = self._settings()
            settings.change(values=values, at=self._means.now(), by=by)
            return self._app.append(settings)

        return decide(command)

    def allow_requests_again(self, *, by: str) -> int | None:
        def command() -> int | None:
            settings = self._settings()
            settings.allow_requests_again(at=self._means.now(), by=by)
            return self._app.append(settings)

        return decide(command)

    def raise_daily_spend_alert(
        self, *, day: date, alert: str, spend: Decimal, budget: Decimal
    ) -> int | None:
        def command() -> int | None:
            settings = self._settings()
            settings.raise_daily_spend_alert(
                day=day,
                alert=alert,
                spend=spend,
                budget=budget,
                at=self._means.now(),
                by=SCHEDULER,
            )
            return self._app.append(settings)

        return decide(command)

    def _settings(self) -> Settings:
        settings = self._app.find(Settings, SETTINGS_ID)
        return settings or Settings.create(
            values=self._first, at=self._means.now(), by=ENVIRONMENT
        )
