"""Commands that run AutoLynx: all of it, or one role of it."""

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
from interfaces.cli.database import bare_database, database, prepare
from interfaces.cli.output import remark, say
from interfaces.cli.supervisor import (
    ALL,
    API,
    LOOK_SECONDS,
    PROJECTOR,
    SCHEDULER,
    Role,
    Supervisor,
    module_command,
    told_to_stop,
)
from projections.engine.schema import outdated_message
from storage.database import connect

PORT_SECONDS = 5.0
"""How long the API of a predecessor that was killed may still hold the port."""


class PortTaken(OSError):
    """Another program listens there."""


def add_to(app: typer.Typer) -> None:
    for command in (up, api, projector, scheduler, migrate):
        app.command()(command)
    passes_on: dict[str, Any] = {"ignore_unknown_options": True}
    app.command(
        add_help_option=False,
        context_settings={**passes_on, "allow_extra_args": True},
    )(simulator)


def up() -> None:
    """Run API, projector and scheduler until stopped (Ctrl-C).

    Against the configured database and provider; without AUTOLYNX_DATABASE_URL a
    Postgres of its own runs in AUTOLYNX_DATA_DIR. What dies is started again.
    """
    configuration = Configuration()
    if configuration.vapi_api_key is None:
        remark("AUTOLYNX_VAPI_API_KEY is not set: nothing will be dialled.")
    _run(ALL, configuration)


def api() -> None:
    """Run the API alone: GraphQL, uploads, export, webhooks. Any number may run."""
    _run([API], Configuration())


def projector() -> None:
    """Run a projector alone. One of all works, the others wait to take over."""
    _run([PROJECTOR], Configuration())


def scheduler() -> None:
    """Run a scheduler alone. One of all dials, the others wait to take over."""
    _run([SCHEDULER], Configuration())


def simulator(context: typer.Context) -> None:
    """Run the stand-in for the provider; it has its own --help."""
    command = module_command("provider.simulator", context.args)
    os.execv(command[0], command)  # noqa: S606 - our own module


def migrate() -> None:
    """Create or upgrade the tables.

    The other commands that need them do it as well.
    """
    with bare_database(Configuration()) as url:
        applied = prepare(url)
        with connect(url, name="migrate") as connection:
            stale = outdated_message(connection)
    say("\n".join(applied) or "The tables are up to date.")
    if stale:
        remark(f"Found {stale}.")


def _run(roles: Sequence[Role], configuration: Configuration) -> None:
    if API in roles:
        wait_for_port(configuration.host, configuration.port, PORT_SECONDS)
    with database(configuration) as url, told_to_stop() as told:
        environment = os.environ | {"AUTOLYNX_DATABASE_URL": url}
        supervisor = Supervisor(roles, environment, say=remark)
        with supervisor.running():
            listens = API not in roles
            while not told.wait(LOOK_SECONDS):
                supervisor.tend()
                if not listens and answers(configuration):
                    listens = True
                    say(f"AutoLynx listens on {configuration.own_url}")


def wait_for_port(host: str, port: int, seconds: float) -> None:
    """Return once the port is free.

    Raises PortTaken when it is not within so many seconds.
    """
    deadline = monotonic() + seconds
    while not is_free(host, port):
        if monotonic() > deadline:
            raise PortTaken(
                f"port {port} of {host} is in use: stop what listens there, or set"
                " AUTOLYNX_PORT to another one."
            )
        sleep(LOOK_SECONDS)


def is_free(host: str, port: int) -> bool:
    """Raises OSError for a host that is none of this machine's."""
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def free_port(host: str) -> int:
    with closing(socket.create_server((host, 0), family=_family(host))) as server:
        return int(server.getsockname()[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def answers(configuration: Configuration) -> bool:
    """Say whether the API serves; an address for all is reached at this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 - compared, not bound
        configuration.host, configuration.host
    )
    return is_well(f"http://{host}:{configuration.port}/healthz")


def is_well(url: str) -> bool:
    """Say whether a server answers there. It is asked often: so with little ado."""
    asked = urlsplit(url)
    with closing(HTTPConnection(asked.netloc, timeout=1)) as connection:
        try:
            connection.request("GET", asked.path)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
