"""What an admin sets for the whole installation."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import uuid5

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid
from domain.values import AMOUNTS, NAMESPACE, is_amount

SETTINGS_ID = uuid5(NAMESPACE, "settings")

LONGEST_RETENTION = 36_500
"""Days."""

BOUNDS: dict[str, tuple[float, float]] = {
    "default_cap": (1, 10_000),
    "global_cap": (1, 10_000),
    "tick_seconds": (1, 3_600),
    "silence_timeout_seconds": (10, 86_400),
    "dials_per_second": (0.01, 1_000),
}


@dataclass(frozen=True, slots=True)
class SettingsValues:
    """All settings at one moment; seconds, US dollars, shares from 0 to 1."""

    default_cap: int = 8
    global_cap: int = 10
    tick_seconds: int = 60
    silence_timeout_seconds: int = 600
    dials_per_second: float = 1.0
    refill_immediately: bool = True
    default_region: str = "US"
    daily_budget: Decimal | None = None
    spend_alert_threshold: Decimal = Decimal("0.8")
    alert_webhook_url: str | None = None
    retention_days: int | None = None

    def check(self) -> None:
        wrong = dict(self._out_of_bounds()) | dict(self._out_of_reason())
        if wrong:
            said = "; ".join(f"{name} {what}" for name, what in wrong.items())
            raise Invalid(f"{said}.", **wrong)

    def _out_of_bounds(self) -> list[tuple[str, str]]:
        return [
            (name, f"must be from {low:,} to {high:,}")
            for name, (low, high) in BOUNDS.items()
            if not low <= getattr(self, name) <= high
        ]

    def _out_of_reason(self) -> list[tuple[str, str]]:
        region, share = self.default_region, self.spend_alert_threshold
        rules = {
            "default_region": (
                len(region) == 2  # noqa: PLR2004 - ISO 3166 codes have two letters
                and region.isascii()
                and region.isalpha()
                and region.isupper(),
                "must be a country's two capital letters, such as US",
            ),
            "daily_budget": (
                self.daily_budget is None or is_amount(self.daily_budget),
                f"{AMOUNTS}, or null for no limit",
            ),
            "spend_alert_threshold": (
                is_amount(share) and share <= 1,
                "must be above 0, at most 1, with 12 decimals at most",
            ),
            "alert_webhook_url": (
                self.alert_webhook_url is None
                or self.alert_webhook_url.startswith(("https://", "http://")),
                "must begin with https:// or http://, or be null for none",
            ),
            "retention_days": (
                self.retention_days is None
                or 1 <= self.retention_days <= LONGEST_RETENTION,
                f"must be from 1 to {LONGEST_RETENTION:,}, or null for never",
            ),
        }
        return [(name, what) for name, (fits, what) in rules.items() if not fits]


class SettingsEvent(Aggregate.Event):
    actor: str


class Settings(Aggregate):
    TOPIC = "settings"

    class Created(SettingsEvent, Aggregate.Created):
        TOPIC = "settings.created"
        values: SettingsValues

    class Changed(SettingsEvent):
        TOPIC = "settings.changed"
        changed: tuple[str, ...]
        values: SettingsValues

    class RequestsAllowedAgain(SettingsEvent):
        TOPIC = "settings.requests_allowed_again"

    class DailySpendAlertRaised(SettingsEvent):
        TOPIC = "settings.daily_spend_alert_raised"
        day: date
        alert: str
        spend: Decimal
        budget: Decimal

    @classmethod
    def create(cls, *, values: SettingsValues, at: datetime, by: str) -> Self:
        values.check()
        return cls._create(
            cls.Created, id=SETTINGS_ID, timestamp=at, actor=by, values=values
        )

    @event(Created)
    def __init__(self, values: SettingsValues) -> None:
        self.values = values
        self.alerts: frozenset[tuple[date, str, Decimal]] = frozenset()

    def change(self, *, values: SettingsValues, at: datetime, by: str) -> None:
        values.check()
        changed = tuple(
            field.name
            for field in fields(values)
            if getattr(values, field.name) != getattr(self.values, field.name)
        )
        if changed:
            self._record(self.Changed, at, by, changed=changed, values=values)

    def allow_requests_again(self, *, at: datetime, by: str) -> None:
        self._record(self.RequestsAllowedAgain, at, by)

    def raise_daily_spend_alert(
        self,
        *,
        day: date,
        alert: str,
        spend: Decimal,
        budget: Decimal,
        at: datetime,
        by: str,
    ) -> None:
        """Once a day for the threshold and the limit of each budget."""
        if (day, alert, budget) not in self.alerts:
            told = {"day": day, "alert": alert, "spend": spend, "budget": budget}
            self._record(self.DailySpendAlertRaised, at, by, **told)

    def _record(
        self, fact: type[SettingsEvent], at: datetime, by: str, **told: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **told)

    @event(Changed)
    def _changed(self, values: SettingsValues) -> None:
        self.values = values

    @event(RequestsAllowedAgain)
    def _requests_allowed_again(self) -> None:
        """Readers compare its position with the latest duplicate's."""

    @event(DailySpendAlertRaised)
    def _daily_spend_alert_raised(self, day: date, alert: str, budget: Decimal) -> None:
        self.alerts |= {(day, alert, budget)}
