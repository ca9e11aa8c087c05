"""Messages that come while others are stored."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from threading import Event, Semaphore
from uuid import uuid4

import pytest

from application.calls.message_recorder import MessageReceipt
from application.errors import StoreUnavailable
from application.ports import ProviderMessage
from interfaces.webhooks.inbox import (
    LARGE,
    MOST,
    QUICK_THREADS,
    Inbox,
    Ticket,
    open_inbox,
)
from provider.vapi.reading import read_message
from tests.support import eventually

BUSY, FAULTY, UNREADABLE = b"busy", b"faulty", b"unreadable"
STRANGER = b"stranger"


class Store:
    """Hears; all threads are kept busy by messages that say so, until `free`."""

    def __init__(self, together: Callable[[], object] = lambda: None) -> None:
        self.alone: list[bytes] = []
        self.groups: list[list[bytes]] = []
        self.began, self.free = Semaphore(0), Event()
        self._together = together

    def read(self, raw: bytes) -> ProviderMessage:
        if raw == UNREADABLE:
            raise ValueError("not readable")
        call = {} if raw.startswith(STRANGER) else {"name": str(uuid4())}
        return read_message({"message": {"type": raw[:20].decode(), "call": call}})

    def record_message(self, message: ProviderMessage) -> MessageReceipt:
        said = message.type.encode()
        if said == BUSY:
            self.began.release()
            assert self.free.wait(30)
            return MessageReceipt(None)
        self.alone.append(said)
        if said == FAULTY:
            raise RuntimeError("inside")
        return MessageReceipt(uuid4())

    def record_messages(
        self, messages: Sequence[ProviderMessage]
    ) -> Sequence[MessageReceipt]:
        self.groups.append([message.type.encode() for message in messages])
        self._together()
        if FAULTY in self.groups[-1]:
            raise RuntimeError("inside")
        return [MessageReceipt(uuid4()) for _ in messages]


def all_busy(
    store: Store, then: Callable[[Inbox], Sequence[Ticket]]
) -> list[MessageReceipt | BaseException]:
    """Put messages into the inbox while nobody can look at them; return the answers."""

    async def scenario() -> list[MessageReceipt | BaseException]:
        with open_inbox(
            store.read, store.record_message, store.record_messages
        ) as inbox:
            for _ in range(QUICK_THREADS):
                inbox.put(BUSY)
                await asyncio.to_thread(store.began.acquire)
            tickets = then(inbox)
            store.free.set()
            answers: list[Awaitable[MessageReceipt]] = [
                ticket.answer for ticket in tickets
            ]
            return await asyncio.gather(*answers, return_exceptions=True)

    return asyncio.run(scenario())


def put(*raws: bytes) -> Callable[[Inbox], Sequence[Ticket]]:
    return lambda inbox: [inbox.put(raw) for raw in raws]


def test_what_waits_is_stored_together() -> None:
    store = Store()
    words = [b"%d" % n for n in range(10)]
    answers = all_busy(store, put(*words))
    assert all(isinstance(answer, MessageReceipt) for answer in answers)
    assert len(store.groups) + len(store.alone) <= QUICK_THREADS
    assert sorted(chain(store.alone, *store.groups)) == words


def test_who_is_alone_is_stored_alone() -> None:
    store = Store()
    [answer] = all_busy(store, put(b"one"))
    assert isinstance(answer, MessageReceipt)
    assert (store.alone, store.groups) == ([b"one"], [])


def test_one_that_fails_takes_nobody_with_it() -> None:
    store = Store()
    answers = all_busy(store, put(b"1", b"2", FAULTY, b"3"))
    failed = [isinstance(answer, RuntimeError) for answer in answers]
    assert failed == [False, False, True, False]
    assert FAULTY in store.alone


def test_one_that_cannot_be_read_takes_nobody_with_it() -> None:
    store = Store()
    one, unreadable, other = all_busy(store, put(b"1", UNREADABLE, b"2"))
    assert isinstance(unreadable, ValueError)
    assert isinstance(one, MessageReceipt)
    assert isinstance(other, MessageReceipt)


def test_a_store_that_is_away_is_not_asked_again_for_each() -> None:
    def away() -> None:
        raise StoreUnavailable("down")

    store = Store(away)
    answers = all_busy(store, put(*[b"%d" % n for n in range(6)]))
    told = sum(isinstance(answer, StoreUnavailable) for answer in answers)
    assert told == sum(len(group) for group in store.groups)
    assert len(store.alone) < QUICK_THREADS


def test_what_was_given_up_is_not_stored() -> None:
    def give_up(inbox: Inbox) -> Sequence[Ticket]:
        is_abandoned, wanted = inbox.put(b"given up"), inbox.put(b"wanted")
        is_abandoned.answer.cancel()
        return [wanted]

    store = Store()
    all_busy(store, give_up)
    assert (store.alone, store.groups) == ([b"wanted"], [])


def one_thread(
    store: Store, then: Callable[[Inbox], Sequence[Ticket]], leaves: int = 1
) -> list[MessageReceipt | BaseException]:
    """Let one thread work through an inbox that is closed already."""

    async def scenario() -> list[MessageReceipt | BaseException]:
        inbox = Inbox(store.read, store.record_message, store.record_messages)
        tickets = then(inbox)
        for _ in range(leaves):
            inbox.quick.put(None)
        for _ in range(leaves):
            await asyncio.wait_for(asyncio.to_thread(inbox.store_batches), 10)
        answers: list[Awaitable[MessageReceipt]] = [ticket.answer for ticket in tickets]
        return await asyncio.gather(*answers, return_exceptions=True)

    return asyncio.run(scenario())


def test_what_is_given_up_while_its_group_fails_is_not_stored() -> None:
    tickets: list[Ticket] = []

    def give_up_then_fail() -> None:
        answer = tickets[0].answer
        answer.get_loop().call_soon_threadsafe(answer.cancel)
        eventually(answer.cancelled)
        raise RuntimeError("not together")

    def then(inbox: Inbox) -> Sequence[Ticket]:
        tickets.extend(put(b"given up", b"wanted")(inbox))
        return tickets[1:]

    store = Store(give_up_then_fail)
    [answer] = one_thread(store, then)
    assert isinstance(answer, MessageReceipt)
    assert store.alone == [b"wanted"]


def test_each_thread_goes_home_though_messages_wait() -> None:
    answers = one_thread(Store(), put(b"1", b"2"), leaves=2)
    assert [type(answer) for answer in answers] == [MessageReceipt, MessageReceipt]


def test_so_many_at_once_and_no_more() -> None:
    store = Store()
    words = [b"%d" % n for n in range(MOST + 2)]
    one_thread(store, put(*words))
    assert [len(group) for group in store.groups] == [MOST, 2]


@pytest.mark.parametrize("slow", [STRANGER, b"x" * LARGE])
def test_what_takes_long_holds_nobody_up(slow: bytes) -> None:
    async def scenario() -> tuple[MessageReceipt, bool, MessageReceipt]:
        store = Store()
        record_message, over = store.record_message, Event()

        def hear_slowly(message: ProviderMessage) -> MessageReceipt:
            assert message.type.encode() not in slow or over.wait(30)
            return record_message(message)

        with open_inbox(store.read, hear_slowly, store.record_messages) as inbox:
            held = [inbox.put(slow) for _ in range(QUICK_THREADS)]
            quick = await inbox.put(b"ours").answer
            waits = not any(ticket.is_abandoned for ticket in held)
            over.set()
            return quick, waits, await held[0].answer

    quick, others_wait, slow_one = asyncio.run(scenario())
    assert others_wait
    assert quick.call_id is not None
    assert slow_one.call_id is not None


def test_a_fault_of_the_inbox_itself_is_told_and_survived() -> None:
    class Broken(Store):
        def record_messages(
            self, messages: Sequence[ProviderMessage]
        ) -> Sequence[MessageReceipt]:
            return super().record_messages(messages)[1:]

    answers = one_thread(Broken(), put(b"1", b"2"))
    assert [type(answer) for answer in answers] == [MessageReceipt, ValueError]


def test_an_inbox_that_is_closed_leaves_no_thread_behind() -> None:
    all_busy(Store(), put(b"1"))
    assert not [one for one in threading.enumerate() if one.name == "webhooks"]


def test_a_message_that_was_read_or_given_up_holds_its_bytes_no_longer() -> None:
    tickets: list[Ticket] = []

    def then(inbox: Inbox) -> Sequence[Ticket]:
        tickets.extend(put(b"read", b"given up")(inbox))
        tickets[1].forget()
        return tickets[:1]

    all_busy(Store(), then)
    assert [ticket.raw for ticket in tickets] == [b"", b""]
