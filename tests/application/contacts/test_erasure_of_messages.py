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
from provider.vapi.messages.reading import read_call, read_message
from storage.database import connect
from storage.log.append import BULK_ROWS
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
from tests.child_process import join
from tests.database_dump import dumped
from tests.support import eventually
from tests.wiring import BY, NOON, Services


def record_late_messages(services: Services, call_id: UUID) -> None:
    """Record messages and a look-up of a call whose contact was erased meanwhile."""
    ringing = body_of(call_id, "status-update", status="ringing", timestamp=1)
    services.calls.record_message(read_message(ringing))
    services.calls.record_message(read_message(body_of(call_id, "hang")))
    shown = read_call(report(call_id)["message"] | CALL | {"status": "ended"})
    assert shown is not None
    services.calls.record_lookup(call_id, shown, grade=ReportGrade.LOOKED_UP)
    services.calls.record_message(read_message(report(call_id)))
    another = report(call_id)
    another["message"]["call"]["id"] = "another id at the provider"
    services.calls.record_message(read_message(another))


def test_messages_after_the_erasure_are_stored_without_content(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    call_id = called(services, campaign_id)
    assert erase(services).live == 1
    record_late_messages(services, call_id)
    services.settle()
    left = dumped(services.url)
    for personal in (FIRST[1:], "Person 1", "r.example"):
        assert personal.encode() not in left
    assert services.vault.messages_of(call_id) == []
    call = services.load_call(call_id)
    assert len(call.evidence) == 5
    assert (call.status, call.cost) == (CallStatus.ENDED, Decimal("0.2"))
    assert problems(services) == []


def test_the_text_of_a_refusal_after_the_erasure_is_not_stored(
    services: Services,
) -> None:
    [call_id] = services.claim(services.campaign(1))
    assert services.calls.request(call_id, dial_before=SOON)
    erase(services)
    refusal = Refusal(RefusalKind.CONTACT, None, "rule")
    text = f"{FIRST} is no number"
    services.calls.refuse(call_id, refusal, explanation=text, until=SOON)
    services.settle()
    assert FIRST[1:].encode() not in dumped(services.url)
    assert services.load_call(call_id).status is CallStatus.FAILED
    assert problems(services) == []


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
    services: Services, messages: int
) -> None:
    """The rows wait for the append lock until the erasure is stored."""
    call_id = called(services, services.campaign(1))
    rows = [message_row(call_id) for _ in range(messages)]
    call = services.load_call(call_id)
    for row in rows:
        proof = Evidence(message_id=row.id, digest=digest([row]))
        call.receive(type_="hang", evidence=proof, at=NOON, by=BY)
    storing = Thread(target=lambda: services.app.append(call, vault=rows), daemon=True)
    with connect(services.url, name="test") as conn:
        with conn.transaction():
            conn.execute("select autolynx_append_lock('{}', '{}')")
            storing.start()
            eventually(lambda: waits_for_its_turn(conn), what="the append")
            conn.execute("insert into erased_subject values (%s)", (call_id,))
        join(storing)
    assert services.load_call(call_id).evidence == {row.id for row in rows}
    assert b"Person 1 speaking" not in dumped(services.url)
    assert services.vault.messages_of(call_id) == []
    services.settle()
    assert problems(services) == []


def test_a_message_without_number_is_emptied_when_its_call_becomes_known(
    services: Services,
) -> None:
    """Until the provider's id is known, the message cannot be assigned to a call."""
    [call_id] = services.claim(services.campaign(1))
    assert services.calls.request(call_id, dial_before=SOON)
    services.calls.lose_outcome(call_id, reason="time-out")
    erase(services)
    nameless = report(None)
    del nameless["message"]["call"]["customer"]
    services.calls.record_message(read_message(nameless))
    assert b"Person 1 speaking" in dumped(services.url)
    services.calls.place(call_id, provider_call_id=PROVIDER_ID, placed_at=NOON)
    services.settle()
    assert services.load_call(call_id).status is CallStatus.ENDED
    store = MessageRetention(services.writing)
    assert store.wipe_messages_of_erased() == 1
    assert store.wipe_messages_of_erased() == 0
    assert b"Person 1 speaking" not in dumped(services.url)
    assert problems(services) == []


def test_the_retention_empties_messages_and_keeps_their_digests(
    services: Services,
) -> None:
    call_id = called(services, services.campaign(2))
    services.calls.record_message(read_message(report(call_id)))
    services.settle()
    store = MessageRetention(services.writing)
    assert store.wipe_messages_before(NOON) == 0
    assert store.wipe_messages_before(NOON + timedelta(seconds=1)) == 1
    assert services.vault.messages_of(call_id) == []
    left = dumped(services.url)
    assert b"Person 1 speaking" not in left
    assert FIRST.encode() in left
    assert problems(services) == []
