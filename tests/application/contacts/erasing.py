"""An erasure, and what tests look for before and after it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from application.contacts.erasure import Erasure, ErasureService
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from projections.engine.verify import verify
from storage.database import Conn
from storage.vault.erasure import ErasureStore
from tests.wiring import BY, NOON, Services, phones

SOON = NOON + timedelta(seconds=5)
PROVIDER_ID = "0199f2c4-8d5e-7a31-9b42-6c7d8e9f0a1b"
FIRST, SECOND, *_ = phones(3)
KEPT = phones(3)[2]
CALL = {"id": PROVIDER_ID, "createdAt": "2026-03-02T12:00:00Z"}


def erase(services: Services, phone: str = FIRST) -> Erasure:
    """Erase the person with this number, and wait for the read tables."""
    service = ErasureService(
        services.app, services.context, ErasureStore(services.writing)
    )
    done = service.erase(phone, by=BY)
    services.settle()
    return done


def contacts(services: Services, campaign_id: UUID) -> list[ContactRow]:
    services.settle()
    with services.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def counters(services: Services, campaign_id: UUID) -> dict[str, int]:
    """Return the campaign's counters that are not 0; their sum is checked."""
    board = services.board(campaign_id)
    names = ("pending", "queued", "ringing", "in_progress", "ended", "failed")
    shown = {name: getattr(board, name) for name in (*names, "canceled", "timed_out")}
    assert sum(shown.values()) == board.contacts
    return {name: count for name, count in shown.items() if count}


def problems(services: Services) -> list[str]:
    """Verify the log, the vault and the read tables; return all problems."""
    found: list[str] = []
    verify(
        services.url,
        now=services.now,
        on_problem=lambda problem: found.append(problem.message),
    )
    return found


def body_of(call_id: UUID | None, kind: str, **fields: Any) -> dict[str, Any]:
    """Return the body of a webhook about the call; `kind` is the message's type."""
    customer = {"number": FIRST, "name": "Person 1"}
    call: dict[str, Any] = {"id": PROVIDER_ID, "customer": customer}
    if call_id is not None:
        call["assistantOverrides"] = {"metadata": {"autolynx_call_id": str(call_id)}}
    return {"message": {"type": kind, "call": call, **fields}}


def report(call_id: UUID | None) -> dict[str, Any]:
    """Return the body of a final report with a transcript and a recording."""
    messages = [{"role": "user", "message": "Person 1 speaking"}]
    return body_of(
        call_id,
        "end-of-call-report",
        endedReason="customer-ended-call",
        cost=0.2,
        startedAt="2026-03-02T12:00:05Z",
        endedAt="2026-03-02T12:01:05Z",
        artifact={"messages": messages, "recordingUrl": "https://r.example/1.wav"},
    )


def called(services: Services, campaign_id: UUID) -> UUID:
    """Place a call to the campaign's only claimed contact; return its id."""
    [call_id] = services.claim(campaign_id)
    assert services.calls.request(call_id, dial_before=SOON)
    services.calls.place(call_id, provider_call_id=PROVIDER_ID, placed_at=NOON)
    return call_id


def waits_for_its_turn(conn: Conn) -> bool:
    """Return whether a process of this database waits for an advisory lock."""
    query = """select count(*) from pg_locks where locktype = 'advisory'
        and not granted
        and database = (select oid from pg_database where datname = current_database())
    """
    row = conn.execute(query).fetchone()
    return row is not None and row[0] > 0
