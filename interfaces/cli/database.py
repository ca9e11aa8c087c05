"""The database of a command: the configured one, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager

from application.configuration import Configuration
from projections.start_up import prepare_tables
from storage.process.embedded_postgres import embedded_postgres


@contextmanager
def database(configuration: Configuration) -> Iterator[str]:
    """Yield the URL of a database with all its tables.

    An embedded database runs while this context or another process uses it.
    """
    with bare_database(configuration) as url:
        prepare_tables(url, name="cli")
        yield url


@contextmanager
def bare_database(configuration: Configuration) -> Iterator[str]:
    """Yield the URL of a database that may have no tables yet."""
    if configuration.database_url is not None:
        yield configuration.database_url
        return
    with embedded_postgres(configuration.data_dir) as url:
        yield url
