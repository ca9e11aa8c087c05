"""Messages about an erased person: stored before, meanwhile or later."""

from datetime import timedelta
from decimal import Decimal
from threading import Thread
from uuid import UUID, uuid4

import pytest

from application.vault import MessageRow, digest
from domain.calls.reports import ReportGrade
from domain.values import (
    CallStatus,
    Evidence,
    Refusal,
    RefusalKind,
)
from projections.calls.message_retention import MessageRetention
from provider.vapi.reading import read_call, read_message
from storage.database import connect
from storage.log.recorder import BULK_ROWS
from tests.application.contacts.erasing import (
    CALL,
    FIRST,
    PROVIDER_ID,
    SOON,
    body_of,
    called,
    erase,
    problems,
    report,
    waits_for_its_turn,
)
from tests.database_dump import dumped
from tests.support import eventually
from tests.wiring import BY, NOON, House


def record_late_messages(house: House, call_id: UUID) -> None:
    """Record messages and a look-up of a call whose contact was erased meanwhile."""
    ringing = body_of(call_id, "status-update", status="ringing", timestamp=1)
    house.calls.record_message(read_message(ringing))
    house.calls.record_message(read_message(body_of(call_id, "hang")))
    shown = read_call(report(call_id)["message"] | CALL | {"status": "ended"})
    assert shown is not None
    house.calls.record_lookup(call_id, shown, grade=ReportGrade.LOOKED_UP)
    house.calls.record_message(read_message(report(call_id)))
    another = report(call_id)
    another["message"]["call"]["id"] = "another id at the provider"
    house.calls.record_message(read_message(another))


def test_messages_after_the_erasure_are_stored_without_content(house: House) -> None:
    campaign_id = house.campaign(2)
    call_id = called(house, campaign_id)
    assert erase(house).live == 1
    record_late_messages(house, call_id)
    house.settle()
    left = dumped(house.url)
    for personal in (FIRST[1:], "Person 1", "r.example"):
        assert personal.encode() not in left
    assert house.vault.messages_of(call_id) == []
    call = house.load_call(call_id)
    assert len(call.evidence) == 5
    assert (call.status, call.cost) == (CallStatus.ENDED, Decimal("0.2"))
    assert problems(house) == []


def test_the_text_of_a_refusal_after_the_erasure_is_not_stored(
    house: House,
) -> None:
    [call_id] = house.claim(house.campaign(1))
    assert house.calls.request(call_id, dial_before=SOON)
    erase(house)
    refusal = Refusal(RefusalKind.CONTACT, None, "rule")
    text = f"{FIRST} is no number"
    house.calls.refuse(call_id, refusal, words=text, until=SOON)
    house.settle()
    assert FIRST[1:].encode() not in dumped(house.url)
    assert house.load_call(call_id).status is CallStatus.FAILED
    assert problems(house) == []


def message_row(call_id: UUID) -> MessageRow:
    return MessageRow(
        salt=bytes(32),
        id=uuid4(),
        subject_id=call_id,
        campaign_id=None,
        document={"said": "Person 1 speaking"},
        recording_url=None,
        transcript=None,
    )


@pytest.mark.parametrize("messages", [1, BULK_ROWS + 1], ids=["one", "many at once"])
def test_rows_that_are_stored_during_the_erasure_are_emptied(
    house: House, messages: int
) -> None:
    """The rows wait for the append lock until the erasure is stored."""
    call_id = called(house, house.campaign(1))
    rows = [message_row(call_id) for _ in range(messages)]
    call = house.load_call(call_id)
    for row in rows:
        proof = Evidence(message_id=row.id, digest=digest([row]))
        call.receive(type_="hang", evidence=proof, at=NOON, by=BY)
    storing = Thread(target=lambda: house.app.append(call, vault=rows))
    with connect(house.url, name="test") as conn:
        with conn.transaction():
            conn.execute("select autolynx_append_lock('{}', '{}')")
            storing.start()
            eventually(lambda: waits_for_its_turn(conn), said="the append")
            conn.execute("insert into erased_subject values (%s)", (call_id,))
        storing.join()
    assert house.load_call(call_id).evidence == {row.id for row in rows}
    assert b"Person 1 speaking" not in dumped(house.url)
    assert house.vault.messages_of(call_id) == []
    house.settle()
    assert problems(house) == []


def test_a_message_without_number_is_emptied_when_its_call_becomes_known(
    house: House,
) -> None:
    """Until the provider's id is known, the message cannot be assigned to a call."""
    [call_id] = house.claim(house.campaign(1))
    assert house.calls.request(call_id, dial_before=SOON)
    house.calls.lose_outcome(call_id, reason="time-out")
    erase(house)
    nameless = report(None)
    del nameless["message"]["call"]["customer"]
    house.calls.record_message(read_message(nameless))
    assert b"Person 1 speaking" in dumped(house.url)
    house.calls.place(call_id, provider_call_id=PROVIDER_ID, placed_at=NOON)
    house.settle()
    assert house.load_call(call_id).status is CallStatus.ENDED
    store = MessageRetention(house.writing)
    assert store.wipe_messages_of_erased() == 1
    assert store.wipe_messages_of_erased() == 0
    assert b"Person 1 speaking" not in dumped(house.url)
    assert problems(house) == []


def test_the_retention_empties_messages_and_keeps_their_digests(
    house: House,
) -> None:
    call_id = called(house, house.campaign(2))
    house.calls.record_message(read_message(report(call_id)))
    house.settle()
    store = MessageRetention(house.writing)
    assert store.wipe_messages_before(NOON) == 0
    assert store.wipe_messages_before(NOON + timedelta(seconds=1)) == 1
    assert house.vault.messages_of(call_id) == []
    left = dumped(house.url)
    assert b"Person 1 speaking" not in left
    assert FIRST.encode() in left
    assert problems(house) == []
