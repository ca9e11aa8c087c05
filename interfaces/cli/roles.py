"""Commands that run AutoLynx: all roles, or one of them."""

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import typer

from application.configuration import Configuration
from interfaces.cli.database import bare_database, database
from interfaces.cli.output import print_line, print_note
from interfaces.cli.supervisor import (
    ALL,
    API,
    POLL_SECONDS,
    PROJECTOR,
    SCHEDULER,
    Role,
    Supervisor,
    module_command,
    stop_signals,
)
from projections.engine.schema import outdated_message
from projections.start_up import prepare_tables
from storage.database import connect

PORT_SECONDS = 5.0
"""How long the port of an API that was killed may still be in use."""


class PortTaken(OSError):
    """Another program listens on the port."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (up, api, projector, scheduler, migrate):
        app.command()(command)
    passes_on: dict[str, Any] = {"ignore_unknown_options": True}
    app.command(
        add_help_option=False,
        context_settings={**passes_on, "allow_extra_args": True},
    )(simulator)


def up() -> None:
    """Run API, projector and scheduler until stopped (Ctrl-C).

    They use the configured database and provider. Without AUTOLYNX_DATABASE_URL, an
    embedded Postgres runs in AUTOLYNX_DATA_DIR. A process that dies is restarted.
    """
    configuration = Configuration()
    if configuration.vapi_api_key is None:
        print_note("AUTOLYNX_VAPI_API_KEY is not set: nothing will be dialled.")
    _run(ALL, configuration)


def api() -> None:
    """Run only the API: GraphQL, uploads, exports, webhooks. Any number can run."""
    _run([API], Configuration())


def projector() -> None:
    """Run only a projector. One of them leads, the others stand by."""
    _run([PROJECTOR], Configuration())


def scheduler() -> None:
    """Run only a scheduler. One of them leads, the others stand by."""
    _run([SCHEDULER], Configuration())


def simulator(context: typer.Context) -> None:
    """Run the simulator of the provider; it has its own --help."""
    command = module_command("provider.simulator", context.args)
    os.execv(command[0], command)  # noqa: S606 - our own module


def migrate() -> None:
    """Create or upgrade the tables.

    Other commands do this as well when they need the tables.
    """
    with bare_database(Configuration()) as url:
        applied = prepare_tables(url, name="cli")
        with connect(url, name="migrate") as connection:
            stale = outdated_message(connection)
    print_line("\n".join(applied) or "The tables are up to date.")
    if stale:
        print_note(f"Found {stale}.")


def _run(roles: Sequence[Role], configuration: Configuration) -> None:
    if API in roles:
        wait_for_port(configuration.host, configuration.port, PORT_SECONDS)
    with database(configuration) as url, stop_signals() as stop:
        environment = os.environ | {"AUTOLYNX_DATABASE_URL": url}
        supervisor = Supervisor(roles, environment, log=print_note)
        with supervisor.running():
            is_ready = API not in roles
            while not stop.wait(POLL_SECONDS):
                supervisor.check()
                if not is_ready and answers(configuration):
                    is_ready = True
                    print_line(f"AutoLynx listens on {configuration.own_url}")


def wait_for_port(host: str, port: int, seconds: float) -> None:
    """Wait until the port is free. Raises PortTaken after `seconds`."""
    deadline = monotonic() + seconds
    while not is_free(host, port):
        if monotonic() > deadline:
            raise PortTaken(
                f"port {port} of {host} is in use: stop the program that uses it or set"
                " AUTOLYNX_PORT to another one."
            )
        sleep(POLL_SECONDS)


def is_free(host: str, port: int) -> bool:
    """Return whether the port is free. Raises OSError if the host is not local."""
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def free_port(host: str) -> int:
    """Return a port that no program listens on at present."""
    with closing(socket.create_server((host, 0), family=_family(host))) as server:
        return int(server.getsockname()[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def answers(configuration: Configuration) -> bool:
    """Return whether the API serves; a wildcard address is reached by loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 - compared, not bound
        configuration.host, configuration.host
    )
    return is_well(f"http://{host}:{configuration.port}/healthz")


def is_well(url: str) -> bool:
    """Return whether the server at a URL answers 200, with little overhead."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=1)) as connection:
        try:
            connection.request("GET", parts.path)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
