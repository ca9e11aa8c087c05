"""Configuration of FastAPI's OpenTelemetry traces.

Nothing is exported unless OTEL_EXPORTER_OTLP_ENDPOINT, or its variant for traces or
metrics, is set. The SDK's own variables configure the rest.
"""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider
from starlette.types import ASGIApp, Receive, Scope, Send

NOT_TRACED = frozenset({"/healthz", "/readyz", "/metrics"})
HIDDEN_QUERY = "autolynx.query_string"


def telemetry(tracers: TracerProvider | None = None) -> TelemetryConfig:
    """Return FastAPI's telemetry settings; `tracers` replaces the configured one."""
    return {
        "auto_configure": True,
        "tracer_provider": tracers,
        "logs": False,  # They contain texts of errors, which may be personal data.
        "exclude": _is_not_traced,
    }


def _is_not_traced(scope: MutableMapping[str, Any]) -> bool:
    return scope["path"] in NOT_TRACED


def without_query(scope: Scope) -> Scope:
    """Hide the query string from traces: it contains file names and sign-in codes."""
    if scope["type"] not in {"http", "websocket"}:
        return scope
    return {**scope, "query_string": b"", HIDDEN_QUERY: scope.get("query_string", b"")}


class WithQuery:
    """Middleware that restores the query string hidden by `without_query`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Restore the query string and pass on the request."""
        if HIDDEN_QUERY in scope:
            scope["query_string"] = scope.pop(HIDDEN_QUERY)
        await self._app(scope, receive, send)
