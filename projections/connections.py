"""What a process opens over one database: connection pools, the log, the feed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from application.app import AutoLynx
from projections.engine.change_feed import ReadModelFeed
from projections.engine.schema import open_read_pool
from storage.database import Pool, open_pool
from storage.log.recorder import EventStoreFactory


@dataclass(frozen=True)
class Pools:
    """Connection pools of one database: for the event log and vault, and for reads."""

    writing: Pool
    reading: Pool


@contextmanager
def open_pools(url: str, *, name: str, max_size: int = 16) -> Iterator[Pools]:
    """Open both pools; `name` is the application name that Postgres shows."""
    with (
        open_pool(url, name=name, max_size=max_size) as writing,
        open_read_pool(url, name=f"{name} reads", max_size=max_size) as reading,
    ):
        yield Pools(writing, reading)


@contextmanager
def open_feed(url: str) -> Iterator[ReadModelFeed]:
    """Run a feed of the read model's changes in a thread of its own."""
    feed = ReadModelFeed(url)
    feed.start()
    try:
        yield feed
    finally:
        feed.stop()


@contextmanager
def open_log(pool: Pool) -> Iterator[AutoLynx]:
    """Open the event log over a pool; it is closed before the pool."""
    app = AutoLynx(EventStoreFactory(pool))
    try:
        yield app
    finally:
        app.close()
