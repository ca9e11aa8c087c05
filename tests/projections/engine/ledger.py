"""A database with a short history, and its verification."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from projections.engine.chain import Problem
from projections.engine.verify import Verified, verify
from provider.vapi.messages.reading import read_message
from storage.database import Conn, connect
from storage.log.verification_state import VerificationState, read_verification
from tests.reused_databases import ReusedDatabase
from tests.wiring import BY, NOON, Services, services_over

DIAL_BEFORE = NOON + timedelta(seconds=5)


@dataclass
class Ledger:
    """The services over a database, and the problems of its last verification."""

    services: Services
    conn: Conn
    problems: list[Problem] = field(default_factory=list)

    def verify(self, *, incremental: bool = False) -> Verified:
        self.problems.clear()
        return verify(
            self.services.url,
            now=lambda: NOON,
            incremental=incremental,
            on_problem=self.problems.append,
        )

    def found(self, *, incremental: bool = False) -> list[tuple[int | None, str]]:
        """Verify; return the position and message of each problem."""
        self.verify(incremental=incremental)
        return [(problem.position, problem.message) for problem in self.problems]

    def position_of(self, topic: str) -> int:
        query = "select max(notification_id) from autolynx_events where topic = %s"
        return int(self.value(query, topic))

    def value(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]

    def execute(self, statement: str, *values: Any) -> None:
        assert self.conn.execute(statement.encode(), values).rowcount > 0

    def make_call(self, provider_id: str = "p-9") -> None:
        """Make one more call, which ends with a report."""
        services = self.services
        view = services.snapshot()
        [call_id] = services.claim(view.campaigns[0].id)
        complete_call(services, call_id, provider_id)
        services.settle()

    @property
    def last(self) -> int:
        return int(self.value("select max(notification_id) from autolynx_events"))

    @property
    def mark(self) -> VerificationState:
        mark = read_verification(self.conn)
        assert mark is not None
        return mark


def complete_call(services: Services, call_id: Any, provider_id: str) -> None:
    services.calls.request(call_id, dial_before=DIAL_BEFORE)
    services.calls.place(call_id, provider_call_id=provider_id, placed_at=NOON)
    call = {
        "id": provider_id,
        "createdAt": "2026-03-02T12:00:00Z",
        "assistantOverrides": {"metadata": {"autolynx_call_id": str(call_id)}},
    }
    message = {
        "type": "end-of-call-report",
        "call": call,
        "endedReason": "customer-ended-call",
        "cost": 0.31,
        "startedAt": "2026-03-02T12:00:05Z",
        "endedAt": "2026-03-02T12:01:05Z",
        "artifact": {"messages": [{"role": "user", "message": "Yes, please."}]},
    }
    services.calls.record_message(read_message({"message": message}))


@contextmanager
def opened_ledger(database: ReusedDatabase) -> Iterator[Ledger]:
    """Complete one call of a campaign of two."""
    with (
        services_over(database) as services,
        connect(services.url, name="test") as conn,
    ):
        upload = services.staged.stage(["+12025550101", "+12025550102"], rejects=[7])
        new = services.new_campaign(upload)
        made = services.imports.create_campaign(new, default_cap=8, by=BY)
        services.campaigns.start(made.campaign_id, by=BY)
        [call_id] = services.claim(made.campaign_id)
        complete_call(services, call_id, "p-1")
        services.campaigns.pause(made.campaign_id, by=BY, reason="lunch")
        services.campaigns.resume(made.campaign_id, by=BY)
        services.settle()
        conn.execute("set search_path = read, public")
        yield Ledger(services, conn)
