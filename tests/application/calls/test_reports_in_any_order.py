"""Reports in any order, repeated and incomplete: the same rows of the read model.

The provider's own documents go through the services, a real log and the projections.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.reports import ReportGrade
from provider.vapi.messages.reading import read_call, read_message
from tests.examples import examples
from tests.wiring import NOON, Services, open_services, phones

GENERIC = "call.in-progress.twilio-completed-call"
SPECIFIC = ("customer-ended-call", "voicemail", "customer-busy")
SAID = ("Yes?", "Please leave a message after the tone.", None)
"""What the callee's side says: a person's words, a machine's, or nothing."""
EXPECTED = Decimal("0.25")
RECORDING = "https://recordings.example.com/a.wav"


@dataclass(frozen=True)
class ReportCase:
    """What one report contains, and how it arrives; seconds after noon, US dollars."""

    way: str
    reason: str | None = None
    reason_in_call: bool = False
    started: int | None = None
    ended: int | None = None
    minutes: float | None = None
    cost: str | None = None
    cost_form: str = "field"
    transcript: bool = False
    said: str | None = SAID[0]
    recording: bool = False
    analysis: bool = False

    @property
    def facts(self) -> int:
        """Count what it contains; a zero and a generic reason are nothing."""
        return sum(
            (
                self.reason in SPECIFIC,
                self.started is not None,
                self.ended is not None,
                bool(self.minutes) or None not in {self.started, self.ended},
                self.charge is not None,
                self.transcript,
                self.recording,
                self.analysis,
            )
        )

    @property
    def charge(self) -> Decimal | None:
        """The cost that it names, if it is more than nothing."""
        return Decimal(self.cost) if self.cost and Decimal(self.cost) else None

    @property
    def document(self) -> dict[str, Any]:
        """Write it as the provider does; `call` is the copy of the call inside."""
        artifact = {
            "messages": self._messages() if self.transcript else [],
            **(
                {"recordingUrl": "https://recordings.example.com/a.wav"}
                if self.recording
                else {}
            ),
        }
        return {
            "artifact": artifact,
            "analysis": {"summary": "Agreed."} if self.analysis else {},
            **_given(startedAt=_at(self.started), endedAt=_at(self.ended)),
            **_given(durationMinutes=self.minutes),
            **({} if self.reason_in_call else _given(endedReason=self.reason)),
            **self._price(),
        }

    def _messages(self) -> list[dict[str, Any]]:
        callee = [{"role": "user", "message": self.said}] if self.said else []
        return [{"role": "bot", "message": "Good morning."}, *callee]

    def _price(self) -> dict[str, Any]:
        if self.cost is None:
            return {"cost": None, "costBreakdown": {}, "costs": []}
        number = float(self.cost)
        forms: dict[str, dict[str, Any]] = {
            "field": {"cost": number},
            "text": {"cost": self.cost},
            "breakdown": {"costBreakdown": {"total": number}},
            "list": {"costs": [{"cost": number}, {"cost": 0}, {"cost": None}]},
        }
        return forms[self.cost_form]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _at(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return (NOON + timedelta(seconds=seconds)).isoformat()


WAYS = st.sampled_from(["report", "report", "look", "last look", "given up", "ended"])
REPORTS = st.builds(
    ReportCase,
    way=WAYS,
    reason=st.sampled_from([None, GENERIC, *SPECIFIC]),
    reason_in_call=st.booleans(),
    started=st.sampled_from([None, 5, 6]),
    ended=st.sampled_from([None, 65, 70]),
    minutes=st.sampled_from([None, 0, 1, 1.05]),
    cost=st.sampled_from([None, "0", "0.06", "0.31"]),
    cost_form=st.sampled_from(["field", "text", "breakdown", "list"]),
    transcript=st.booleans(),
    said=st.sampled_from(SAID),
    recording=st.booleans(),
    analysis=st.booleans(),
)


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[ReportCase], list[ReportCase]]:
    """Draw reports, and the same ones in another order with repetitions."""
    reports: list[ReportCase] = draw(st.lists(REPORTS, min_size=1, max_size=5))
    repeated = draw(st.lists(st.sampled_from(reports), max_size=3))
    return reports, list(draw(st.permutations(reports + repeated)))


# --- One call of a campaign of its own ------------------------------------------------


@pytest.fixture(scope="module")
def services(shared_database: str) -> Iterator[Services]:
    with open_services(shared_database) as services:
        yield services


def call_after(services: Services, reports: list[ReportCase]) -> UUID:
    """Place a call and record the reports; return the campaign's id."""
    campaign_id = services.campaign(phones(1))
    [call_id] = services.claim(campaign_id)
    services.calls.request(call_id, dial_before=NOON + timedelta(seconds=5))
    provider_call_id = f"vapi-{call_id}"
    services.calls.place(call_id, provider_call_id=provider_call_id, placed_at=NOON)
    for report in reports:
        receive(services, call_id, report)
    services.settle()
    return campaign_id


def receive(services: Services, call_id: UUID, case: ReportCase) -> None:
    call: dict[str, Any] = {
        "id": f"vapi-{call_id}",
        "createdAt": NOON.isoformat(),
        "name": str(call_id),
    }
    inside = {**call, **_given(endedReason=case.reason)}
    if case.way == "given up":
        services.calls.close_report(call_id, cost=EXPECTED)
    elif case.way == "ended":
        ended: dict[str, Any] = {"type": "status-update", "status": "ended"}
        ended["call"] = inside
        ended["timestamp"] = (NOON + timedelta(seconds=64)).timestamp() * 1000
        services.calls.record_message(read_message({"message": ended}))
    elif case.way == "report":
        copy = inside if case.reason_in_call else call
        report = {"type": "end-of-call-report", "call": copy, **case.document}
        services.calls.record_message(read_message({"message": report}))
    else:
        look(
            services, call_id, {**inside, **case.document}, last=case.way == "last look"
        )


def look(
    services: Services, call_id: UUID, document: dict[str, Any], *, last: bool
) -> None:
    seen = read_call({**document, "status": "ended"})
    assert seen is not None
    grade = ReportGrade.LOOKED_UP_LAST if last else ReportGrade.LOOKED_UP
    services.calls.record_lookup(call_id, seen, grade=grade)


ROWS: dict[str, LiteralString] = {
    "call": """
        select l.status, l.standing, l.started_at, l.ended_at, l.closed_at,
            l.duration_seconds, l.ended_reason, l.outcome, l.cost,
            m.transcript::text, m.recording_url
        from call_log l left join message_vault m on m.id = l.report_message_id
        where l.campaign_id = %(id)s
    """,
    "contact": """
        select status, attempt, due_at, requeue from contact_log
        where campaign_id = %(id)s
    """,
    "board": """
        select contacts, pending, queued, ringing, in_progress, ended, failed, canceled,
            timed_out, awaiting_reports, spend, costs_reported
        from campaign_board where id = %(id)s
    """,
    "day": """
        select day, spend from spend_by_day where campaign_id = %(id)s and spend <> 0
    """,
    "charged": """
        select calls, seconds, cost from charged_calls
        where campaign_id = %(id)s and calls <> 0
    """,
    "queue": "select phase from dial_queue where campaign_id = %(id)s",
}


def rows(services: Services, campaign_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Read what the read model shows of a campaign with one call, but for its ids."""
    found = {}
    with services.reading.connection() as conn:
        for name, query in ROWS.items():
            cursor = conn.execute(query, {"id": campaign_id})
            names = [column.name for column in cursor.description or ()]
            values = [dict(zip(names, row, strict=True)) for row in cursor]
            found[name] = values
    return found


@examples(12)
@given(orders=orders())
def test_any_order_and_repetition_of_reports_gives_the_same_rows(
    services: Services, orders: tuple[list[ReportCase], list[ReportCase]]
) -> None:
    reports, shuffled = orders
    one, other = (
        rows(services, call_after(services, order)) for order in (reports, shuffled)
    )
    assert one == other
    [call], [board] = one["call"], one["board"]
    cost = call["cost"] or Decimal(0)
    assert board["spend"] == sum((day["spend"] for day in one["day"]), Decimal(0))
    assert board["spend"] == cost
    assert board["costs_reported"] == (call["cost"] is not None)
    assert board["awaiting_reports"] == len(one["queue"])
    assert (board["ended"], board["contacts"]) == (1, 1)


@examples(12)
@given(reports=st.lists(REPORTS, min_size=1, max_size=5))
def test_a_call_shows_no_less_than_its_most_complete_report(
    services: Services, reports: list[ReportCase]
) -> None:
    [call] = rows(services, call_after(services, reports))["call"]
    reports = [one for one in reports if one.way in {"report", "look", "last look"}]
    for one in reports:
        assert call["ended_reason"] is not None or one.reason is None
        assert call["ended_reason"] != GENERIC or one.reason not in SPECIFIC
        assert call["started_at"] is not None or one.started is None
        assert call["ended_at"] is not None or one.ended is None
        assert call["duration_seconds"] is not None or not one.minutes
        assert call["transcript"] is not None or not one.transcript
        assert call["cost"] or one.charge is None
    most = max((one.facts for one in reports), default=0)
    best = {one.charge for one in reports if one.facts == most}
    charges = {one.charge for one in reports if one.charge is not None}
    if charges and None not in best:
        assert call["cost"] in best
    elif charges:
        assert call["cost"] in charges
