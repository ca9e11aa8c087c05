"""Messages that wait while others are stored are stored together, as one append.

A transaction, a request to the database and a change of threads cost the same for many
messages as for one. With nothing else about, a message goes by itself, at once.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

import structlog

from application.calls import Heard
from application.errors import StoreUnavailable
from application.ports import ProviderMessage

MOST = 32
"""Messages that are stored as one."""

THREADS = 2
"""While one waits for the database, another takes what has come since."""

LEAVING_SECONDS = 1.0

type Read = Callable[[bytes], ProviderMessage]
type Hear = Callable[[ProviderMessage], Heard]
type HearAll = Callable[[Sequence[ProviderMessage]], Sequence[Heard]]

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Place:
    """Where one message waits; `message` is there once it was read."""

    raw: bytes
    answer: "Future[Heard]"
    message: ProviderMessage | None = None
    outcome: Heard | Exception | None = None

    def tell(self) -> None:
        if self.answer.done():
            return  # It was given up.
        if isinstance(self.outcome, Heard):
            self.answer.set_result(self.outcome)
        else:
            self.answer.set_exception(self.outcome or RuntimeError("nothing was done"))


class Inbox:
    """Reads and stores in threads of its own; a message that is given up may be stored.

    `hear_all` stores all it is given or raises; then each is heard by itself.
    """

    def __init__(self, read: Read, hear: Hear, hear_all: HearAll) -> None:
        self._read, self._hear, self._hear_all = read, hear, hear_all
        self._loop: AbstractEventLoop = get_running_loop()
        self._waiting: SimpleQueue[Place | None] = SimpleQueue()

    def put(self, raw: bytes) -> Place:
        """Let it wait for its turn; its `answer` is there when it is stored."""
        place = Place(raw, self._loop.create_future())
        self._waiting.put(place)
        return place

    def leave(self) -> None:
        """Let one thread go home."""
        self._waiting.put(None)

    def work(self) -> None:
        while (places := self._next()) is not None:
            wanted = [place for place in places if not place.answer.done()]
            self._store(self._readable(wanted))
            with suppress(RuntimeError):  # Its loop is closed: nobody waits.
                self._loop.call_soon_threadsafe(_tell, wanted)

    def _next(self) -> list[Place] | None:
        """Wait for a message; return it with all that wait by then."""
        if (first := self._waiting.get()) is None:
            return None
        places = [first]
        with suppress(Empty):
            while len(places) < MOST:
                if (place := self._waiting.get_nowait()) is None:
                    self.leave()
                    break
                places.append(place)
        return places

    def _readable(self, places: list[Place]) -> list[tuple[Place, ProviderMessage]]:
        read: list[tuple[Place, ProviderMessage]] = []
        for place in places:
            try:
                place.message = self._read(place.raw)
            except Exception as error:  # noqa: BLE001 - who waits for it is told
                place.outcome = error
            else:
                read.append((place, place.message))
        return read

    def _store(self, read: list[tuple[Place, ProviderMessage]]) -> None:
        if len(read) < 2 or not self._store_together(read):  # noqa: PLR2004 - no company
            for place, message in read:
                if not place.answer.done():
                    self._store_alone(place, message)

    def _store_together(self, read: list[tuple[Place, ProviderMessage]]) -> bool:
        """Say whether all is done: a store that is away is so for each of them."""
        try:
            heard = self._hear_all([message for _, message in read])
        except StoreUnavailable as error:
            for place, _ in read:
                place.outcome = error
        except Exception as error:  # noqa: BLE001 - who is at fault meets it again, alone
            log.debug("messages could not be stored together", error=repr(error))
            return False
        else:
            for (place, _), one in zip(read, heard, strict=True):
                place.outcome = one
        return True

    def _store_alone(self, place: Place, message: ProviderMessage) -> None:
        try:
            place.outcome = self._hear(message)
        except Exception as error:  # noqa: BLE001 - who waits for it is told
            place.outcome = error


def _tell(places: list[Place]) -> None:
    for place in places:
        place.tell()


@contextmanager
def open_inbox(read: Read, hear: Hear, hear_all: HearAll) -> Iterator[Inbox]:
    """Let it work while the block runs; call it where the event loop runs."""
    inbox = Inbox(read, hear, hear_all)
    threads = [
        Thread(target=inbox.work, name="webhooks", daemon=True) for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield inbox
    finally:
        for _ in threads:
            inbox.leave()
        for thread in threads:
            thread.join(LEAVING_SECONDS)
