"""Rebuilds read tables of another version before the projector starts."""

from collections.abc import Callable

import structlog

from projections.engine.rebuild import RebuildUnderWay, rebuild
from projections.engine.runner import NotPrepared
from projections.engine.schema import create_read_model, outdated
from projections.engine.worker_pool import WorkerLost
from storage.database import Conn

log = structlog.get_logger(__name__)


def rebuild_outdated(
    url: str,
    conn: Conn,
    go_on: Callable[[], None] = lambda: None,
    *,
    workers: int | None = None,
) -> None:
    """Create missing read tables, and rebuild those of another schema version.

    The old tables can be read meanwhile, but no other process may apply events. `go_on`
    is called repeatedly; an error that it raises ends the rebuild. `workers` is as in
    `rebuild`.

    Raises:
        NotPrepared: another rebuild or a verification is running, or a worker process
            was killed; try again.
        ProjectionStopped: an event cannot be applied.
        ChainDiffers: the log differs from the one the tables were computed from.
    """
    create_read_model(conn)
    stale = outdated(conn)
    if not stale:
        return
    log.warning("rebuilding the read tables of another version", projections=stale)
    name = stale[0] if len(stale) == 1 else None
    try:
        rebuilt = rebuild(url, name=name, workers=workers, progress=lambda *_: go_on())
    except (RebuildUnderWay, WorkerLost) as error:
        raise NotPrepared(str(error)) from error
    log.info("the read tables are rebuilt", events=rebuilt.events)
