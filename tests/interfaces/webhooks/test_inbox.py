"""Messages that arrive while others are being stored."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from threading import Event, Semaphore, Thread
from uuid import uuid4

import pytest

from application.calls.message_recorder import MessageReceipt
from application.errors import StoreUnavailable
from application.ports import ProviderMessage
from interfaces.webhooks import inbox as inbox_module
from interfaces.webhooks.inbox import (
    LARGE,
    MOST,
    Help,
    Inbox,
    Ticket,
    open_inbox,
)
from provider.vapi.messages.reading import read_message
from tests.child_process import join
from tests.support import eventually

QUICK_THREADS = 2
"""The thread that stores batches, and its helper."""

BUSY, FAULTY, UNREADABLE = b"busy", b"faulty", b"unreadable"
STRANGER = b"stranger"


class Store:
    """Records messages; messages with the text BUSY block their thread until `free`."""

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
        text = message.type.encode()
        if text == BUSY:
            self.began.release()
            assert self.free.wait(30)
            return MessageReceipt(None)
        self.alone.append(text)
        if text == FAULTY:
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
    """Queue messages while all threads are busy; return the answers."""

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


def test_queued_messages_are_stored_together() -> None:
    store = Store()
    words = [b"%d" % n for n in range(10)]
    answers = all_busy(store, put(*words))
    assert all(isinstance(answer, MessageReceipt) for answer in answers)
    assert len(store.groups) + len(store.alone) <= QUICK_THREADS
    assert sorted(chain(store.alone, *store.groups)) == words


def test_a_single_message_is_stored_by_itself() -> None:
    store = Store()
    [answer] = all_busy(store, put(b"one"))
    assert isinstance(answer, MessageReceipt)
    assert (store.alone, store.groups) == ([b"one"], [])


def test_a_message_that_fails_does_not_fail_the_others() -> None:
    store = Store()
    answers = all_busy(store, put(b"1", b"2", FAULTY, b"3"))
    failed = [isinstance(answer, RuntimeError) for answer in answers]
    assert failed == [False, False, True, False]
    assert FAULTY in store.alone


def test_a_message_that_cannot_be_parsed_does_not_fail_the_others() -> None:
    store = Store()
    one, unreadable, other = all_busy(store, put(b"1", UNREADABLE, b"2"))
    assert isinstance(unreadable, ValueError)
    assert isinstance(one, MessageReceipt)
    assert isinstance(other, MessageReceipt)


def test_an_unavailable_store_is_not_tried_once_per_message() -> None:
    def away() -> None:
        raise StoreUnavailable("down")

    store = Store(away)
    answers = all_busy(store, put(*[b"%d" % n for n in range(6)]))
    failed = sum(isinstance(answer, StoreUnavailable) for answer in answers)
    assert failed == sum(len(group) for group in store.groups)
    assert len(store.alone) < QUICK_THREADS


def test_a_message_whose_request_ended_is_not_stored() -> None:
    def give_up(inbox: Inbox) -> Sequence[Ticket]:
        is_abandoned, wanted = inbox.put(b"given up"), inbox.put(b"wanted")
        is_abandoned.answer.cancel()
        return [wanted]

    store = Store()
    all_busy(store, give_up)
    assert (store.alone, store.groups) == ([b"wanted"], [])


def test_messages_do_not_wait_for_a_batch_that_takes_long() -> None:
    async def scenario() -> tuple[MessageReceipt, bool]:
        with open_inbox(
            store.read, store.record_message, store.record_messages
        ) as inbox:
            held = inbox.put(BUSY)
            await asyncio.to_thread(store.began.acquire)
            receipt = await asyncio.wait_for(inbox.put(b"next").answer, 30)
            waits = not held.is_abandoned
            store.free.set()
            await held.answer
            return receipt, waits

    store = Store()
    receipt, first_waits = asyncio.run(scenario())
    assert isinstance(receipt, MessageReceipt)
    assert first_waits


def test_help_is_wanted_while_queued_messages_are_not_taken() -> None:
    async def scenario() -> Help:
        inbox = Inbox(store.read, store.record_message, store.record_messages)
        inbox.put(b"queued")
        try:
            return await asyncio.to_thread(inbox.help_wanted.get, timeout=30)
        finally:
            inbox.close()

    store = Store()
    assert asyncio.run(scenario()) is Help.WANTED


def test_a_batch_waits_for_as_many_messages_as_the_last_one_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "WAIT_SHARE", 1e9)
    monkeypatch.setattr(inbox_module, "LONGEST_WAIT_SECONDS", 30)

    async def scenario() -> None:
        inbox = Inbox(store.read, store.record_message, store.record_messages)
        thread = Thread(target=inbox.store_batches, daemon=True)
        thread.start()
        inbox.put(BUSY)
        assert await asyncio.to_thread(store.began.acquire, timeout=30)
        queued = put(b"1", b"2")(inbox)
        store.free.set()
        # Else "3" would be one of the messages that were queued meanwhile.
        await asyncio.to_thread(eventually, lambda: inbox._expected_until)
        await asyncio.gather(*[one.answer for one in (*queued, inbox.put(b"3"))])
        inbox.close()
        await asyncio.to_thread(join, thread)

    store = Store()
    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert store.groups == [[b"1", b"2", b"3"]]


def test_a_message_after_a_single_one_is_stored_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "WAIT_SHARE", 1e9)
    monkeypatch.setattr(inbox_module, "LONGEST_WAIT_SECONDS", 300)

    async def scenario(inbox: Inbox) -> None:
        await inbox.put(b"1").answer
        await inbox.put(b"2").answer

    store = Store()
    run_in_inbox(store, scenario)
    assert store.alone == [b"1", b"2"]


def test_a_batch_does_not_wait_long_for_messages_that_do_not_come() -> None:
    async def scenario(inbox: Inbox) -> None:
        for _ in range(3):
            await asyncio.gather(*[one.answer for one in put(b"1", b"2")(inbox)])
        await inbox.put(b"last").answer

    store = Store()
    run_in_inbox(store, scenario)
    assert b"last" in store.alone


def run_in_inbox(store: Store, scenario: Callable[[Inbox], Awaitable[None]]) -> None:
    """Run a scenario with an open inbox, for at most 20 seconds."""

    async def run() -> None:
        with open_inbox(
            store.read, store.record_message, store.record_messages
        ) as inbox:
            await asyncio.wait_for(scenario(inbox), 20)

    asyncio.run(run())


def one_thread(
    store: Store, then: Callable[[Inbox], Sequence[Ticket]], leaves: int = 1
) -> list[MessageReceipt | BaseException]:
    """Process a closed inbox with a single thread; return the answers."""

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


def test_a_message_whose_request_ends_while_its_group_fails_is_not_stored() -> None:
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


def test_each_thread_ends_even_if_messages_are_queued() -> None:
    answers = one_thread(Store(), put(b"1", b"2"), leaves=2)
    assert [type(answer) for answer in answers] == [MessageReceipt, MessageReceipt]


def test_a_group_has_at_most_the_configured_number_of_messages() -> None:
    store = Store()
    words = [b"%d" % n for n in range(MOST + 2)]
    one_thread(store, put(*words))
    assert [len(group) for group in store.groups] == [MOST, 2]


@pytest.mark.parametrize("slow", [STRANGER, b"x" * LARGE])
def test_slow_messages_do_not_delay_other_messages(slow: bytes) -> None:
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


def test_the_inbox_logs_and_survives_an_internal_error() -> None:
    class Broken(Store):
        def record_messages(
            self, messages: Sequence[ProviderMessage]
        ) -> Sequence[MessageReceipt]:
            return super().record_messages(messages)[1:]

    answers = one_thread(Broken(), put(b"1", b"2"))
    assert [type(answer) for answer in answers] == [MessageReceipt, ValueError]


def test_a_closed_inbox_leaves_no_thread_running() -> None:
    all_busy(Store(), put(b"1"))
    assert not [one for one in threading.enumerate() if one.name == "webhooks"]


def test_a_parsed_or_abandoned_message_frees_its_bytes() -> None:
    tickets: list[Ticket] = []

    def then(inbox: Inbox) -> Sequence[Ticket]:
        tickets.extend(put(b"read", b"given up")(inbox))
        tickets[1].forget()
        return tickets[:1]

    all_busy(Store(), then)
    assert [ticket.raw for ticket in tickets] == [b"", b""]
