"""The world of a rehearsal: time passes, and the provider's messages arrive."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.calls.call_service import CallService
from application.ports import CallPhase, Provider, ProviderMessage
from application.unit_of_work import AlreadyChanged
from domain.states import FINISHED
from domain.values import CampaignState, WaitingCode
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.composition import Components
from scheduler.rehearsal.virtual_time import VirtualClock
from storage.process.decisions import Decision

STEP = timedelta(seconds=60)
"""A message arrives at most this long after it was sent, with all that are due by then.

The scheduler then takes one turn for all of them, as it would for a busy provider.
"""

LONGEST = timedelta(days=120)
"""Virtual time after which a rehearsal ends, whatever is still to be done."""

STOPPED = FINISHED | {CampaignState.PAUSED}
"""States of a campaign in which nothing more happens without a member."""

TEMPORARY = {
    WaitingCode.RATE_LIMITED,
    WaitingCode.PROVIDER_BUSY,
    WaitingCode.PROVIDER_DOWN,
    WaitingCode.LINE_BUSY,
}
"""Reasons to wait that disappear at a time which nobody knows before."""

UNTIL_CHANGED = {
    WaitingCode.LIST_STALE,
    WaitingCode.RULES_UNAVAILABLE,
    WaitingCode.NO_RULES,
}
"""Reasons to wait that last until a member changes something."""

type Messages = list[dict[str, Any]]


class Exchange(Provider, Protocol):
    """A provider in virtual time, which does nothing by itself."""

    @property
    def next_at(self) -> datetime | None:
        """When something happens next in a call; None without a live call."""

    def take_due(self) -> Messages:
        """Return the messages that are due by now, in their order."""

    def expect(self, calls: int) -> None:
        """Announce how many calls will be requested, without repeated ones."""

    def answer(self, message: dict[str, Any], results: dict[str, Any]) -> None:
        """Accept the answer to a message with tool calls."""


@dataclass
class World:
    """Moves the virtual clock from one happening to the next.

    `under_way` returns the requests that are being sent; the clock stands meanwhile.
    `on_progress` gets the campaign whenever its progress may have changed.
    """

    clock: VirtualClock
    exchange: Exchange
    built: Components
    campaign_id: UUID
    settle: Callable[[], object]
    on_progress: Callable[[CampaignRow], None]
    under_way: Callable[[], Iterable[Future[None]]] = tuple
    stop: Callable[[], None] = lambda: None
    decided: list[Decision] = field(default_factory=list)
    messages: int = 0

    def __post_init__(self) -> None:
        self._ends_at = self.clock() + LONGEST

    def pass_until(self, until: datetime, stop_at_news: bool) -> None:  # noqa: FBT001 - the clock's callback
        """Deliver all messages that are due until that time.

        With `stop_at_news`, return after the first messages about the end of a call.
        """
        wait(list(self.under_way()))
        while (arrival := self._next_arrival(until, stop_at_news)) is not None:
            self.clock.move_to(arrival)
            if self._deliver(self.exchange.take_due()) and stop_at_news:
                break
        else:
            self.clock.move_to(self._next_decision(until))
        if stop_at_news:
            self._look()

    def _next_arrival(self, until: datetime, stop_at_news: bool) -> datetime | None:  # noqa: FBT001 - as above
        """Return when the next messages arrive, None if none arrive until that time.

        Messages of the last half step arrive before a turn that comes anyway.
        """
        due_at = self.exchange.next_at
        if due_at is None:
            return None
        if due_at + STEP <= until:
            return due_at + STEP
        return until if stop_at_news and due_at + STEP / 2 <= until else None

    def _next_decision(self, until: datetime) -> datetime:
        """Return a later time than `until` if nothing can happen before it.

        No call is live, and the scheduler's last decision names when it may go on.
        """
        if self.exchange.next_at is not None or not self.decided:
            return until
        last = self.decided[-1]
        times = [reason.until for reason in last.reasons if reason.until]
        ends_soon = any(reason.code in TEMPORARY for reason in last.reasons)
        if last.placed or ends_soon or not times:
            return until
        return max(until, min(times))

    def _look(self) -> None:
        """Stop the scheduler once nothing more can happen."""
        self.settle()
        with self.built.reading.connection() as conn:
            row = campaign_board.get(conn, self.campaign_id)
        assert row is not None
        self.on_progress(row)
        idle = self.exchange.next_at is None and row.active == 0
        over = row.state in STOPPED or self._waits_for_a_member()
        if (idle and over) or self.clock() >= self._ends_at:
            self.stop()

    def _waits_for_a_member(self) -> bool:
        """Return whether all contacts wait for something that no time brings."""
        if not self.decided:
            return False
        last = self.decided[-1]
        codes = {reason.code for reason in last.reasons}
        return not last.placed and bool(codes) and codes <= UNTIL_CHANGED

    # --- Messages -------------------------------------------------------------------

    def _deliver(self, messages: Messages) -> bool:
        """Store messages as the webhook would; return whether a call has ended."""
        read = [self.built.message_reader(message) for message in messages]
        self.messages += len(messages)
        if len(read) > 1 and not any(one.tool_calls for one in read):
            try:
                self.built.calls.record_messages(read)
            except (AlreadyChanged, IntegrityError):
                self._deliver_singly(messages, read)
        else:
            self._deliver_singly(messages, read)
        return any(one.report or one.phase is CallPhase.ENDED for one in read)

    def _deliver_singly(self, messages: Messages, read: list[ProviderMessage]) -> None:
        calls: CallService = self.built.calls
        for message, one in zip(messages, read, strict=True):
            receipt = calls.record_message(one)
            if one.tool_calls:
                results = {each.tool_call_id: each.result for each in receipt.answers}
                self.exchange.answer(message, self.exchange.tool_response(results))
