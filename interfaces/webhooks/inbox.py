"""Stores webhook messages in batches: those that queue up share one append.

A transaction, a round trip to the database and a thread switch cost the same for many
messages as for one. A message that finds an empty queue is stored alone, at once.
Large messages, tool calls, and messages that need the read model have a queue of their
own, so that they do not delay the others.

One thread stores all batches: the interpreter runs one thread at a time, and two
threads that compete for it need more CPU time for each message and store smaller
batches. A second thread helps while the first one waits for the database for long.

Senders whose messages were just stored usually send the next ones at once. Therefore
the thread waits briefly for as many messages as the last batch had: meanwhile the event
loop has the interpreter for itself. A message that follows a batch of one, or arrives
later, is stored without any wait.
"""

from asyncio import AbstractEventLoop, Future, TimerHandle, get_running_loop
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic

import structlog

from application.calls.message_recorder import MessageReceipt
from application.errors import StoreUnavailable
from application.ports import ProviderMessage

MOST = 32
"""Most messages in one append."""

LARGE = 64 << 10
"""Bytes from which a message is parsed and stored alone, because that is slow."""

SLOW_THREADS = 4

WAIT_SHARE, LONGEST_WAIT_SECONDS = 0.5, 0.004
"""How long a batch waits for messages: this share of the time that the last one took.

The wait begins at the end of the last batch.
"""

HELP_SECONDS = 0.1
"""If no batch is taken for so long while messages are queued, the helper wakes up."""

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


class Help(Enum):
    """A request to the helper: store queued messages, or end."""

    WANTED = auto()
    OVER = auto()


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
        self.help_wanted: SimpleQueue[Help] = SimpleQueue()
        self._batches = 0
        self._expected, self._expected_until = 0, 0.0
        self._complete = Event()
        self._timer: TimerHandle | None = None

    def put(self, raw: bytes) -> Ticket:
        """Queue a message; the `answer` of its ticket is set when it was stored."""
        ticket = Ticket(raw, self._loop.create_future())
        if len(raw) >= LARGE:
            self.slow.put(ticket)
            return ticket
        self.quick.put(ticket)
        if self.quick.qsize() >= self._expected:
            self._complete.set()
        if self._timer is None:
            self._check_progress_later()
        return ticket

    def _check_progress_later(self) -> None:
        self._timer = self._loop.call_later(
            HELP_SECONDS, self._check_progress, self._batches
        )

    def _check_progress(self, batches: int) -> None:
        """Wake the helper if messages are queued and no batch was taken meanwhile."""
        self._timer = None
        if self.quick.empty():
            return
        if self._batches == batches:
            self.help_wanted.put(Help.WANTED)
        self._check_progress_later()

    def store_batches(self) -> None:
        """Store batches of queued messages until the queue is closed."""
        while (first := self.quick.get()) is not None:
            self._wait_for_others()
            self._batches += 1
            tickets, began = _batch_of(first, self.quick), monotonic()
            done = self._outcomes_of(tickets, self._store_batch)
            self._expect_others(len(tickets), monotonic(), began)
            self._resolve(done)

    def _wait_for_others(self) -> None:
        left = self._expected_until - monotonic()
        if left <= 0:
            return
        self._complete.clear()
        if self.quick.qsize() < self._expected:
            self._complete.wait(left)

    def _expect_others(self, stored: int, ended: float, began: float) -> None:
        """Expect the senders of the last batch, and those that queued meanwhile.

        Called before the senders get their answers: after that, the queue may contain
        their next messages.
        """
        self._expected = min(stored + self.quick.qsize(), MOST) - 1
        wait = min(WAIT_SHARE * (ended - began), LONGEST_WAIT_SECONDS)
        self._expected_until = ended + wait

    def help_store_batches(self) -> None:
        """Store queued messages whenever help is wanted, until the inbox is closed."""
        while self.help_wanted.get() is Help.WANTED:
            while (first := _queued(self.quick)) is not None:
                self._answer(_batch_of(first, self.quick), self._store_batch)

    def close(self) -> None:
        """End all threads; each first stores the messages that it has taken."""
        if self._timer is not None:
            self._timer.cancel()
        self.quick.put(None)
        self.help_wanted.put(Help.OVER)
        for _ in range(SLOW_THREADS):
            self.slow.put(None)

    def store_slow(self) -> None:
        """Store slow messages one by one until the queue is closed."""
        while (ticket := self.slow.get()) is not None:
            self._answer([ticket], self._store_each)

    def _answer(
        self, tickets: Sequence[Ticket], store: Callable[[list[Ticket]], None]
    ) -> None:
        self._resolve(self._outcomes_of(tickets, store))

    def _outcomes_of(
        self, tickets: Sequence[Ticket], store: Callable[[list[Ticket]], None]
    ) -> list[Ticket]:
        """Parse and store messages; return the tickets that have an outcome."""
        try:
            store(self._readable(tickets))
        except Exception as error:  # The thread must survive.
            log.exception("webhooks could not be stored")
            for ticket in tickets:
                ticket.outcome = ticket.outcome or error
        return [ticket for ticket in tickets if ticket.outcome is not None]

    def _resolve(self, done: list[Ticket]) -> None:
        """Pass the outcomes to the waiting requests."""
        with suppress(RuntimeError):  # The loop is closed.
            self._loop.call_soon_threadsafe(_resolve_each, done)

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


def _batch_of(first: Ticket, waiting: Waiting) -> list[Ticket]:
    """Return a ticket with those that are queued by now."""
    tickets = [first]
    while len(tickets) < MOST and (ticket := _queued(waiting)) is not None:
        tickets.append(ticket)
    return tickets


def _queued(waiting: Waiting) -> Ticket | None:
    """Return the next queued ticket, None if there is none."""
    try:
        ticket = waiting.get_nowait()
    except Empty:
        return None
    if ticket is None:
        waiting.put(None)  # It ends the thread that waits for tickets.
    return ticket


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


def _resolve_each(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        ticket.resolve()


@contextmanager
def open_inbox(
    read: Read, record_message: RecordMessage, record_messages: RecordMessages
) -> Iterator[Inbox]:
    """Run an inbox with its threads during the block; call it in the event loop."""
    inbox = Inbox(read, record_message, record_messages)
    work = [inbox.store_batches, inbox.help_store_batches]
    work += [inbox.store_slow] * SLOW_THREADS
    threads = [Thread(target=one, name="webhooks", daemon=True) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield inbox
    finally:
        inbox.close()
        for thread in threads:
            thread.join(JOIN_SECONDS)
