"""Reads and changes the settings; the environment sets their first values.

Only a change by an admin stores values. Alerts and allowances, which are events of the
same stream, leave the first values of each process in force.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from application.app import AutoLynx, decide
from application.event_context import SCHEDULER, EventContext
from domain.errors import Invalid
from domain.settings import (
    SETTINGS_ID,
    Settings,
    SettingsValues,
    stored_values,
    values_in_force,
)
from domain.web_address import url_fault

RULES = ("calling_rules", "calling_rules_reason")
"""Names under which `amend` gets the mode of the calling rules and its reason."""


class SettingsService:
    """Commands on the settings; each returns the position to read, or None.

    `first` are the values until an admin changes them. `any_address` allows alerts to
    link-local and metadata addresses too.
    """

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
        """Return the settings that apply according to the log."""
        return values_in_force(self.stored(), self._first)

    def stored(self) -> SettingsValues | None:
        """Return the stored settings, None while the first values apply."""
        return stored_values(self._app.find(Settings, SETTINGS_ID))

    def change(self, values: SettingsValues, *, by: str) -> int | None:
        """Replace all settings. Raises Invalid as `amend` does."""
        return self._decide(lambda settings: self._store(settings, values, by), by)[1]

    def amend(
        self, changed: Mapping[str, Any], *, by: str
    ) -> tuple[SettingsValues, int | None]:
        """Change the settings in `changed`, a mapping from names to new values.

        With `calling_rules` it may also have `calling_rules_reason`, which is required
        to switch the rules off.

        Returns all settings after the change, and the position. A change of other
        settings at the same time is kept. Nothing is stored if `changed` names no
        setting. Raises Invalid for values out of bounds, an unknown region, and a
        webhook URL at an internal address.
        """
        others = {name: changed[name] for name in changed if name not in RULES}
        mode, reason = (changed.get(name) for name in RULES)
        if not others and mode is None:
            return self.values(), None

        def act(settings: Settings) -> SettingsValues:
            values = replace(self._in_force(settings), **others)
            if mode is not None:
                values = values.with_rules(mode, reason=reason, by=by)
            self._store(settings, values, by)
            return values

        return self._decide(act, by)

    def _store(self, settings: Settings, new: SettingsValues, by: str) -> None:
        """Store the new values. Raises Invalid, also for a bad address or region."""
        before = self._in_force(settings)
        if new.alert_webhook_url != before.alert_webhook_url:
            self._check_url(new.alert_webhook_url)
        if new.default_region != before.default_region:
            _check_region(new.default_region)
        settings.change(values=new, first=self._first, at=self._context.now(), by=by)

    def _in_force(self, settings: Settings) -> SettingsValues:
        return values_in_force(settings.values, self._first)

    def _check_url(self, url: str | None) -> None:
        fault = url_fault(url) if url and not self._any_address else None
        if fault is not None:
            raise Invalid(f"alert_webhook_url {fault}.", alert_webhook_url=fault)

    def allow_requests_again(self, *, by: str) -> int | None:
        """Allow requests to the provider again, after a detected duplicate call."""
        return self._decide(
            lambda settings: settings.allow_requests_again(
                at=self._context.now(), by=by
            ),
            by,
        )[1]

    def raise_daily_spend_alert(
        self, *, day: date, alert: str, spend: Decimal, budget: Decimal
    ) -> int | None:
        """Raise an alert about the spend of a UTC day; see `domain.settings`."""
        return self._decide(
            lambda settings: settings.raise_daily_spend_alert(
                day=day,
                alert=alert,
                spend=spend,
                budget=budget,
                at=self._context.now(),
                by=SCHEDULER,
            ),
            SCHEDULER,
        )[1]

    def report_unknown_reason(self, reason: str) -> int | None:
        """Raise an alert about an ended reason that no rule covers."""
        return self._decide(
            lambda settings: settings.report_unknown_reason(
                reason, at=self._context.now(), by=SCHEDULER
            ),
            SCHEDULER,
        )[1]

    def _decide[R](self, act: Callable[[Settings], R], by: str) -> tuple[R, int | None]:
        """Run a command of `by` on the settings, whose stream begins if it has to."""

        def command() -> tuple[R, int | None]:
            settings = self._app.find(Settings, SETTINGS_ID)
            if settings is None:
                settings = Settings.create(at=self._context.now(), by=by)
            result = act(settings)
            return result, self._app.append(settings)

        return decide(command)


def _check_region(region: str) -> None:
    """Raise Invalid for an unknown region, with which each upload would be refused."""
    from application.contacts.phone_numbers import known_region  # noqa: PLC0415 - it loads the number plans of all countries, which few processes need

    if not known_region(region.upper()):
        rule = "must be the code of a country with telephone numbers, such as US"
        raise Invalid(f"default_region {rule}.", default_region=rule)
