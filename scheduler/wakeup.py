"""Waiting of the scheduler's loop: for a time, a wake-up or its stop."""

from threading import Event
from time import monotonic


class WakeUp:
    """Waits for a time; a wake-up or a stop can end the wait early.

    All times are seconds of the monotonic clock. Tests replace the class by one that
    runs on a virtual clock.
    """

    def __init__(self) -> None:
        self._stopped, self._woken = Event(), Event()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def now(self) -> float:
        """Return the current time in seconds of the monotonic clock."""
        return monotonic()

    def stop(self) -> None:
        """End all current and later waits. Thread-safe and idempotent."""
        self._stopped.set()
        self._woken.set()

    def wake(self) -> None:
        """End the current call of `listen`, or the next one. Thread-safe."""
        self._woken.set()

    def rest(self, until: float) -> None:
        """Wait until that time; a stop ends the wait, a wake-up does not."""
        self._stopped.wait(max(until - self.now(), 0))

    def listen(self, until: float) -> None:
        """Wait for a wake-up or a stop, until that time at the latest."""
        self._woken.wait(max(until - self.now(), 0))
        self._woken.clear()
