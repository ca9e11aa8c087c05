"""Matches the provider's list with our calls, and finds what is new in it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from application.ports import CallPhase, ProviderCall
from domain.dial_view import OpenCall, Phase, Snapshot
from domain.states import LIVE, MAY_DIAL
from domain.values import ZERO, CallStatus

LOOK_BACK = timedelta(minutes=10)
"""How long before our oldest open call the list of a line begins."""

QUIET_LOOK_BACK = timedelta(hours=1)
"""How far back a line is searched for live calls that are not ours."""

STATUS_OF = {
    CallPhase.SCHEDULED: CallStatus.QUEUED,
    CallPhase.QUEUED: CallStatus.QUEUED,
    CallPhase.RINGING: CallStatus.RINGING,
    CallPhase.ANSWERED: CallStatus.IN_PROGRESS,
    CallPhase.TRANSFERRED: CallStatus.IN_PROGRESS,
    CallPhase.ENDED: CallStatus.ENDED,
}


class ListedCalls:
    """The calls of one list, found by the provider's id or by ours."""

    def __init__(self, listed: Iterable[ProviderCall]) -> None:
        self._by_call = defaultdict(list)
        self._by_id = {}
        for one in listed:
            self._by_id[one.provider_call_id] = one
            if one.call_id is not None:
                self._by_call[one.call_id].append(one)

    def of(self, call: OpenCall) -> list[ProviderCall]:
        """Return all calls that name ours: the one bound to it, then by age."""
        bound = self._by_id.get(call.provider_call_id or "")
        named = sorted(self._by_call.get(call.call_id, []), key=created_at)
        return ([bound] if bound else []) + [one for one in named if one is not bound]


def is_news(call: OpenCall, shown: ProviderCall) -> bool:
    """Return whether the provider shows more than we have stored about the call."""
    if shown.ended:
        return call.phase is not Phase.REPORTING or is_final(shown)
    if call.status not in LIVE or shown.phase is None:
        return False
    return _rank(STATUS_OF[shown.phase]) > _rank(call.status)


def is_final(shown: ProviderCall) -> bool:
    """Return whether the provider has shown all that is needed of an ended call.

    A call that nobody picked up has no artifact. Waiting for one would hold a part of
    the budget until the silence time-out.
    """
    report = shown.report
    is_complete = report.has_artifact or report.is_unanswered
    return shown.ended and is_complete and report.cost is not None


def with_cost(shown: ProviderCall, expected: Decimal) -> ProviderCall:
    """Add the expected cost (US dollars) if the provider does not name a cost.

    For a call that nobody answered the provider leaves out a cost of zero.
    """
    if shown.report.cost is not None:
        return shown
    cost = ZERO if shown.report.is_unanswered else expected
    report = replace(shown.report, cost=cost, cost_is_expected=True)
    return replace(shown, report=report)


def created_at(shown: ProviderCall) -> datetime:
    """Return the provider's creation time; a sort key."""
    return shown.created_at


def list_start(calls: list[OpenCall], now: datetime) -> datetime:
    """Return the time from which a line's calls have to be listed."""
    oldest = min((call.requested_at or call.queued_at for call in calls), default=now)
    return min(oldest - LOOK_BACK, now - QUIET_LOOK_BACK)


def dialled_lines(snapshot: Snapshot) -> set[str]:
    """Return the ids of the lines on which contacts wait to be called."""
    return {
        view.phone_number_id
        for view in snapshot.campaigns
        if view.state in MAY_DIAL and view.pending
    }


def _rank(status: CallStatus) -> int:
    return list(CallStatus).index(status)
