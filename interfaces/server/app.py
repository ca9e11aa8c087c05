"""The FastAPI application and the middleware around it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from application.configuration import Configuration
from application.random_bytes import random_bytes
from interfaces.auth.headers import SecurityHeaders
from interfaces.auth.oidc import LOGIN_COOKIE, LOGIN_SECONDS, OidcSettings
from interfaces.auth.same_origin import SameOrigin
from interfaces.http.errors import TooLarge, add_refusals
from interfaces.http.request_ids import RequestIds
from interfaces.http.tracing import WithQuery, telemetry, without_query
from interfaces.monitoring.metrics import ApiMetrics, Measured
from interfaces.webhooks.vapi import Webhooks, WebhooksFirst

LARGEST_BODY = 1 << 20
"""Bytes. Uploads and webhooks have their own limits."""

type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Api(FastAPI):
    """FastAPI with our middleware; `Lifespan` sets `provider_webhooks` at start-up."""

    own_url: str
    metrics: ApiMetrics
    editors: frozenset[str]
    """Paths that serve a GraphQL editor, which needs a wider content policy."""
    provider_webhooks: Webhooks

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the routes in our middleware; the last one runs first."""
        limited = TooLarge(super().build_middleware_stack())
        inside = WebhooksFirst(limited, lambda: self.provider_webhooks)
        guarded = SameOrigin(inside, {origin_of(self.own_url)})
        secured = SecurityHeaders(
            guarded, secure=is_https(self.own_url), editors=self.editors
        )
        return WithQuery(RequestIds(Measured(secured, self.metrics), random_bytes.uuid))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request without its query string, so that it is not traced."""
        await super().__call__(without_query(scope), receive, send)


def build_app(
    configuration: Configuration,
    lifespan: Lifespan,
    metrics: ApiMetrics,
    tracers: TracerProvider | None,
) -> Api:
    """Build the application; `lifespan` opens the database and adds the routes."""
    app = Api(
        title="AutoLynx",
        lifespan=lifespan,
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
            https_only=is_https(configuration.own_url),
        )
    add_refusals(app)
    return app


def oidc_settings(configuration: Configuration) -> OidcSettings | None:
    """Return the settings for sign-in by OpenID Connect, None if not configured."""
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


def is_https(url: str) -> bool:
    """Return whether browsers reach this URL over https."""
    return urlsplit(url).scheme == "https"


def origin_of(url: str) -> str:
    """Return the origin (scheme, host and port) of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
