"""Empties messages of calls in the vault once their retention time is over."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread

from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from application.errors import StoreUnavailable
from domain.settings import SettingsValues
from projections.calls.message_retention import MessageRetention
from projections.deliveries.queue import KEPT_DAYS

EVERY_SECONDS = 600.0
STOP_SECONDS = 10.0
AWAY = (StoreUnavailable, OperationalError, InterfaceError, PoolTimeout)

log = logging.getLogger(__name__)


class Retention:
    """Empties recording links, transcripts and messages `retention_days` after a call.

    It also empties messages that were matched with an erased person only afterwards,
    and removes deliveries of webhooks after KEPT_DAYS, or earlier if the retention time
    is shorter. `remove_deliveries` takes the days and returns how many it removed.
    """

    def __init__(
        self,
        messages: MessageRetention,
        settings: Callable[[], SettingsValues],
        now: Callable[[], datetime],
        remove_deliveries: Callable[[int], int],
    ) -> None:
        self._messages, self._settings, self._now = messages, settings, now
        self._remove_deliveries = remove_deliveries

    def run_once(self) -> int:
        """Empty the messages that are due; return how many."""
        emptied = self._messages.wipe_messages_of_erased()
        days = self._settings().retention_days
        if days is not None:
            before = self._now() - timedelta(days=days)
            emptied += self._messages.wipe_messages_before(before)
        while self._remove_deliveries(min(days or KEPT_DAYS, KEPT_DAYS)):
            pass
        if emptied:
            log.info("%s messages were emptied", emptied)
        return emptied


class RetentionWorker:
    """Runs `Retention` every EVERY_SECONDS in its own thread."""

    def __init__(self, retention: Retention) -> None:
        self._retention, self._stopped = retention, Event()
        self._thread = Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; wait at most STOP_SECONDS for it. Idempotent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._retention.run_once()
            except AWAY as error:
                log.warning("old messages cannot be emptied now: %s", error)
            except Exception:
                log.exception("emptying old messages failed")
            self._stopped.wait(EVERY_SECONDS)
