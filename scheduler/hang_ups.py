"""Hanging up live calls that a person asked to end."""

from uuid import UUID

from domain.dial_view import Phase, Snapshot
from scheduler.dispatch import Dispatch


class HangUps:
    """Sends each requested hang-up once; `repeat` allows it to be sent again."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._sent: set[UUID] = set()

    def repeat(self) -> None:
        """Allow hang-ups of calls that are still live to be sent again (each tick)."""
        self._sent.clear()

    def send(self, seen: Snapshot) -> None:
        """Hang up the placed calls of the snapshot for which that was requested."""
        for call in seen.calls:
            wanted = call.hang_up_requested and call.phase is Phase.PLACED
            if wanted and call.provider_call_id and call.call_id not in self._sent:
                self._sent.add(call.call_id)
                self._dispatch.hang_up(call.provider_call_id)
