"""The API's composition root: `python -m interfaces.asgi`."""

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import partial
from types import FrameType
from urllib.parse import urlsplit
from uuid import uuid4

import uvicorn
from fastapi import APIRouter, FastAPI
from opentelemetry.trace import TracerProvider
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from application.app import AutoLynx
from application.assistants import AssistantService
from application.calls.call_service import CallService
from application.campaigns import CampaignService
from application.configuration import Configuration, FirstSettings
from application.contacts.imports import ImportService
from application.errors import Failure
from application.event_context import EventContext
from application.gc_tuning import (
    collect_in_background,
    enable_after_loading,
    freeze,
)
from application.logs import configure_logs
from application.members import MemberService
from application.ports import Provider, ProviderMessage
from application.settings import SettingsService
from domain.recording_url import RecordingUrls
from interfaces.auth.access_feed import AccessFeed
from interfaces.auth.first_admin import add_first_admin
from interfaces.auth.headers import SecurityHeaders
from interfaces.auth.oidc import (
    LOGIN_COOKIE,
    LOGIN_SECONDS,
    OidcSettings,
    oidc_routes,
)
from interfaces.auth.rest import MEMBERS, OPERATORS, email_with
from interfaces.auth.same_origin import SameOrigin
from interfaces.auth.sign_in import Door, sign_in_routes
from interfaces.auth.viewer import Authenticator
from interfaces.connections import TimedProtocol
from interfaces.dashboard.documents import read_documents, texts_by_id
from interfaces.dashboard.routes import dashboard_routes
from interfaces.dashboard.site import build_site
from interfaces.files.export import EXPORTS_AT_A_TIME, export_routes
from interfaces.files.imports import import_routes
from interfaces.files.recordings import recording_routes
from interfaces.files.sweeping import swept
from interfaces.files.uploads import upload_routes
from interfaces.graphql.backend import Backend
from interfaces.graphql.documents import Documents
from interfaces.graphql.health_check import Vitals
from interfaces.graphql.lines import Lines
from interfaces.graphql.provider_watch import ProviderWatch
from interfaces.graphql.push.broadcaster import Hub
from interfaces.graphql.router import graphql_routes
from interfaces.health import health_routes
from interfaces.http_errors import TooLarge, add_refusals
from interfaces.metrics import ApiMetrics, Measured, SystemCollector, metrics_routes
from interfaces.request_ids import RequestIds
from interfaces.tracing import WithQuery, telemetry, without_query
from interfaces.webhooks.authentication import authenticator
from interfaces.webhooks.inbox import open_inbox
from interfaces.webhooks.vapi import Webhooks, WebhooksFirst, read_body
from interfaces.websockets import PING_SECONDS, PONG_SECONDS, WebSocketProtocol
from projections import directory
from projections.engine.change_feed import ReadModelFeed
from projections.engine.schema import create_read_model, open_read_pool
from projections.lookups import Lookups
from provider.vapi.client import VapiProvider, vapi_settings
from provider.vapi.reading import read_message
from storage.access.api_tokens import TokenStore
from storage.access.sessions import Identities, Keys, SessionStore, SignInLinks
from storage.database import Pool, connect, open_pool
from storage.log.recorder import EventStoreFactory
from storage.migrate import migrate
from storage.process.database_clock import ClockWorker, DatabaseClock
from storage.process.decisions import Operations
from storage.vault.tables import Vault
from storage.vault.uploads import UploadStore

ROLE = "api"
LARGEST_BODY = 1 << 20
"""Bytes; uploads and webhooks have their own limits."""

LARGEST_FRAME = 1 << 20
"""Bytes of a WebSocket's message."""

SHUTDOWN_SECONDS = 3
RECHECK_SECONDS = 15.0
ADMINS_SECONDS = 2.0


@dataclass(frozen=True)
class Stores:
    """What is open while the API runs."""

    url: str
    writing: Pool
    reading: Pool
    exports: Pool
    feed: ReadModelFeed
    app: AutoLynx
    now: DatabaseClock

    @property
    def context(self) -> EventContext:
        return EventContext(
            now=self.now, new_id=uuid4, random_bytes=secrets.token_bytes
        )

    @property
    def vault(self) -> Vault:
        return Vault(self.writing)

    @property
    def lookups(self) -> Lookups:
        return Lookups(self.reading, self.vault)

    def admins(self) -> list[str]:
        """Name the admins, those of an instant ago included."""
        last = self.app.recorder.max_notification_id() or 0
        self.feed.wait_for(last, ADMINS_SECONDS)
        return self.lookups.admins()


@dataclass(frozen=True)
class Services:
    calls: CallService
    campaigns: CampaignService
    imports: ImportService
    assistants: AssistantService
    members: MemberService
    settings: SettingsService


class Api(FastAPI):
    own_url: str
    metrics: ApiMetrics
    editors: frozenset[str]
    provider_webhooks: Webhooks

    def build_middleware_stack(self) -> ASGIApp:
        limited = TooLarge(super().build_middleware_stack())
        inside = WebhooksFirst(limited, lambda: self.provider_webhooks)
        guarded = SameOrigin(inside, {_origin(self.own_url)})
        secured = SecurityHeaders(
            guarded, secure=_is_secure(self.own_url), editors=self.editors
        )
        return WithQuery(RequestIds(Measured(secured, self.metrics), uuid4))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(without_query(scope), receive, send)


@dataclass(frozen=True)
class Live:
    """What subscriptions receive, and how often their permission is checked."""

    hub: Hub
    access: AccessFeed
    recheck_seconds: float


def create_app(
    configuration: Configuration,
    *,
    provider: Provider | None = None,
    recheck_seconds: float = RECHECK_SECONDS,
    tracers: TracerProvider | None = None,
) -> FastAPI:
    """Make the API of a database whose tables are there; `provider` replaces Vapi.

    Nothing is opened before it starts. An open subscription looks every
    `recheck_seconds` whether its member still has access. `tracers` replaces what
    OTEL_... configures.
    """
    metrics = ApiMetrics()
    app = Api(
        title="AutoLynx",
        lifespan=_lifespan(
            configuration,
            provider or VapiProvider(vapi_settings(configuration)),
            recheck_seconds,
            metrics,
        ),
        max_body_size=LARGEST_BODY,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=telemetry(tracers),
    )
    app.own_url, app.metrics = configuration.own_url, metrics
    app.editors = frozenset({"/graphql"} if configuration.development else ())
    oidc = oidc_settings(configuration)
    if oidc is not None:
        app.add_middleware(
            SessionMiddleware,
            secret_key=oidc.cookie_key,
            session_cookie=LOGIN_COOKIE,
            max_age=LOGIN_SECONDS,
            path="/sign-in/oidc",
            https_only=_is_secure(configuration.own_url),
        )
    add_refusals(app)
    return app


def _lifespan(
    configuration: Configuration,
    provider: Provider,
    recheck_seconds: float,
    metrics: ApiMetrics,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert isinstance(app, Api)
        with ExitStack() as opened:
            stores = await asyncio.to_thread(_open, configuration, opened)
            live = _live(stores, recheck_seconds, opened)
            opened.callback(stores.feed.subscribe(live.hub.tell))
            metrics.subscriptions.set_function(lambda: live.hub.listeners)
            app.provider_webhooks = _webhooks(configuration, stores, metrics, opened)
            for routes in _routes(configuration, stores, provider, live, metrics):
                app.include_router(routes)
            async with swept(UploadStore(stores.writing), stores.now):
                yield
            await asyncio.to_thread(opened.close)

    return lifespan


def _live(stores: Stores, recheck_seconds: float, opened: ExitStack) -> Live:
    loop = asyncio.get_running_loop()
    access = AccessFeed(stores.url, loop)
    access.start()
    opened.callback(access.stop)
    return Live(Hub(loop), access, recheck_seconds)


def _open(configuration: Configuration, opened: ExitStack) -> Stores:
    url = configuration.database_url
    assert url is not None  # `main` has seen to that.
    return opened.enter_context(_stores(url))


@contextmanager
def _stores(url: str) -> Iterator[Stores]:
    with ExitStack() as opened:
        writing = opened.enter_context(open_pool(url, name=ROLE, max_size=16))
        reading = opened.enter_context(open_read_pool(url, name=ROLE, max_size=16))
        exports = opened.enter_context(
            open_read_pool(url, name=f"{ROLE} exports", max_size=EXPORTS_AT_A_TIME)
        )
        app = AutoLynx(EventStoreFactory(writing))
        opened.callback(app.close)
        feed = ReadModelFeed(url)
        feed.start()
        opened.callback(feed.stop)
        now = DatabaseClock()
        holder = f"{socket.gethostname()}:{os.getpid()}"
        opened.enter_context(ClockWorker(url, now, role=ROLE, holder=holder))
        yield Stores(url, writing, reading, exports, feed, app, now)


def _webhooks(
    configuration: Configuration, stores: Stores, metrics: ApiMetrics, opened: ExitStack
) -> Webhooks:
    calls = _calls(configuration, stores)
    read = partial(read_body, _message_reader(configuration))
    inbox = opened.enter_context(
        open_inbox(read, calls.record_message, calls.record_messages)
    )
    judge = authenticator(configuration, stores.now)
    return Webhooks(judge, inbox, count=metrics.webhook)


def _message_reader(configuration: Configuration) -> Callable[..., ProviderMessage]:
    return partial(read_message, recordings=RecordingUrls(configuration.vapi_base_url))


def _calls(configuration: Configuration, stores: Stores) -> CallService:
    return CallService(
        app=stores.app,
        context=stores.context,
        vault=stores.vault,
        contact_lookup=stores.lookups,
        call_lookup=stores.lookups,
        read_message=_message_reader(configuration),
    )


def _services(
    configuration: Configuration, stores: Stores, provider: Provider
) -> Services:
    app, vault, lookups = stores.app, stores.vault, stores.lookups
    context, calls = stores.context, _calls(configuration, stores)
    imports = ImportService(
        app=app,
        context=context,
        uploads=UploadStore(stores.writing),
        vault=vault,
        contact_lookup=lookups,
        read_model=stores.feed,
    )
    first = FirstSettings().values()
    return Services(
        calls=calls,
        campaigns=CampaignService(
            app=app, context=context, calls=calls, call_lookup=lookups
        ),
        imports=imports,
        assistants=AssistantService(
            app=app,
            context=context,
            provider=provider,
            use=lookups,
            read_model=stores.feed,
        ),
        members=MemberService(
            app=app, context=context, keys=Keys(stores.writing), admins=stores.admins
        ),
        settings=SettingsService(
            app=app,
            context=context,
            first=first,
            any_address=configuration.alert_any_address,
        ),
    )


def _routes(
    configuration: Configuration,
    stores: Stores,
    provider: Provider,
    live: Live,
    metrics: ApiMetrics,
) -> Iterator[APIRouter]:
    services = _services(configuration, stores, provider)
    _first_admin(configuration, stores, services)
    tokens = TokenStore(stores.writing)
    door = _door(configuration, stores, services)
    access = Authenticator(
        tokens=tokens,
        sessions=SessionStore(stores.writing),
        member=door.member,
        now=stores.now,
        cookie=door.cookie,
    )
    backend = _backend(
        configuration=configuration,
        stores=stores,
        services=services,
        lines=Lines(provider, stores.now),
        live=live,
        access=access,
    )
    # Looked through in this order: what comes most often stands first.
    operations = read_documents()
    documents = Documents(texts_by_id(operations))
    yield graphql_routes(backend, documents)
    yield sign_in_routes(door, SignInLinks(stores.writing))
    oidc = oidc_settings(configuration)
    if oidc is not None:
        yield oidc_routes(oidc, door, Identities(stores.writing))
    yield from _file_routes(stores, services, access, provider, backend.recordings)
    first = FirstSettings().values()
    yield metrics_routes(metrics, SystemCollector(stores.reading, stores.now, first))
    yield health_routes(pool=stores.reading, url=stores.url, now=stores.now)
    recordings = (_origin(configuration.vapi_base_url), "https:")
    site = build_site(operations, media_sources=recordings, oidc=oidc is not None)
    yield dashboard_routes(site)


def _file_routes(
    stores: Stores,
    services: Services,
    access: Authenticator,
    provider: Provider,
    recordings: RecordingUrls,
) -> Iterator[APIRouter]:
    uploads = UploadStore(stores.writing)
    yield upload_routes(
        store=uploads,
        authorize=email_with(access, OPERATORS),
        now=stores.now,
        new_id=uuid4,
        default_region=lambda: services.settings.values().default_region,
    )
    yield import_routes(
        vault=stores.vault,
        reading=stores.reading,
        uploads=uploads,
        authorize=email_with(access, OPERATORS),
        now=stores.now,
    )
    yield recording_routes(
        provider=provider,
        pool=stores.reading,
        authorize=email_with(access, MEMBERS),
    )
    yield export_routes(
        pool=stores.reading,
        exports=stores.exports,
        authorize=email_with(access, MEMBERS),
        recordings=recordings,
    )


def _vitals(configuration: Configuration, stores: Stores, lines: Lines) -> Vitals:
    return Vitals(
        pool=stores.reading,
        operations=Operations(stores.writing),
        provider=ProviderWatch(lines, stores.now),
        webhooks=authenticator(configuration, stores.now) is not None,
        own_url=configuration.own_url,
        url=stores.url,
        now=stores.now,
    )


def _backend(
    *,
    configuration: Configuration,
    stores: Stores,
    services: Services,
    lines: Lines,
    live: Live,
    access: Authenticator,
) -> Backend:
    return Backend(
        app=stores.app,
        imports=services.imports,
        campaigns=services.campaigns,
        assistants=services.assistants,
        members=services.members,
        settings=services.settings,
        uploads=UploadStore(stores.writing),
        vault=stores.vault,
        operations=Operations(stores.writing),
        lines=lines,
        read_pool=stores.reading,
        read_model=stores.feed,
        hub=live.hub,
        recheck_seconds=live.recheck_seconds,
        access=live.access,
        vitals=_vitals(configuration, stores, lines),
        development=configuration.development,
        recordings=RecordingUrls(configuration.vapi_base_url),
        viewer_of=access.viewer,
        now=stores.now,
    )


def _door(configuration: Configuration, stores: Stores, services: Services) -> Door:
    return Door(
        sessions=SessionStore(stores.writing),
        member=services.members.member,
        now=stores.now,
        random_bytes=secrets.token_bytes,
        secure=_is_secure(configuration.own_url),
    )


def oidc_settings(configuration: Configuration) -> OidcSettings | None:
    issuer, client_id = configuration.oidc_issuer, configuration.oidc_client_id
    secret = configuration.oidc_client_secret
    if not issuer or not client_id or secret is None:
        return None
    return OidcSettings(
        issuer,
        client_id,
        secret.get_secret_value(),
        own_url=configuration.own_url,
        trust_email=configuration.oidc_trust_email,
    )


def _is_secure(url: str) -> bool:
    return urlsplit(url).scheme == "https"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _first_admin(
    configuration: Configuration, stores: Stores, services: Services
) -> None:
    with stores.reading.connection() as connection:
        known = bool(directory.members(connection))
    email = configuration.admin_email
    add_first_admin(stores.app, services.members, email, known=known)


def main() -> int:
    """Serve until SIGTERM or SIGINT; 2 where the configuration lacks a database."""
    configuration = Configuration()
    configure_logs(configuration.log_level, configuration.log_format)
    if configuration.database_url is None:
        print("AUTOLYNX_DATABASE_URL is not set.", file=sys.stderr)  # noqa: T201 - a person reads it
        return 2
    try:
        migrate(configuration.database_url)
    except Failure as failure:
        print(failure, file=sys.stderr)  # noqa: T201 - whoever supervises reads it
        return 1
    with connect(configuration.database_url, name=ROLE) as connection:
        create_read_model(connection)
    server = Server(serving(configuration, create_app(configuration)))
    enable_after_loading()
    collect_in_background()
    server.run()
    return 0


class Server(uvicorn.Server):
    """Ends with 0 when asked to end, as the other roles do."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the library's signature
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        freeze()  # The GraphQL schema and the routes were built during start-up.


def serving(configuration: Configuration, app: FastAPI) -> uvicorn.Config:
    """Say how uvicorn serves it."""
    return uvicorn.Config(
        app,
        http=TimedProtocol,
        host=configuration.host,
        port=configuration.port,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws=WebSocketProtocol,
        ws_max_size=LARGEST_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        server_header=False,
        access_log=False,
        log_config=None,  # Its lines go the way of ours.
    )


if __name__ == "__main__":
    sys.exit(main())
