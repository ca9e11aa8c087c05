"""Stores webhook messages in batches: those that queue up share one append.

A transaction, a round trip to the database and a thread switch cost the same for many
messages as for one. A message that finds an empty queue is stored alone, at once.
Large messages, tool calls, and messages that need the read model have a queue of their
own, so that they do not delay the others.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

import structlog

from application.calls.message_recorder import MessageReceipt
from application.errors import StoreUnavailable
from application.ports import ProviderMessage

MOST = 32
"""Most messages in one append."""

LARGE = 64 << 10
"""Bytes from which a message is parsed and stored alone, because that is slow."""

QUICK_THREADS, SLOW_THREADS = 2, 4
"""While one thread waits for the database, another takes the next batch."""

JOIN_SECONDS = 1.0

type Read = Callable[[bytes], ProviderMessage]
type RecordMessage = Callable[[ProviderMessage], MessageReceipt]
type RecordMessages = Callable[[Sequence[ProviderMessage]], Sequence[MessageReceipt]]

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Ticket:
    """One queued message; `message` is set once it was parsed.

    `raw` is dropped when the message was parsed, or is no longer awaited: queued
    messages must not fill the memory when the database is slow.
    """

    raw: bytes
    answer: "Future[MessageReceipt]"
    message: ProviderMessage | None = None
    outcome: MessageReceipt | Exception | None = None

    @property
    def is_abandoned(self) -> bool:
        """Whether the request no longer waits for the answer."""
        return self.answer.done()

    def expire(self) -> None:
        """Raise TimeoutError in the waiting request, if it still waits."""
        if not self.is_abandoned:
            self.answer.set_exception(TimeoutError())

    def forget(self) -> None:
        """Free the memory of a message that is no longer awaited."""
        self.raw = b""

    def resolve(self) -> None:
        """Pass the outcome to the waiting request, if it still waits."""
        if self.is_abandoned:
            return
        if isinstance(self.outcome, MessageReceipt):
            self.answer.set_result(self.outcome)
        elif self.outcome is not None:
            self.answer.set_exception(self.outcome)


type Waiting = SimpleQueue[Ticket | None]
"""A queue of tickets; None ends one thread."""


class Inbox:
    """Parses and stores messages in its own threads.

    A message whose sender no longer waits may be stored nevertheless.

    `record_messages` stores all messages that it is given or raises; then each one is
    stored alone. It gets messages that name a call of ours, without tool calls.
    """

    def __init__(
        self, read: Read, record_message: RecordMessage, record_messages: RecordMessages
    ) -> None:
        self._read, self._record_message, self._record_messages = (
            read,
            record_message,
            record_messages,
        )
        self._loop: AbstractEventLoop = get_running_loop()
        self.quick: Waiting = SimpleQueue()
        self.slow: Waiting = SimpleQueue()

    def put(self, raw: bytes) -> Ticket:
        """Queue a message; the `answer` of its ticket is set when it was stored."""
        ticket = Ticket(raw, self._loop.create_future())
        (self.quick if len(raw) < LARGE else self.slow).put(ticket)
        return ticket

    def store_batches(self) -> None:
        """Store batches of queued messages until the queue is closed."""
        while (tickets := _next_batch(self.quick)) is not None:
            self._answer(tickets, self._store_batch)

    def store_slow(self) -> None:
        """Store slow messages one by one until the queue is closed."""
        while (ticket := self.slow.get()) is not None:
            self._answer([ticket], self._store_each)

    def _answer(
        self, tickets: Sequence[Ticket], store: Callable[[list[Ticket]], None]
    ) -> None:
        try:
            store(self._readable(tickets))
        except Exception as error:  # The thread must survive.
            log.exception("webhooks could not be stored")
            for ticket in tickets:
                ticket.outcome = ticket.outcome or error
        done = [ticket for ticket in tickets if ticket.outcome is not None]
        with suppress(RuntimeError):  # The loop is closed.
            self._loop.call_soon_threadsafe(_resolve, done)

    def _readable(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Parse messages that are still awaited; return those without an error."""
        wanted = [ticket for ticket in tickets if not ticket.is_abandoned]
        for ticket in wanted:
            try:
                ticket.message = ticket.message or self._read(ticket.raw)
                ticket.raw = b""
            except Exception as error:  # noqa: BLE001 - passed to the waiting request
                ticket.outcome = error
        return [ticket for ticket in wanted if ticket.outcome is None]

    def _store_batch(self, tickets: list[Ticket]) -> None:
        named = [ticket for ticket in tickets if _is_quick(ticket)]
        for ticket in tickets:
            if not _is_quick(ticket):
                self.slow.put(ticket)
        if len(named) < 2 or not self._store_together(named):  # noqa: PLR2004 - nothing to combine
            self._store_each(named)

    def _store_together(self, tickets: list[Ticket]) -> bool:
        """Store a batch; return False if its messages have to be stored one by one."""
        try:
            receipt = self._record_messages([_message(ticket) for ticket in tickets])
        except StoreUnavailable as error:
            for ticket in tickets:
                ticket.outcome = error
        except Exception as error:  # noqa: BLE001 - raised again for the faulty message alone
            log.debug("messages could not be stored together", error=repr(error))
            return False
        else:
            for ticket, one in zip(tickets, receipt, strict=True):
                ticket.outcome = one
        return True

    def _store_each(self, tickets: list[Ticket]) -> None:
        for ticket in tickets:
            if ticket.is_abandoned:
                continue
            try:
                ticket.outcome = self._record_message(_message(ticket))
            except Exception as error:  # noqa: BLE001 - passed to the waiting request
                ticket.outcome = error


def _next_batch(waiting: Waiting) -> list[Ticket] | None:
    """Wait for a message; return it with those queued by then, None at the end."""
    if (first := waiting.get()) is None:
        return None
    tickets = [first]
    with suppress(Empty):
        while len(tickets) < MOST:
            if (ticket := waiting.get_nowait()) is None:
                waiting.put(None)
                break
            tickets.append(ticket)
    return tickets


def _message(ticket: Ticket) -> ProviderMessage:
    assert ticket.message is not None
    return ticket.message


def _is_quick(ticket: Ticket) -> bool:
    """Return whether the message can share an append with others.

    A message without our call id needs the read model, and tool calls are decided one
    by one.
    """
    message = _message(ticket)
    return message.call_id is not None and not message.tool_calls


def _resolve(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        ticket.resolve()


@contextmanager
def open_inbox(
    read: Read, record_message: RecordMessage, record_messages: RecordMessages
) -> Iterator[Inbox]:
    """Run an inbox with its threads during the block; call it in the event loop."""
    inbox = Inbox(read, record_message, record_messages)
    work = [inbox.store_batches] * QUICK_THREADS + [inbox.store_slow] * SLOW_THREADS
    threads = [Thread(target=one, name="webhooks", daemon=True) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield inbox
    finally:
        for waiting, count in (
            (inbox.quick, QUICK_THREADS),
            (inbox.slow, SLOW_THREADS),
        ):
            for _ in range(count):
                waiting.put(None)
        for thread in threads:
            thread.join(JOIN_SECONDS)
