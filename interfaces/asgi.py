"""The API's entry point: `python -m interfaces.asgi`."""

import sys

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider

from application.configuration import Configuration
from application.ports import Provider
from application.process.gc_tuning import collect_in_background, enable_after_loading
from application.process.logs import configure_logs
from interfaces.monitoring.metrics import ApiMetrics
from interfaces.server.app import build_app
from interfaces.server.lifespan import ROLE, api_lifespan
from interfaces.server.uvicorn_server import Server, serving
from projections.start_up import CannotStart, prepare_database
from provider.vapi.client import VapiProvider
from provider.vapi.messages.reading import read_message
from provider.vapi.settings import vapi_settings

RECHECK_SECONDS = 15.0


def create_app(
    configuration: Configuration,
    *,
    provider: Provider | None = None,
    recheck_seconds: float = RECHECK_SECONDS,
    tracers: TracerProvider | None = None,
) -> FastAPI:
    """Build the API over a database that has its tables; nothing is opened yet.

    Args:
        configuration: must name a database.
        provider: replaces Vapi.
        recheck_seconds: how often a subscription checks its member's access.
        tracers: replace those configured by the OTEL_... variables.
    """
    assert configuration.database_url is not None
    metrics = ApiMetrics()
    lifespan = api_lifespan(
        configuration,
        url=configuration.database_url,
        provider=provider or VapiProvider(vapi_settings(configuration)),
        read_message=read_message,
        recheck_seconds=recheck_seconds,
        metrics=metrics,
    )
    return build_app(configuration, lifespan, metrics, tracers)


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    0 after a signal; 1 if the database cannot be migrated; 2 without a database URL.
    """
    configuration = Configuration()
    configure_logs(configuration.log_level, configuration.log_format)
    try:
        prepare_database(configuration, name=ROLE)
    except CannotStart as refusal:
        return refusal.print()
    server = Server(serving(configuration, create_app(configuration)))
    enable_after_loading()
    collect_in_background()
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
