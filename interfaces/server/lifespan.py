"""Start-up and shutdown of the API: connections, subscriptions, webhooks, routes."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial

from fastapi import FastAPI

from application.configuration import Configuration
from application.ports import Provider, ProviderMessage
from interfaces.auth.access_feed import AccessFeed
from interfaces.auth.first_admin import add_first_admin
from interfaces.dashboard.routes import page_for_unknown_addresses
from interfaces.files.export import EXPORTS_AT_A_TIME
from interfaces.files.sweeping import remove_expired
from interfaces.graphql.push.broadcaster import Broadcaster
from interfaces.monitoring.metrics import ApiMetrics
from interfaces.server.app import Api, Lifespan
from interfaces.server.routes import Routes, Subscriptions
from interfaces.webhooks.authentication import authenticator
from interfaces.webhooks.inbox import open_inbox
from interfaces.webhooks.vapi import Webhooks, read_body
from projections.composition import (
    Components,
    configured_fields,
)
from projections.connections import (
    open_feed,
    open_log,
    open_pools,
)
from projections.engine.change_feed import ReadModelFeed
from projections.engine.schema import open_read_pool
from projections.registers import directory
from storage.database import Pool
from storage.process.database_clock import ClockWorker, DatabaseClock

ROLE = "api"
POOL_SIZE = 16

type ReadMessage = Callable[..., ProviderMessage]


def api_lifespan(
    configuration: Configuration,
    *,
    url: str,
    provider: Provider,
    read_message: ReadMessage,
    recheck_seconds: float,
    metrics: ApiMetrics,
) -> Lifespan:
    """Return FastAPI's lifespan: everything is opened at start-up, closed at shutdown.

    `recheck_seconds` is how often an open subscription checks its member's access.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert isinstance(app, Api)
        with ExitStack() as opened:
            feed = await asyncio.to_thread(opened.enter_context, open_feed(url))
            components = await asyncio.to_thread(
                opened.enter_context,
                _components(configuration, url, feed, provider, read_message),
            )
            exports = opened.enter_context(_export_pool(url))
            subscriptions = _subscriptions(url, feed, recheck_seconds, opened)
            metrics.subscriptions.set_function(
                lambda: subscriptions.broadcaster.subscriber_count
            )
            app.provider_webhooks = opened.enter_context(
                _webhooks(configuration, components, metrics)
            )
            await asyncio.to_thread(components.installation_key.prepare)
            _add_first_admin(configuration, components)
            shared = (url, exports, subscriptions, metrics)
            _include(app, Routes(configuration, components, *shared))
            async with (
                remove_expired(components.uploads, components.now),
                remove_expired(components.suppression_lists, components.now),
            ):
                yield
            await asyncio.to_thread(opened.close)

    return lifespan


def _include(app: Api, routes: Routes) -> None:
    for router in routes.all():
        app.include_router(router)
    app.router.default = page_for_unknown_addresses(routes.site, app.router.default)


def _export_pool(url: str) -> Pool:
    name = f"{ROLE} exports"
    return open_read_pool(url, name=name, max_size=EXPORTS_AT_A_TIME, check=True)


@contextmanager
def _components(
    configuration: Configuration,
    url: str,
    feed: ReadModelFeed,
    provider: Provider,
    read_message: ReadMessage,
) -> Iterator[Components]:
    now, holder = DatabaseClock(), f"{socket.gethostname()}:{os.getpid()}"
    with (
        open_pools(url, name=ROLE, max_size=POOL_SIZE) as pools,
        open_log(pools.writing) as app,
        ClockWorker(url, now, role=ROLE, holder=holder),
    ):
        yield Components(
            pools=pools,
            app=app,
            read_model=feed,
            provider=provider,
            read_message=read_message,
            now=now,
            **configured_fields(configuration),
        )


def _subscriptions(
    url: str, feed: ReadModelFeed, recheck_seconds: float, opened: ExitStack
) -> Subscriptions:
    loop = asyncio.get_running_loop()
    access = AccessFeed(url, loop)
    access.start()
    opened.callback(access.stop)
    broadcaster = Broadcaster(loop)
    opened.callback(feed.subscribe(broadcaster.publish))
    return Subscriptions(broadcaster, access, recheck_seconds)


@contextmanager
def _webhooks(
    configuration: Configuration, components: Components, metrics: ApiMetrics
) -> Iterator[Webhooks]:
    read, calls = partial(read_body, components.message_reader), components.calls
    authenticate = authenticator(configuration, components.now)
    with open_inbox(read, calls.record_message, calls.record_messages) as inbox:
        yield Webhooks(
            authenticate,
            inbox,
            count=metrics.webhook,
            tool_response=components.provider.tool_response,
        )


def _add_first_admin(configuration: Configuration, components: Components) -> None:
    with components.reading.connection() as connection:
        known = bool(directory.members(connection))
    email = configuration.admin_email
    add_first_admin(components.app, components.members, email, known=known)
