"""How the parts of the system are."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime
from typing import Self

import strawberry

from interfaces.graphql.context import Context, Info
from interfaces.graphql.health_check import Component, HealthStatus, Vital
from interfaces.graphql.permissions import EVERYBODY, query, subscription

strawberry.enum(HealthStatus)

LOOKS_EVERY_SECONDS = 1.0


@strawberry.type
class ComponentHealth:
    name: str
    status: HealthStatus
    detail: str | None

    @classmethod
    def of(cls, part: Component) -> Self:
        return cls(name=part.name, status=part.status, detail=part.detail)


@strawberry.type
class SystemHealth:
    status: HealthStatus
    components: list[ComponentHealth]
    projection_lag_seconds: float = strawberry.field(
        description="Age of the oldest event that the read model does not show yet."
    )
    last_tick_at: datetime | None = strawberry.field(
        description="The scheduler's last sign of life."
    )

    @classmethod
    def of(cls, vital: Vital) -> Self:
        return cls(
            status=vital.status,
            components=[ComponentHealth.of(part) for part in vital.components],
            projection_lag_seconds=vital.lag_seconds,
            last_tick_at=vital.last_tick_at,
        )


@strawberry.type
class HealthQueries:
    @query(EVERYBODY)
    async def health(self, info: Info) -> SystemHealth:
        return SystemHealth.of(await _look(info.context))


@strawberry.type
class HealthFeed:
    @subscription(EVERYBODY)
    async def health(self, info: Info) -> AsyncGenerator[SystemHealth, None]:
        sent: Vital | None = None
        async for vital in _looks(info.context):
            if sent is None or _plain(vital) != _plain(sent):
                sent = vital
                yield SystemHealth.of(vital)


async def _look(context: Context) -> Vital:
    return await context.backend.run_slow(context.backend.vitals.look)


async def _looks(context: Context) -> AsyncGenerator[Vital, None]:
    while True:
        yield await _look(context)
        await asyncio.sleep(LOOKS_EVERY_SECONDS)


def _plain(vital: Vital) -> Vital:
    """A lag that is a little another one is no change."""
    return replace(vital, lag_seconds=round(vital.lag_seconds))
