"""What OpenTelemetry is told of requests, by FastAPI, and what it is not told.

Nobody is told anything unless OTEL_EXPORTER_OTLP_ENDPOINT, or the one for traces or
metrics, says whom; the SDK's own variables say the rest.
"""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider
from starlette.types import ASGIApp, Receive, Scope, Send

NOT_TOLD = frozenset({"/healthz", "/readyz", "/metrics"})
KEPT = "autolynx.query_string"


def telemetry(tracers: TracerProvider | None = None) -> TelemetryConfig:
    """Say what FastAPI tells; `tracers` stand in for the process's own."""
    return {
        "auto_configure": True,
        "tracer_provider": tracers,
        "logs": False,  # They hold the texts of errors, whatever these hold.
        "exclude": _is_not_told,
    }


def _is_not_told(scope: MutableMapping[str, Any]) -> bool:
    return scope["path"] in NOT_TOLD


def without_query(scope: Scope) -> Scope:
    """Keep the query from traces: it holds names of files, and codes of sign-ins."""
    if scope["type"] not in {"http", "websocket"}:
        return scope
    return {**scope, "query_string": b"", KEPT: scope.get("query_string", b"")}


class WithQuery:
    """Gives the query back to all that is inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if KEPT in scope:
            scope["query_string"] = scope.pop(KEPT)
        await self._app(scope, receive, send)
