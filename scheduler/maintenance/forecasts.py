"""Stores forecasts of running campaigns in regular intervals, and scores them."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from threading import Event, Thread
from time import thread_time
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from application.campaigns.forecasts import ForecastService
from application.errors import StoreUnavailable
from domain.forecast.log import Occasion
from projections.forecasts import campaign_forecasts
from projections.forecasts.reader import ForecastReader
from projections.forecasts.results import results_of
from storage.database import Conn

INTERVAL = timedelta(minutes=10)
"""Time between two stored forecasts of a campaign."""

EVERY_SECONDS = 15.0
STOP_SECONDS = 10.0
LARGEST_SHARE = 0.1
"""Largest share of one core that forecasts may use.

Twenty small campaigns that start together need about half a minute of computing, which
would slow the calls down: the scheduler's threads use one core.
"""

MOST_DUE = 10
"""Forecasts in one run, so that campaigns started meanwhile do not wait for all."""

MOST_SCORED = 20
"""Finished campaigns that are scored in one run; an upgrade may find many."""

AWAY = (StoreUnavailable, OperationalError, InterfaceError, PoolTimeout)

log = logging.getLogger(__name__)


class Forecasts:
    """Finds campaigns whose forecast is due, and finished ones without scores."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Conn]],
        reader: ForecastReader,
        service: ForecastService,
        now: Callable[[], datetime],
        wait_for: Callable[[int, float], bool],
    ) -> None:
        self._connect, self._reader, self._service = connect, reader, service
        self._now, self._wait_for = now, wait_for

    def run_once(
        self,
        *,
        stopped: Callable[[], bool] = lambda: False,
        rest: Callable[[float], object] = lambda _: None,
    ) -> int:
        """Store what is due; return the number of events.

        `rest` is called after each forecast with the seconds of computing that it took.
        Waits until the read model includes them, so that nothing is stored twice.
        """
        now, position, stored = self._now(), 0, 0
        with self._connect() as conn:
            due = campaign_forecasts.due(conn, now - INTERVAL, MOST_DUE)
            over = campaign_forecasts.unscored(conn, MOST_SCORED)
        for campaign_id, act in [
            *((id_, self._forecast) for id_ in due),
            *((id_, self._score) for id_ in over),
        ]:
            if stopped():
                break
            began = thread_time()
            found = self._stored(act, campaign_id)
            rest(thread_time() - began)
            if found is not None:
                position, stored = max(position, found), stored + 1
        if position:
            self._wait_for(position, STOP_SECONDS)
        return stored

    def _stored(self, act: Callable[[UUID], int | None], id_: UUID) -> int | None:
        try:
            return act(id_)
        except IntegrityError:
            log.info("the forecasts of campaign %s have changed meanwhile", id_)
        except AWAY:
            raise
        except Exception:
            log.exception("the forecast of campaign %s failed", id_)
        return None

    def _forecast(self, campaign_id: UUID) -> int | None:
        with self._connect() as conn:
            made = self._reader.of_campaign(conn, campaign_id, self._now())
            earlier = campaign_forecasts.forecasts_of(conn, campaign_id)
        if made is None:
            return None
        occasion = Occasion.RUNNING if earlier else Occasion.LAUNCH
        return self._service.record(campaign_id, occasion, made)

    def _score(self, campaign_id: UUID) -> int | None:
        with self._connect() as conn:
            scores, counts = results_of(conn, campaign_id)
        return self._service.score(campaign_id, scores, counts)


class ForecastWorker:
    """Runs `Forecasts` every EVERY_SECONDS in its own thread.

    It pauses after each forecast, so that it uses at most LARGEST_SHARE of one core.
    """

    def __init__(self, forecasts: Forecasts) -> None:
        self._forecasts, self._stopped = forecasts, Event()
        self._thread = Thread(target=self._run, name="forecasts", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; wait at most STOP_SECONDS for it. Idempotent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self._forecasts.run_once(stopped=self._stopped.is_set, rest=self._rest)
            except AWAY as error:
                log.warning("forecasts cannot be stored now: %s", error)
            except Exception:
                log.exception("storing forecasts failed")

    def _rest(self, computed: float) -> None:
        """Pause after so many seconds of computing; `stop` ends the pause."""
        self._stopped.wait(computed * (1 / LARGEST_SHARE - 1))
