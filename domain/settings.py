"""The settings of the installation, which admins change."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self
from uuid import uuid5

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid
from domain.gate.rules import FrequencyCap
from domain.values import AMOUNT_RULE, NAMESPACE, is_amount
from domain.web_address import WEB_URL_RULE, is_web_url

SETTINGS_ID = uuid5(NAMESPACE, "settings")

LONGEST_RETENTION = 36_500
"""Days for which the provider's messages may be kept, if they are removed at all."""

LONGEST_REASON = 1_000
MOST_CAPS = 20
CAP_ATTEMPTS = range(1, 1_001)
CAP_HOURS = range(1, 8_761)
LONGEST_WINDOW = timedelta(hours=CAP_HOURS[-1])
"""Calls that were requested longer ago count for no frequency cap."""

CAPS_RULE = (
    f"must be at most {MOST_CAPS} caps of 1 to {CAP_ATTEMPTS[-1]:,} attempts"
    f" in 1 to {CAP_HOURS[-1]:,} hours"
)

ENVIRONMENT = "environment"
"""Name of who waived the calling rules with the configuration."""


class RulesMode(StrEnum):
    """ENFORCED, or OFF: the rule book's hours are waived for all campaigns."""

    ENFORCED = "ENFORCED"
    OFF = "OFF"


FIRST_MODE = RulesMode.ENFORCED
FIRST_CAPS = (FrequencyCap(3, 24), FrequencyCap(7, 168))
"""The first values of an installation, unless its configuration has others.

They also complete settings that release 1 stored, which had neither.
"""

BOUNDS: dict[str, tuple[float, float]] = {
    "default_cap": (1, 10_000),
    "global_cap": (1, 10_000),
    "tick_seconds": (1, 3_600),
    "silence_timeout_seconds": (10, 86_400),
    "dials_per_second": (0.01, 1_000),
}
"""Lowest and highest value of each setting that is a number, both included."""


@dataclass(frozen=True, slots=True)
class SettingsValues:
    """All settings at one time.

    At the share `spend_alert_threshold` of a budget (above 0, at most 1) an alert is
    raised; budgets are in US dollars. `default_region` is an ISO 3166 country code.
    `frequency_caps` limit the calls to one number over all campaigns. `rules_waived_by`
    is the admin who switched the calling rules off, or ENVIRONMENT, and `rules_reason`
    why; both are None while they are enforced.
    """

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
    calling_rules: RulesMode = FIRST_MODE
    frequency_caps: tuple[FrequencyCap, ...] = FIRST_CAPS
    rules_waived_by: str | None = None
    rules_reason: str | None = None

    def by_name(self) -> dict[str, Any]:
        """Return the values by the names of the settings."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def with_rules(self, mode: RulesMode, *, reason: str | None, by: str) -> Self:
        """Enforce the calling rules, or switch them off. Raises Invalid.

        A member must give a reason for OFF; only the environment may switch the rules
        off without one.
        """
        if mode is RulesMode.ENFORCED:
            return replace(
                self, calling_rules=mode, rules_waived_by=None, rules_reason=None
            )
        reason = (reason or "").strip()
        fault = None
        if not reason and by != ENVIRONMENT:
            fault = "is required to switch the calling rules off"
        elif len(reason) > LONGEST_REASON:
            fault = f"must have at most {LONGEST_REASON:,} characters"
        if fault is not None:
            raise Invalid(f"calling_rules_reason {fault}.", calling_rules_reason=fault)
        return replace(
            self, calling_rules=mode, rules_waived_by=by, rules_reason=reason or None
        )

    def check(self) -> None:
        """Raise Invalid, which names each setting with a wrong value and its rule."""
        wrong = dict(self._outside_bounds()) | dict(self._against_rules())
        if wrong:
            faults = "; ".join(f"{name} {fault}" for name, fault in wrong.items())
            raise Invalid(f"{faults}.", **wrong)

    def _outside_bounds(self) -> list[tuple[str, str]]:
        return [
            (name, f"must be from {low:,} to {high:,}")
            for name, (low, high) in BOUNDS.items()
            if not low <= getattr(self, name) <= high
        ]

    def _against_rules(self) -> list[tuple[str, str]]:
        region, share = self.default_region, self.spend_alert_threshold
        rules = {
            "default_region": (
                len(region) == 2  # noqa: PLR2004 - ISO 3166 codes have two letters
                and region.isascii()
                and region.isalpha()
                and region.isupper(),
                "must be a country code of two capital letters, such as US",
            ),
            "daily_budget": (
                self.daily_budget is None or is_amount(self.daily_budget),
                f"{AMOUNT_RULE}, or null for no limit",
            ),
            "spend_alert_threshold": (
                is_amount(share) and share <= 1,
                "must be above 0 and at most 1, with at most 12 decimals",
            ),
            "alert_webhook_url": (
                self.alert_webhook_url is None or is_web_url(self.alert_webhook_url),
                f"{WEB_URL_RULE}, or be null for no webhook",
            ),
            "retention_days": (
                self.retention_days is None
                or 1 <= self.retention_days <= LONGEST_RETENTION,
                f"must be from 1 to {LONGEST_RETENTION:,}, or null for no limit",
            ),
            "frequency_caps": (
                _are_caps(self.frequency_caps),
                CAPS_RULE,
            ),
        }
        return [(name, rule) for name, (fits, rule) in rules.items() if not fits]


def _are_caps(caps: tuple[FrequencyCap, ...]) -> bool:
    return len(caps) <= MOST_CAPS and all(
        cap.attempts in CAP_ATTEMPTS and cap.hours in CAP_HOURS for cap in caps
    )


def values_in_force(
    stored: SettingsValues | None, first: SettingsValues
) -> SettingsValues:
    """Return the settings that apply: the stored ones, or else the first values.

    All processes decide with this function, whether they read the log or the read
    model. `stored` is None until an admin changes a setting; `first` are the values of
    the configuration of this process.
    """
    return first if stored is None else stored


class SettingsEvent(Aggregate.Event):
    """`actor` is the admin, or the part of the system, that caused the event."""

    actor: str


class Settings(Aggregate):
    """The settings of the installation: one stream, with the id `SETTINGS_ID`.

    `values` are the stored settings, None until an admin changes one.
    """

    TOPIC = "settings"

    class Created(SettingsEvent, Aggregate.Created):
        """The stream began, with an alert, an allowance or a change.

        `values` is None. Earlier releases stored the first values of the process that
        recorded the event; those values still apply as stored settings.
        """

        TOPIC = "settings.created"
        values: SettingsValues | None

    class Changed(SettingsEvent):
        """`changed` are the names of the changed settings, `values` all new values.

        `changed` is empty if an admin confirmed the first values.
        """

        TOPIC = "settings.changed"
        changed: tuple[str, ...]
        values: SettingsValues

    class RequestsAllowedAgain(SettingsEvent):
        """An admin ended the stop of all requests after a detected duplicate call.

        Readers compare its position with that of the latest detected duplicate.
        """

        TOPIC = "settings.requests_allowed_again"

    class DailySpendAlertRaised(SettingsEvent):
        """The spend of a UTC day reached the alert threshold, or the daily budget.

        `alert` says which of the two; `spend` and `budget` are US dollars.
        """

        TOPIC = "settings.daily_spend_alert_raised"
        day: date
        alert: str
        spend: Decimal
        budget: Decimal

    class UnknownReasonReported(SettingsEvent):
        """The provider named an ended reason for the first time that no rule covers.

        `reason` is the provider's term; calls that end with it are UNKNOWN.
        """

        TOPIC = "settings.unknown_reason_reported"
        reason: str

    @classmethod
    def create(cls, *, at: datetime, by: str) -> Self:
        """Begin the stream; no settings are stored, so the first values still apply."""
        return cls._create(
            cls.Created, id=SETTINGS_ID, timestamp=at, actor=by, values=None
        )

    @event(Created)
    def __init__(self, values: SettingsValues | None) -> None:
        self.values = values
        self.alerts: frozenset[tuple[date, str, Decimal]] = frozenset()
        self.unknown_reasons: frozenset[str] = frozenset()

    def change(
        self, *, values: SettingsValues, first: SettingsValues, at: datetime, by: str
    ) -> None:
        """Store all settings, unless they are stored already.

        `first` are the values that apply while none are stored. An admin who confirms
        them stores them, so that another configuration cannot replace them later.
        Raises Invalid as `SettingsValues.check` does.
        """
        values.check()
        before = values_in_force(self.values, first)
        changed = tuple(
            field.name
            for field in fields(values)
            if getattr(values, field.name) != getattr(before, field.name)
        )
        if changed or self.values is None:
            self._record(self.Changed, at, by, changed=changed, values=values)

    def allow_requests_again(self, *, at: datetime, by: str) -> None:
        """Allow requests to the provider again, after a detected duplicate call.

        Each call is recorded, because it applies to the duplicates known by then.
        """
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
        """Raise an alert at most once for each day, kind of alert and budget.

        `day` is a UTC day, `alert` the kind: "threshold" or "limit"; `spend` and
        `budget` are US dollars.
        """
        if (day, alert, budget) not in self.alerts:
            fields = {"day": day, "alert": alert, "spend": spend, "budget": budget}
            self._record(self.DailySpendAlertRaised, at, by, **fields)

    def report_unknown_reason(self, reason: str, *, at: datetime, by: str) -> None:
        """Raise an alert about an ended reason, at most once for each."""
        if reason not in self.unknown_reasons:
            self._record(self.UnknownReasonReported, at, by, reason=reason)

    def _record(
        self, fact: type[SettingsEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    @event(Changed)
    def _changed(self, values: SettingsValues) -> None:
        self.values = values

    @event(UnknownReasonReported)
    def _unknown_reason_reported(self, reason: str) -> None:
        self.unknown_reasons |= {reason}

    @event(RequestsAllowedAgain)
    def _requests_allowed_again(self) -> None:
        """Change nothing: only the event's position matters."""

    @event(DailySpendAlertRaised)
    def _daily_spend_alert_raised(self, day: date, alert: str, budget: Decimal) -> None:
        self.alerts |= {(day, alert, budget)}


def stored_values(settings: Settings | None) -> SettingsValues | None:
    """Return the settings that were stored, None without a stream or without any."""
    return settings.values if settings is not None else None
