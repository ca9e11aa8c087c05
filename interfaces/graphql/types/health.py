"""Health of the system's components."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime
from typing import Self

import strawberry

from interfaces.graphql.context import Context, Info
from interfaces.graphql.health_check import Component, HealthReport, HealthStatus
from interfaces.graphql.permissions import EVERYBODY, query, subscription

strawberry.enum(HealthStatus)

CHECK_SECONDS = 1.0


@strawberry.type
class ComponentHealth:
    """Health of one component."""

    name: str
    status: HealthStatus
    detail: str | None

    @classmethod
    def of(cls, part: Component) -> Self:
        """Build it from one component of a report."""
        return cls(name=part.name, status=part.status, detail=part.detail)


@strawberry.type
class SystemHealth:
    """Health of the system and of each component."""

    status: HealthStatus
    components: list[ComponentHealth]
    projection_lag_seconds: float = strawberry.field(
        description="Age of the oldest event that the read model does not include yet."
    )
    last_tick_at: datetime | None = strawberry.field(
        description="The scheduler's latest heartbeat."
    )

    @classmethod
    def of(cls, report: HealthReport) -> Self:
        """Build it from a health report."""
        return cls(
            status=report.status,
            components=[ComponentHealth.of(part) for part in report.components],
            projection_lag_seconds=report.lag_seconds,
            last_tick_at=report.last_tick_at,
        )


@strawberry.type
class HealthQueries:
    """Queries of the system's health."""

    @query(EVERYBODY)
    async def health(self, info: Info) -> SystemHealth:
        """Return the present health; it is checked at most once a second."""
        return SystemHealth.of(await _report(info.context))


@strawberry.type
class HealthFeed:
    """The subscription to the system's health."""

    @subscription(EVERYBODY)
    async def health(self, info: Info) -> AsyncGenerator[SystemHealth, None]:
        """Yield the health at once and after each change."""
        sent: HealthReport | None = None
        async for report in _reports(info.context):
            if sent is None or _plain(report) != _plain(sent):
                sent = report
                yield SystemHealth.of(report)


async def _report(context: Context) -> HealthReport:
    return await context.backend.run_slow(context.backend.health_check.report)


async def _reports(context: Context) -> AsyncGenerator[HealthReport, None]:
    while True:
        yield await _report(context)
        await asyncio.sleep(CHECK_SECONDS)


def _plain(report: HealthReport) -> HealthReport:
    """Round the lag, so that small changes of it are not sent."""
    return replace(report, lag_seconds=round(report.lag_seconds))
