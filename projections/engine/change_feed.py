"""Notifies subscribers in this process of changes of the read model."""

from collections.abc import Callable, Sequence
from threading import Condition, Thread
from uuid import UUID

import orjson
import structlog
from psycopg import InterfaceError, Notify, OperationalError

from projections.engine.runner import CHANGED
from projections.engine.schema import use_read_model
from projections.tables.checkpoint import position_of
from storage.database import Listener, connect, within

type Changed = frozenset[UUID] | None
type Callback = Callable[[int, Changed], None]

log = structlog.get_logger(__name__)


class ReadModelFeed:
    """Receives the projector's notifications over one connection.

    Subscribers get the position and the ids of the changed campaigns, or None if any
    may have changed. They are called from the feed's own thread and must not block. To
    make up for lost notifications, the position is also read from the database on each
    new connection and every `every` seconds.
    """

    def __init__(self, url: str, *, every: float = 5.0) -> None:
        self._url = url
        self._listener = Listener(url, CHANGED, name="read model feed", every=every)
        self._thread = Thread(target=self._run, name="read model feed", daemon=True)
        self._callbacks: dict[object, Callback] = {}
        self._moved = Condition()
        self._position = 0
        self._stopped = False

    @property
    def position(self) -> int:
        """The position up to which the read model is known to include the log."""
        return self._position

    def start(self) -> None:
        """Start the feed's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the feed and all calls of `wait_for`; idempotent."""
        self._listener.stop()
        with self._moved:
            self._stopped = True
            self._moved.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback` on each change, until the returned function is called."""
        token = object()
        with self._moved:
            self._callbacks[token] = callback

        def unsubscribe() -> None:
            with self._moved:
                self._callbacks.pop(token, None)

        return unsubscribe

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the position is included; else False."""
        with self._moved:
            return (
                self._moved.wait_for(
                    lambda: self._stopped or self._position >= position, timeout
                )
                and self._position >= position
            )

    def _run(self) -> None:
        for notifications in self._listener:
            if notifications:
                self._notify(*_merged(notifications))
            else:
                self._read_position()

    def _read_position(self) -> None:
        try:
            with within(5.0), connect(self._url, name="read model position") as conn:
                use_read_model(conn)
                position = position_of(conn)
        except (OperationalError, InterfaceError) as error:
            log.warning("the position cannot be read", error=str(error))
            return
        if position > self._position:
            self._notify(position, None)

    def _notify(self, position: int, campaigns: Changed) -> None:
        with self._moved:
            self._position = max(self._position, position)
            self._moved.notify_all()
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            try:
                callback(position, campaigns)
            except Exception:
                log.exception("a subscriber to the read model failed")


def _merged(notifications: Sequence[Notify]) -> tuple[int, Changed]:
    """Merge notifications received together into one change."""
    changes = [orjson.loads(notification.payload) for notification in notifications]
    position = max(change["position"] for change in changes)
    if any(change["campaigns"] == "*" for change in changes):
        return position, None
    ids = {UUID(id_) for change in changes for id_ in change["campaigns"]}
    return position, frozenset(ids)
