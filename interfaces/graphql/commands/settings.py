"""Mutations of the settings."""

from decimal import Decimal
from typing import Any

import strawberry

from domain.gate.rules import FrequencyCap
from domain.settings import RulesMode
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, mutation
from interfaces.graphql.types.settings import Settings, SettingsResult


@strawberry.input
class FrequencyCapInput:
    """Input form of `FrequencyCap`."""

    attempts: int
    hours: int


@strawberry.input(
    description="A field that is left out or null is not changed, except that null"
    " removes dailyBudget, alertWebhookUrl and retentionDays."
)
class SettingsInput:
    """Input of `updateSettings`; amounts in US dollars, times in seconds."""

    default_cap: int | None = None
    global_cap: int | None = None
    tick_seconds: int | None = None
    silence_timeout_seconds: int | None = None
    dials_per_second: float | None = None
    refill_immediately: bool | None = None
    default_region: str | None = None
    daily_budget: strawberry.Maybe[Decimal | None]
    spend_alert_threshold: Decimal | None = None
    alert_webhook_url: strawberry.Maybe[str | None]
    retention_days: strawberry.Maybe[int | None]
    calling_rules: RulesMode | None = None
    calling_rules_reason: str | None = strawberry.field(
        default=None,
        description="Reason for switching the rules off; required with OFF.",
    )
    frequency_caps: list[FrequencyCapInput] | None = None


@strawberry.type
class SettingsCommands:
    """Mutations of the installation's settings."""

    @mutation(ADMINS)
    async def update_settings(
        self,
        info: Info,
        input: SettingsInput,  # noqa: A002 - the contract's name
    ) -> SettingsResult:
        """Change the given settings; return all of them."""
        backend, by = info.context.backend, info.context.viewer.email
        values, _ = await backend.run_command(
            backend.services.settings.amend, _given(input), by=by
        )
        return Settings.of(values)

    @mutation(
        ADMINS,
        "Resumes dialling after DUPLICATE_DETECTED, once a person has checked.",
    )
    async def allow_requests_again(self, info: Info) -> SettingsResult:
        """End the stop of all dialling that followed a duplicate call."""
        backend, by = info.context.backend, info.context.viewer.email
        position = await backend.run_command(
            backend.services.settings.allow_requests_again, by=by
        )
        await backend.is_visible(position)
        return Settings.of(await backend.run_reader(backend.services.settings.values))


def _given(asked: SettingsInput) -> dict[str, Any]:
    """Return the given fields; a null counts only for those that can be removed."""
    given = {
        name: value.value if isinstance(value, strawberry.Some) else value
        for name, value in vars(asked).items()
        if value is not None
    }
    if asked.frequency_caps is not None:
        caps = (FrequencyCap(one.attempts, one.hours) for one in asked.frequency_caps)
        given["frequency_caps"] = tuple(caps)
    return given
