"""What changed in the read model, told as soon as it did."""

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
    """Hears, over one connection, how far the read model is and what changed in it.

    Subscribers are told the position and the campaigns that changed, None for any. They
    are called from the feed's own thread and must not wait. What is lost on the way is
    made up for by reading the position on each new connection and every 5 s (`every`).
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
        """The log's position that the read model is known to include."""
        return self._position

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the feed and all waiting; it may be repeated."""
        self._listener.stop()
        with self._moved:
            self._stopped = True
            self._moved.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call back on every change, until the returned function is called."""
        token = object()
        with self._moved:
            self._callbacks[token] = callback

        def unsubscribe() -> None:
            with self._moved:
                self._callbacks.pop(token, None)

        return unsubscribe

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the read model includes a position; False after `timeout` s."""
        with self._moved:
            return (
                self._moved.wait_for(
                    lambda: self._stopped or self._position >= position, timeout
                )
                and self._position >= position
            )

    def _run(self) -> None:
        for heard in self._listener:
            if heard:
                self._tell(*_merged(heard))
            else:
                self._look()

    def _look(self) -> None:
        try:
            with within(5.0), connect(self._url, name="read model look") as conn:
                use_read_model(conn)
                position = position_of(conn)
        except (OperationalError, InterfaceError) as error:
            log.warning("the read model cannot be looked at", error=str(error))
            return
        if position > self._position:
            self._tell(position, None)

    def _tell(self, position: int, campaigns: Changed) -> None:
        with self._moved:
            self._position = max(self._position, position)
            self._moved.notify_all()
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            try:
                callback(position, campaigns)
            except Exception:
                log.exception("a subscriber to the read model failed")


def _merged(heard: Sequence[Notify]) -> tuple[int, Changed]:
    """Make one change of all that was heard at once."""
    told = [orjson.loads(notify.payload) for notify in heard]
    position = max(change["position"] for change in told)
    if any(change["campaigns"] == "*" for change in told):
        return position, None
    ids = {UUID(id_) for change in told for id_ in change["campaigns"]}
    return position, frozenset(ids)
