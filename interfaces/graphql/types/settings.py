"""The installation's settings."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Annotated, Any, Self

import strawberry

from domain.settings import SettingsValues
from domain.values import Role
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, EVERYBODY, mutation, query


@strawberry.type
class Settings:
    default_cap: int
    global_cap: int
    tick_seconds: int
    silence_timeout_seconds: int
    dials_per_second: float
    refill_immediately: bool
    default_region: str
    daily_budget: Decimal | None
    spend_alert_threshold: Decimal
    alert_webhook_url: str | None = strawberry.field(
        description="Where alerts are posted as JSON; null for none, and for everybody"
        " but admins, because such an address holds a secret."
    )
    retention_days: int | None

    @classmethod
    def of(cls, values: SettingsValues, role: Role = Role.ADMIN) -> Self:
        """Show the settings to a member with that role."""
        if role is not Role.ADMIN:
            values = replace(values, alert_webhook_url=None)
        return cls(**asdict(values))


@strawberry.input(
    description="A field left out, or null, stays as it is; dailyBudget,"
    " alertWebhookUrl, retentionDays: null takes them away."
)
class SettingsInput:
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


SettingsResult = Annotated[Settings | UserError, strawberry.union("SettingsResult")]


@strawberry.type
class SettingsQueries:
    @query(EVERYBODY)
    async def settings(self, info: Info) -> Settings:
        backend = info.context.backend
        values = await backend.run_reader(backend.services.settings.values)
        return Settings.of(values, info.context.viewer.role)


@strawberry.type
class SettingsCommands:
    @mutation(ADMINS)
    async def update_settings(
        self,
        info: Info,
        input: SettingsInput,  # noqa: A002 - the contract's name
    ) -> SettingsResult:
        backend, by = info.context.backend, info.context.viewer.email
        values, _ = await backend.run_command(
            backend.services.settings.amend, _named(input), by=by
        )
        return Settings.of(values)

    @mutation(ADMINS, "After DUPLICATE_DETECTED, once a person has looked.")
    async def allow_requests_again(self, info: Info) -> SettingsResult:
        backend, by = info.context.backend, info.context.viewer.email
        position = await backend.run_command(
            backend.services.settings.allow_requests_again, by=by
        )
        await backend.is_visible(position)
        return Settings.of(await backend.run_reader(backend.services.settings.values))


def _named(asked: SettingsInput) -> dict[str, Any]:
    """Of what may be taken away, null counts where it was named."""
    return {
        name: value.value if isinstance(value, strawberry.Some) else value
        for name, value in vars(asked).items()
        if value is not None
    }
