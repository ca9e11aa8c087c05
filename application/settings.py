"""The installation's settings: first from the environment, then from its admins."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

from application.app import AutoLynx, decide
from application.event_context import SCHEDULER, EventContext
from domain.errors import Invalid
from domain.settings import SETTINGS_ID, Settings, SettingsValues
from domain.web_address import url_fault

ENVIRONMENT = "configuration"


class SettingsService:
    """`any_address` lets alerts be posted to link-local and metadata addresses too."""

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        first: SettingsValues,
        any_address: bool = False,
    ) -> None:
        self._app, self._context, self._first = app, context, first
        self._any_address = any_address

    def values(self) -> SettingsValues:
        """Return what holds now; until somebody changes it, the first values."""
        settings = self._app.find(Settings, SETTINGS_ID)
        return settings.values if settings else self._first

    def change(self, values: SettingsValues, *, by: str) -> int | None:
        return self.amend(asdict(values), by=by)[1]

    def amend(
        self, changed: Mapping[str, Any], *, by: str
    ) -> tuple[SettingsValues, int | None]:
        """Change the named ones; return all as they are now, and where that shows.

        Whoever changes others at the same moment is not overwritten.
        """

        def command() -> tuple[SettingsValues, int | None]:
            settings = self._settings()
            values = replace(settings.values, **changed)
            if values.alert_webhook_url != settings.values.alert_webhook_url:
                self._must_be_outside(values.alert_webhook_url)
            if values.default_region != settings.values.default_region:
                _must_be_known(values.default_region)
            settings.change(values=values, at=self._context.now(), by=by)
            return values, self._app.append(settings)

        return decide(command)

    def _must_be_outside(self, url: str | None) -> None:
        wrong = url_fault(url) if url and not self._any_address else None
        if wrong is not None:
            raise Invalid(f"alert_webhook_url {wrong}.", alert_webhook_url=wrong)

    def allow_requests_again(self, *, by: str) -> int | None:
        def command() -> int | None:
            settings = self._settings()
            settings.allow_requests_again(at=self._context.now(), by=by)
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
                at=self._context.now(),
                by=SCHEDULER,
            )
            return self._app.append(settings)

        return decide(command)

    def _settings(self) -> Settings:
        settings = self._app.find(Settings, SETTINGS_ID)
        return settings or Settings.create(
            values=self._first, at=self._context.now(), by=ENVIRONMENT
        )


def _must_be_known(region: str) -> None:
    """Let no upload be refused later for want of a region."""
    from application.contacts.phone_numbers import known_region  # noqa: PLC0415 - it loads all countries' plans, which few processes need

    if not known_region(region.upper()):
        said = "must be a country's two capital letters, such as US"
        raise Invalid(f"default_region {said}.", default_region=said)
