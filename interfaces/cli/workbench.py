"""The services that commands of the command line use; no API is needed."""

import getpass
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Concatenate

from application.configuration import Configuration
from domain.errors import Refused
from interfaces.cli.database import database
from projections.composition import (
    Components,
    configured_fields,
)
from projections.connections import (
    open_log,
    open_pools,
)
from projections.engine.runner import catch_up
from projections.engine.schema import outdated_message
from projections.tables.checkpoint import position_of
from provider.vapi.client import VapiProvider
from provider.vapi.messages.reading import read_message
from provider.vapi.settings import vapi_settings
from storage.database import Conn, Pool, connect

CATCH_UP_SECONDS = 60.0

POOL_LOG = "psycopg.pool"
NO_OUTPUT = logging.NullHandler()


def utc_now() -> datetime:
    """Return this machine's time in UTC."""
    return datetime.now(UTC)


def actor() -> str:
    """Return the user of this terminal, as events name their author."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"cli:{os.geteuid()}"


class OwnReadModel:
    """Updates the read model itself, whether or not a projector runs."""

    def __init__(self, url: str, read_pool: Pool) -> None:
        self._url, self._read_pool = url, read_pool

    def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ARG002 - it does the work that others would wait for
        """Update the read model; return whether it includes `position`."""
        if self._position() < position:
            with connect(self._url, name="cli projector") as connection:
                catch_up(connection)
        return self._position() >= position

    def _position(self) -> int:
        with self._read_pool.connection() as connection:
            return position_of(connection)


@dataclass(frozen=True, kw_only=True)
class Workbench(Components):
    """The components, with queries that see everything stored before them."""

    configuration: Configuration

    def read[**P, R](
        self,
        query: Callable[Concatenate[Conn, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Query the read model after it has been updated to the end of the log."""
        self.wait_for_read_model(CATCH_UP_SECONDS)
        with self.reading.connection() as connection:
            return query(connection, *args, **kwargs)


@contextmanager
def workbench(configuration: Configuration) -> Iterator[Workbench]:
    """Open the configured or embedded database and build the services over it.

    Raises:
        Refused: if the read tables have to be rebuilt first.
    """
    # A command prints the error itself. Without any handler, Python would also print
    # the pool's warnings about the connections that it closes.
    logging.getLogger(POOL_LOG).addHandler(NO_OUTPUT)
    with ExitStack() as stack:
        url = stack.enter_context(database(configuration))
        _refuse_outdated(url)
        pools = stack.enter_context(open_pools(url, name="cli"))
        yield Workbench(
            configuration=configuration,
            pools=pools,
            app=stack.enter_context(open_log(pools.writing)),
            read_model=OwnReadModel(url, pools.reading),
            provider=VapiProvider(vapi_settings(configuration)),
            read_message=read_message,
            now=utc_now,
            **configured_fields(configuration),
        )


def _refuse_outdated(url: str) -> None:
    with connect(url, name="cli") as connection:
        reason = outdated_message(connection)
    if reason is not None:
        raise Refused(f"Found {reason}.")
