"""Messages that wait while others are stored are stored together, as one append.

A transaction, a request to the database and a change of threads cost the same for many
messages as for one. With nothing else about, a message goes by itself, at once. What
may take long has a lane of its own, or it would hold up all the others.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

import structlog

from application.calls.call_service import MessageReceipt
from application.errors import StoreUnavailable
from application.ports import ProviderMessage

MOST = 32
"""Messages that are stored as one."""

LARGE = 64 << 10
"""Bytes from which a message goes alone: to read and store it takes long."""

QUICK_THREADS, SLOW_THREADS = 2, 4
"""While one waits for the database, another takes what has come since."""

LEAVING_SECONDS = 1.0

type Read = Callable[[bytes], ProviderMessage]
type RecordMessage = Callable[[ProviderMessage], MessageReceipt]
type RecordMessages = Callable[[Sequence[ProviderMessage]], Sequence[MessageReceipt]]

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Place:
    """Where one message waits; `message` is there once it was read.

    `raw` is dropped when the message was read, or is not waited for any more: a slow
    database must not make waiting messages fill the memory.
    """

    raw: bytes
    answer: "Future[MessageReceipt]"
    message: ProviderMessage | None = None
    outcome: MessageReceipt | Exception | None = None

    @property
    def given_up(self) -> bool:
        return self.answer.done()

    def forget(self) -> None:
        """Free the memory of a message that nobody waits for any more."""
        self.raw = b""

    def tell(self) -> None:
        if self.given_up:
            return
        if isinstance(self.outcome, MessageReceipt):
            self.answer.set_result(self.outcome)
        elif self.outcome is not None:
            self.answer.set_exception(self.outcome)


type Waiting = SimpleQueue[Place | None]
"""None lets one thread go home."""


class Inbox:
    """Reads and stores in threads of its own; a message that is given up may be stored.

    `record_messages` stores all messages that it is given or raises; then each one is
    stored alone. It gets messages that name a call of ours; for others the read model
    must be asked.
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

    def put(self, raw: bytes) -> Place:
        """Let it wait for its turn; its `answer` is there when it is stored."""
        place = Place(raw, self._loop.create_future())
        (self.quick if len(raw) < LARGE else self.slow).put(place)
        return place

    def work_quickly(self) -> None:
        """Store all that waits together, again and again."""
        while (places := _all_that_wait(self.quick)) is not None:
            self._answer(places, self._store_quickly)

    def work_slowly(self) -> None:
        """Store what takes long, one by one."""
        while (place := self.slow.get()) is not None:
            self._answer([place], self._store_each)

    def _answer(
        self, places: Sequence[Place], store: Callable[[list[Place]], None]
    ) -> None:
        try:
            store(self._readable(places))
        except Exception as error:  # The thread must live: it serves all that comes.
            log.exception("Webhooks could not be taken")
            for place in places:
                place.outcome = place.outcome or error
        done = [place for place in places if place.outcome is not None]
        with suppress(RuntimeError):  # Its loop is closed: nobody waits.
            self._loop.call_soon_threadsafe(_tell, done)

    def _readable(self, places: Sequence[Place]) -> list[Place]:
        """Read what nobody has read yet, and is still waited for."""
        wanted = [place for place in places if not place.given_up]
        for place in wanted:
            try:
                place.message = place.message or self._read(place.raw)
                place.raw = b""
            except Exception as error:  # noqa: BLE001 - who waits for it is told
                place.outcome = error
        return [place for place in wanted if place.outcome is None]

    def _store_quickly(self, places: list[Place]) -> None:
        named = [place for place in places if _names_a_call(place)]
        for place in places:
            if not _names_a_call(place):
                self.slow.put(place)
        if len(named) < 2 or not self._store_together(named):  # noqa: PLR2004 - no company
            self._store_each(named)

    def _store_together(self, places: list[Place]) -> bool:
        """Say whether all is done: a store that is away is so for each of them."""
        try:
            heard = self._record_messages([_message(place) for place in places])
        except StoreUnavailable as error:
            for place in places:
                place.outcome = error
        except Exception as error:  # noqa: BLE001 - who is at fault meets it again, alone
            log.debug("messages could not be stored together", error=repr(error))
            return False
        else:
            for place, one in zip(places, heard, strict=True):
                place.outcome = one
        return True

    def _store_each(self, places: list[Place]) -> None:
        for place in places:
            if place.given_up:
                continue
            try:
                place.outcome = self._record_message(_message(place))
            except Exception as error:  # noqa: BLE001 - who waits for it is told
                place.outcome = error


def _all_that_wait(waiting: Waiting) -> list[Place] | None:
    """Wait for a message; return it with those that wait by then."""
    if (first := waiting.get()) is None:
        return None
    places = [first]
    with suppress(Empty):
        while len(places) < MOST:
            if (place := waiting.get_nowait()) is None:
                waiting.put(None)
                break
            places.append(place)
    return places


def _message(place: Place) -> ProviderMessage:
    assert place.message is not None
    return place.message


def _names_a_call(place: Place) -> bool:
    return _message(place).call_id is not None


def _tell(places: Sequence[Place]) -> None:
    for place in places:
        place.tell()


@contextmanager
def open_inbox(
    read: Read, record_message: RecordMessage, record_messages: RecordMessages
) -> Iterator[Inbox]:
    """Let it work while the block runs; call it where the event loop runs."""
    inbox = Inbox(read, record_message, record_messages)
    work = [inbox.work_quickly] * QUICK_THREADS + [inbox.work_slowly] * SLOW_THREADS
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
            thread.join(LEAVING_SECONDS)
