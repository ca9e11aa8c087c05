"""The leader's loop: check the provider, hang up, fill slots; at ticks and wake-ups."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from domain.dial_view import Snapshot
from domain.settings import SettingsValues, values_in_force
from scheduler.dependencies import TERM_ENDING_ERRORS, SchedulerDependencies
from scheduler.fill import IDLE, FillTotals, PassResult, SlotFiller
from scheduler.hang_ups import HangUps
from scheduler.provider_check import ProviderCheck
from scheduler.wakeup import WakeUp
from storage.process.leadership import Term

WAKE_SECONDS = 1.0
"""Shortest time between two turns that are not ticks."""

JITTER = 0.1
"""Share by which a tick is early or late, so that installations do not synchronise."""

LATEST = 1 + JITTER

SILENT_TICKS = 2
"""A leader without a heartbeat for this many ticks is replaced."""

LONGEST_WAIT_SECONDS = 30.0
"""Longest time between two heartbeats, however long the tick is."""

log = logging.getLogger(__name__)


class Scheduler:
    """Leads one term after another; `stop` and `wake` may come from any thread."""

    filler_type = SlotFiller
    longest_wait = LONGEST_WAIT_SECONDS

    def __init__(
        self, deps: SchedulerDependencies, wake_up: WakeUp | None = None
    ) -> None:
        self._deps, self._wake_up = deps, wake_up or WakeUp()
        self.check = ProviderCheck(deps)
        self.filler = self.filler_type(deps, self.check, self._wake_up)
        self.hang_ups = HangUps(deps.dispatch)
        self._last, self._more_to_withhold = IDLE, False
        self._check_at = self._tick_at = self._ticked_at = float("-inf")

    def stop(self) -> None:
        """End `lead` soon. Thread-safe and idempotent."""
        self._wake_up.stop()

    def wake(self) -> None:
        """Start a turn soon because something changed. Thread-safe."""
        self._wake_up.wake()

    def lead(self, term: Term) -> None:
        """Work until stopped.

        Raises one of TERM_ENDING_ERRORS when the term is over or the database is
        unreachable. Any other error is logged, and the next turn comes at its time.
        """
        self.check.begin_term()
        self._last = IDLE
        self._check_at = self._tick_at = self._wake_up.now()
        while not self._wake_up.stopped:
            term.beat()
            seen = self._safely(self._snapshot)
            if seen is None:
                self._wake_up.rest(self._wake_up.now() + WAKE_SECONDS)
            else:
                first = self._deps.first_settings
                settings = values_in_force(seen.settings, first)
                term.set_silence_limit(SILENT_TICKS * settings.tick_seconds)
                began = self._wake_up.now()
                self.turn(term, seen, settings)
                self._deps.observe_turn(self._wake_up.now() - began)
                self._wait(settings)

    def run_once(self, now: datetime, totals: FillTotals | None = None) -> PassResult:
        """Run one pass; see SlotFiller.run_once."""
        return self.filler.run_once(now, totals)

    def turn(self, term: Term, seen: Snapshot, settings: SettingsValues) -> None:
        """Do what is due: check the provider, hang up, fill the free slots."""
        now, checked = self._wake_up.now(), False
        self._deps.pace.set_full(settings.dials_per_second)
        is_tick = now >= self._due_tick(settings)
        if is_tick:
            self.filler.begin_tick()
            self.hang_ups.repeat()
        new_lines = self.check.is_due_for_new_lines(seen)
        if is_tick or now >= self._check_at or new_lines:
            checked = self._safely(partial(self.check.run, settings)) is not None
            self._check_at = self._wake_up.now() + self.check.seconds_to_next()
        self._safely(partial(self._deps.watch_assistants, seen))
        suppressed = self._safely(self._deps.end_suppressed)
        grouped = self._safely(partial(self._deps.work_on_groups, seen))
        self._more_to_withhold = bool(suppressed or grouped)
        self.hang_ups.send(seen)
        self.check.back_off_refusing_lines(seen)
        if is_tick or self._last.more_soon or settings.refill_immediately:
            fill = partial(self.filler.fill, term, seen, checked=checked)
            self._last = self._safely(fill) or IDLE
        if is_tick:
            self._ticked_at = self._wake_up.now()
            self._tick_at = self._ticked_at + self._tick_seconds(settings)

    def _snapshot(self) -> Snapshot:
        return self._deps.read_snapshot(self._deps.context.now(), 1)

    def _safely[R](self, work: Callable[[], R]) -> R | None:
        """Run one step of a turn; log its error, so that the next turn still comes."""
        try:
            return work()
        except TERM_ENDING_ERRORS:
            raise
        except Exception:
            log.exception("a step of the scheduler failed")
            return None

    # --- Ticks and wake-ups ---------------------------------------------------------

    def _wait(self, settings: SettingsValues) -> None:
        """Wait for the next tick, check or due contact, or for a wake-up."""
        started, last = self._wake_up.now(), self._last
        tick_at = self._due_tick(settings)
        until = min(tick_at, self._check_at, started + self.longest_wait)
        if last.more_soon or self._more_to_withhold:
            until = min(until, started + WAKE_SECONDS)
        if settings.refill_immediately:
            until = min(until, self._due(last, started))
            self._wake_up.rest(min(started + WAKE_SECONDS, until))
            self._wake_up.listen(until)
        else:
            self._wake_up.rest(until)

    def _due(self, last: PassResult, started: float) -> float:
        """Return when the first deferred contact may be called again."""
        if last.next_due_at is None:
            return float("inf")
        ahead = (last.next_due_at - self._deps.context.now()).total_seconds()
        return started + max(ahead, WAKE_SECONDS)

    def _due_tick(self, settings: SettingsValues) -> float:
        """Return the next tick; a shorter `tickSeconds` takes effect at once."""
        return min(self._tick_at, self._ticked_at + settings.tick_seconds * LATEST)

    def _tick_seconds(self, settings: SettingsValues) -> float:
        return settings.tick_seconds * (1 + JITTER * (2 * self._deps.random() - 1))
