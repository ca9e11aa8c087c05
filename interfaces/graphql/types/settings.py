"""The installation's settings."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Self

import strawberry

from domain.settings import RulesMode, SettingsValues
from domain.values import Role
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import EVERYBODY, query
from interfaces.graphql.types.calling_rules import FrequencyCapType

strawberry.enum(RulesMode)


@strawberry.type
class Settings:
    """The installation's settings; amounts in US dollars, times in seconds."""

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
        description="URL to which alerts are posted as JSON, null if none. It contains"
        " a secret, so it is null for everybody but admins."
    )
    retention_days: int | None
    calling_rules: RulesMode = strawberry.field(
        description="OFF disables the rule book for all campaigns. Only admins may do"
        " this; the reason is recorded."
    )
    frequency_caps: list[FrequencyCapType] = strawberry.field(
        description="Limits on calls to one number, over all campaigns."
    )
    rules_waived_by: str | None = strawberry.field(
        description="Who switched the rules off, null while they are enforced."
    )
    rules_reason: str | None = strawberry.field(
        description="Why the rules are switched off."
    )

    @classmethod
    def of(cls, values: SettingsValues, role: Role = Role.ADMIN) -> Self:
        """Show the settings to a member with that role."""
        if role is not Role.ADMIN:
            values = replace(values, alert_webhook_url=None)
        caps = [FrequencyCapType.of(cap) for cap in values.frequency_caps]
        return cls(**values.by_name() | {"frequency_caps": caps})


SettingsResult = Annotated[Settings | UserError, strawberry.union("SettingsResult")]


@strawberry.type
class SettingsQueries:
    """Queries of the settings."""

    @query(EVERYBODY)
    async def settings(self, info: Info) -> Settings:
        """Return the present settings."""
        backend = info.context.backend
        values = await backend.run_reader(backend.services.settings.values)
        return Settings.of(values, info.context.viewer.role)
