"""The API's entry point: `python -m interfaces.asgi`."""

import sys

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider

from application.configuration import Configuration
from application.errors import Failure
from application.gc_tuning import collect_in_background, enable_after_loading
from application.logs import configure_logs
from application.ports import Provider
from interfaces.monitoring.metrics import ApiMetrics
from interfaces.server.app import build_app
from interfaces.server.lifespan import ROLE, api_lifespan
from interfaces.server.uvicorn_server import Server, serving
from projections.engine.schema import create_read_model
from provider.vapi.client import VapiProvider
from provider.vapi.reading import read_message
from provider.vapi.settings import vapi_settings
from storage.database import connect
from storage.migrate import migrate

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
    """Serve until SIGTERM or SIGINT; return 2 if no database is configured."""
    configuration = Configuration()
    configure_logs(configuration.log_level, configuration.log_format)
    if configuration.database_url is None:
        print("AUTOLYNX_DATABASE_URL is not set.", file=sys.stderr)  # noqa: T201 - a person reads it
        return 2
    try:
        migrate(configuration.database_url)
    except Failure as failure:
        print(failure, file=sys.stderr)  # noqa: T201 - for the supervisor to read
        return 1
    with connect(configuration.database_url, name=ROLE) as connection:
        create_read_model(connection)
    server = Server(serving(configuration, create_app(configuration)))
    enable_after_loading()
    collect_in_background()
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
