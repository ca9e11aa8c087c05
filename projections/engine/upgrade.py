"""Read tables that an older version made, brought to the form of this one."""

from collections.abc import Callable

import structlog

from projections.engine.rebuild import RebuildUnderWay, rebuild
from projections.engine.runner import NotPrepared
from projections.engine.schema import create_read_model, outdated
from storage.database import Conn

log = structlog.get_logger(__name__)


def rebuild_outdated(
    url: str, conn: Conn, go_on: Callable[[], None] = lambda: None
) -> None:
    """Make what is missing, and make anew from the log what has another form.

    People go on reading what is there meanwhile. `go_on` is called while it lasts, and
    ends it by raising. Nothing else may apply events in the meantime.

    Raises:
        NotPrepared: somebody else rebuilds or verifies; to be tried again.
        ProjectionStopped: at an event that cannot be applied.
        ChainDiffers: the log is not what the tables were made of.
    """
    create_read_model(conn)
    stale = outdated(conn)
    if not stale:
        return
    log.warning("read tables of another form are made anew", projections=stale)
    name = stale[0] if len(stale) == 1 else None
    try:
        rebuilt = rebuild(url, name=name, progress=lambda *_: go_on())
    except RebuildUnderWay as error:
        raise NotPrepared(str(error)) from error
    log.info("the read tables are made anew", events=rebuilt.events)
