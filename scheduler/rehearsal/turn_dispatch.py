"""Requests of a rehearsal: decided one by one, stored together.

The commands, the gate and the events are those of every request. The simulated provider
answers at once and loses no request, so nothing has to be stored in between.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, override

from eventsourcing.persistence import IntegrityError

from application.calls.call_service import CallService
from application.calls.request_fence import SendPermission
from application.ports import Accepted
from application.unit_of_work import AlreadyChanged, UnitOfWork
from domain.calls.unmatched_message import unmatched_id_of
from projections.composition import Components
from scheduler.dispatch import BAD_DATA, SEND_WITHIN_SECONDS, Dispatch
from scheduler.settlement import ClaimedCall, Sent

ONE_BY_ONE = (AlreadyChanged, IntegrityError, *BAD_DATA)
"""Errors after which the calls are requested one by one."""

type Placed = tuple[ClaimedCall, Accepted]


class TurnDispatch(Dispatch):
    """Stores the requests of a few seconds in one append, and the accepted calls.

    A request that the provider does not accept is settled as usual. If the calls cannot
    be requested together, each is requested as usual.
    """

    def __init__(self, built: Components, **usual: Any) -> None:
        super().__init__(
            calls=built.calls,
            campaigns=built.campaigns,
            provider=built.provider,
            context=built.context,
            **usual,
        )
        self._built = built

    @override
    def dial(self, claimed: Sequence[ClaimedCall]) -> None:
        left = list(claimed)
        while left and not self._timer.stopped:
            left = self._dial_first(left)

    def _dial_first(self, claimed: list[ClaimedCall]) -> list[ClaimedCall]:
        """Dial the calls whose turns come soon; return the others."""
        until = self._timer.now() + SEND_WITHIN_SECONDS
        ready: list[ClaimedCall] = []
        while claimed and (not ready or self._timer.now() < until):
            one, *claimed = claimed
            if self._wait_for_turn(one):
                ready.append(one)
            elif self._timer.stopped:
                break
        try:
            permissions = self._request_all(ready)
        except ONE_BY_ONE:
            for one in ready:
                self._start(one)
        else:
            self._send_all(permissions)
        return claimed

    def _request_all(
        self, ready: Sequence[ClaimedCall]
    ) -> list[tuple[ClaimedCall, SendPermission | None]]:
        """Store the requests of all calls in one append."""
        unit_of_work = UnitOfWork(self._built.app, {one.call_id for one in ready})
        calls = calls_in(self._built, unit_of_work)
        before = self._context.now() + timedelta(seconds=SEND_WITHIN_SECONDS)
        permissions = [
            (one, calls.request(one.call_id, dial_before=before)) for one in ready
        ]
        unit_of_work.store()
        return permissions

    def _send_all(
        self, permissions: Sequence[tuple[ClaimedCall, SendPermission | None]]
    ) -> None:
        placed: list[Placed] = []
        for one, permission in permissions:
            if permission is None:
                self._settlement.release(one)
                continue
            outcome = self._provider.create_call(permission.order, send_before=0)
            if isinstance(outcome, Accepted) and not outcome.concurrency_blocked:
                placed.append((one, outcome))
            else:
                self._settlement.settle(one, Sent(permission.order.request, outcome))
        try:
            self._place_all(placed)
        except ONE_BY_ONE:
            for one, accepted in placed:
                self._settlement.accepted(one, accepted)

    def _place_all(self, placed: Sequence[Placed]) -> None:
        """Record in one append that the provider accepted the calls."""
        kept = {unmatched_id_of(one.provider_call_id) for _, one in placed}
        ids = {one.call_id for one, _ in placed} | kept
        unit_of_work = UnitOfWork(self._built.app, ids)
        calls = calls_in(self._built, unit_of_work)
        for one, accepted in placed:
            calls.place(
                one.call_id,
                provider_call_id=accepted.provider_call_id,
                placed_at=accepted.placed_at,
            )
            self._pace.accepted(one.line)
        unit_of_work.store()


def calls_in(built: Components, unit_of_work: UnitOfWork) -> CallService:
    """Return the commands on calls, whose events the unit of work then stores."""
    return CallService(
        app=unit_of_work,
        context=built.context,
        vault=built.vault,
        contact_lookup=built.lookups,
        call_lookup=built.lookups,
        read_message=built.message_reader,
        installation_key=built.installation_key,
        gate=built.gate,
    )
