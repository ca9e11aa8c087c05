"""The database of a command: the configured one, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager

from application.configuration import Configuration
from projections.engine.schema import create_read_model
from storage.database import connect
from storage.migrate import migrate
from storage.process.embedded_postgres import embedded_postgres


@contextmanager
def database(configuration: Configuration) -> Iterator[str]:
    """Yield the URL of a database with all its tables.

    An embedded database runs while this context or another process uses it.
    """
    with bare_database(configuration) as url:
        prepare(url)
        yield url


@contextmanager
def bare_database(configuration: Configuration) -> Iterator[str]:
    """Yield the URL of a database that may have no tables yet."""
    if configuration.database_url is not None:
        yield configuration.database_url
        return
    with embedded_postgres(configuration.data_dir) as url:
        yield url


def prepare(url: str) -> list[str]:
    """Create or upgrade the tables; return the names of the migrations applied."""
    applied = migrate(url)
    with connect(url, name="prepare") as connection:
        create_read_model(connection)
    return applied
