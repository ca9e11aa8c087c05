"""What the leader waits on: a time, somebody's wake-up, the end of its work."""

from threading import Event
from time import monotonic


class Alarm:
    """Times are of the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._stopped, self._woken = Event(), Event()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def now(self) -> float:
        return monotonic()

    def stop(self) -> None:
        """End all waiting, for ever; any thread may, repeatedly."""
        self._stopped.set()
        self._woken.set()

    def wake(self) -> None:
        """End the listening under way, or else the next one; any thread may."""
        self._woken.set()

    def rest(self, until: float) -> None:
        """Wait for a time; only the end comes before."""
        self._stopped.wait(max(until - self.now(), 0))

    def listen(self, until: float) -> None:
        """Wait for a wake-up, until that time at most."""
        self._woken.wait(max(until - self.now(), 0))
        self._woken.clear()
