"""Delay of the provider's list, and how long a missing call may still appear in it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from domain.dial_view import OpenCall, Phase

LOOK_UPS = 3
"""Number of look-ups in which a call must be absent to count as not placed."""

QUARANTINE_FACTOR = 3
"""The quarantine in look-up intervals, or in largest observed delays."""


class ListDelay:
    """Observes after what time calls appear in the provider's list.

    Only the largest delay is stored, with `store_delay`. The rest is kept in memory: a
    new leader counts again from the start, which only makes it wait longer.
    """

    def __init__(
        self,
        interval: timedelta,
        largest: timedelta,
        store_delay: Callable[[timedelta], None],
    ) -> None:
        """`interval` is the time between two look-ups, `largest` the known delay."""
        self._interval, self._largest, self._store = interval, largest, store_delay
        self._absent: defaultdict[UUID, list[datetime]] = defaultdict(list)
        self._unlisted: dict[UUID, timedelta] = {}

    def quarantine(self) -> timedelta:
        """Return how long the provider may hide a call that it has."""
        largest = max([self._largest, *self._unlisted.values()])
        return QUARANTINE_FACTOR * max(self._interval, largest)

    def observe(self, call: OpenCall, *, is_listed: bool, now: datetime) -> None:
        """Measure for how long a call was not listed, or still is not.

        Measured from the request by our own clock if that time is known.
        """
        since = call.requested_at or call.placed_at
        if is_listed:
            delay = self._unlisted.pop(call.call_id, timedelta(0))
            look_ups = self._absent.pop(call.call_id, [])
            if look_ups and since:
                delay = min(now, look_ups[-1] + self._interval) - since
            if delay > self._largest:
                self._largest = delay
                self._store(delay)
        elif call.phase is Phase.PLACED and since:
            self._unlisted[call.call_id] = now - since

    def is_proven_absent(self, call: OpenCall, now: datetime) -> bool:
        """Count one more look-up without the call; return whether that is enough.

        The call must be absent in LOOK_UPS look-ups and for longer than the quarantine.
        """
        look_ups = self._absent[call.call_id]
        look_ups.append(now)
        passed = now - (call.requested_at or call.queued_at)
        if len(look_ups) < LOOK_UPS or passed <= self.quarantine():
            return False
        del self._absent[call.call_id]
        return True

    def forget_others(self, open_calls: Iterable[OpenCall]) -> None:
        """Drop the observations of calls that are over or have changed their phase."""
        phases = {call.call_id: call.phase for call in open_calls}
        for call_id in [*self._absent]:
            if phases.get(call_id) is not Phase.UNKNOWN:
                del self._absent[call_id]
        for call_id in [*self._unlisted]:
            if phases.get(call_id) is not Phase.PLACED:
                del self._unlisted[call_id]
