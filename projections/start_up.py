"""Checks and prepares the database before a process starts to work."""

import sys

from application.configuration import Configuration
from application.errors import Failure
from projections.engine.schema import create_read_model
from storage.database import connect
from storage.migrate import migrate

FAILED, NOT_CONFIGURED = 1, 2


class CannotStart(Exception):
    """A process cannot start; the message says why. `exit_code` is the process's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def print(self) -> int:
        """Print the message for the supervisor; return the exit code."""
        print(self, file=sys.stderr)  # noqa: T201 - a person or the supervisor reads it
        return self.exit_code


def required_url(configuration: Configuration) -> str:
    """Return the URL of the configured database. Raises CannotStart without one."""
    if configuration.database_url is None:
        raise CannotStart("AUTOLYNX_DATABASE_URL is not set.", NOT_CONFIGURED)
    return configuration.database_url


def prepare_database(configuration: Configuration, *, name: str) -> str:
    """Create or upgrade all tables of the configured database; return its URL.

    `name` is the application name that Postgres shows. Raises CannotStart if no
    database is configured, or if it cannot be migrated.
    """
    url = required_url(configuration)
    try:
        prepare_tables(url, name=name)
    except Failure as failure:
        raise CannotStart(str(failure), FAILED) from failure
    return url


def prepare_tables(url: str, *, name: str) -> list[str]:
    """Create or upgrade all tables; return the names of the migrations applied.

    Raises Failure if the database cannot be migrated.
    """
    applied = migrate(url)
    with connect(url, name=name) as connection:
        create_read_model(connection)
    return applied
