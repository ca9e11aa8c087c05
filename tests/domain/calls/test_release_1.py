"""Values that release 1 stored without ranks are merged by fixed numbers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.calls import reports
from domain.calls.call import Call
from domain.calls.reports import Known, Ranks
from domain.outcomes import CallOutcome, ReportedOutcome
from tests.golden.catalogue import FOLDER, event_of

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(seconds=30)
FIRST, SECOND = UUID(int=1), UUID(int=2)
RULE = "before-release-2"
BUSY = ReportedOutcome(CallOutcome.BUSY, RULE)
VOICEMAIL = ReportedOutcome(CallOutcome.VOICEMAIL, RULE)

type Stored = tuple[str, dict[str, Any]]


def stored(topic: str, **own: Any) -> Stored:
    """Return an event as release 1 stored it, with some of its values."""
    file = FOLDER / f"{topic}.release-1.json"
    if not file.exists():  # The form has not changed since.
        file = FOLDER / f"{topic}.json"
    state: dict[str, Any] = orjson.loads(file.read_bytes())
    return topic, state | own


def proof(message_id: UUID) -> dict[str, str]:
    return {"message_id": str(message_id), "digest": "d"}


def answered(at: datetime | None) -> Stored:
    own = {"was": "RINGING", "standing": "IN_PROGRESS", "evidence": None}
    return stored("call.answered", answered_at=at and at.isoformat(), **own)


def ended(reason: str | None, at: datetime | None) -> Stored:
    own = {"was": "QUEUED", "standing": "ENDED", "evidence": None}
    return stored("call.ended", reason=reason, ended_at=at and at.isoformat(), **own)


def reported(message_id: UUID | None, **own: Any) -> Stored:
    values = {
        "grade": 3,
        "reason": "customer-busy",
        "started_at": None,
        "ended_at": AT.isoformat(),
        "duration_seconds": 0,
        "cost": "0.05",
        "evidence": proof(message_id) if message_id else None,
    }
    return stored("call.reported", **values | own)


def known_after(*events: Stored) -> Known:
    call: Any = None
    for version, (topic, state) in enumerate((stored("call.created"), *events), 1):
        event = event_of(topic, state)
        event.__dict__["originator_version"] = version
        call = event.mutate(call)
    assert isinstance(call, Call)
    return call.known


COMPLETE = Known(
    reason="customer-busy",
    ended_at=AT,
    duration_seconds=0,
    cost=Decimal("0.05"),
    message_id=FIRST,
    outcome=BUSY,
    ranks=Ranks(549, 0, 37, 37, 1061, 1829, 549),
)
POOR = Known(
    ended_at=AT,
    duration_seconds=0,
    cost=Decimal(0),
    message_id=FIRST,
    ranks=Ranks(0, 0, 7, 7, 775, 7, 0),
)
CASES = [
    ([answered(AT)], Known(started_at=AT, ranks=Ranks(started_at=1))),
    ([answered(None)], Known()),
    (
        [ended("customer-busy", AT)],
        Known(
            reason="customer-busy",
            ended_at=AT,
            outcome=BUSY,
            ranks=Ranks(reason=513, ended_at=1, outcome=513),
        ),
    ),
    (
        [ended("", None)],
        Known(
            outcome=ReportedOutcome(CallOutcome.UNKNOWN, RULE), ranks=Ranks(outcome=513)
        ),
    ),
    (
        [ended(None, AT), ended("voicemail", LATER)],
        Known(
            reason="voicemail",
            ended_at=LATER,
            outcome=VOICEMAIL,
            ranks=Ranks(reason=513, ended_at=1, outcome=513),
        ),
    ),
    ([reported(FIRST)], COMPLETE),
    ([reported(FIRST), ended("voicemail", LATER)], COMPLETE),
    ([reported(FIRST, grade=1, cost="0", reason=None)], POOR),
    (
        [reported(FIRST, grade=1, cost="0", reason=None), ended("voicemail", LATER)],
        Known(
            reason="voicemail",
            ended_at=AT,
            duration_seconds=0,
            cost=Decimal(0),
            message_id=FIRST,
            outcome=VOICEMAIL,
            ranks=Ranks(513, 0, 7, 7, 775, 7, 513),
        ),
    ),
    ([reported(FIRST, grade=1), reported(None)], COMPLETE),
    (
        [stored("call.timed_out")],
        Known(
            outcome=ReportedOutcome(CallOutcome.UNKNOWN, RULE), ranks=Ranks(outcome=1)
        ),
    ),
    (
        [stored("call.canceled")],
        Known(
            outcome=ReportedOutcome(CallOutcome.CANCELED, RULE), ranks=Ranks(outcome=1)
        ),
    ),
]


@pytest.mark.parametrize(("events", "known"), CASES)
def test_events_of_release_1_give_the_values_and_ranks_of_the_first_merge(
    events: Iterable[Stored], known: Known
) -> None:
    assert known_after(*events) == known


def test_how_reports_are_ranked_today_does_not_change_events_of_release_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object, **__: object) -> None:
        pytest.fail("an event of release 1 was merged by today's rules")

    for name in ("FIRST_REPORT_RANK", "STEP", "PERSON_SPOKE"):
        monkeypatch.setattr(reports, name, 7)
    monkeypatch.setattr(Known, "merged_with", refused)
    monkeypatch.setattr(reports, "_ranks", refused)
    for events, known in CASES:
        assert known_after(*events) == known


def test_the_numbers_in_stored_ranks_are_as_they_were() -> None:
    assert (reports.STATUS_RANK, reports.FIRST_REPORT_RANK) == (1, 2)
    assert (reports.PERSON_SPOKE, reports.STEP) == (64, 256)
    assert list(reports.ReportGrade) == [0, 1, 2, 3]
    assert list(reports.ReasonDetail) == [1, 2]
    assert list(reports.OutcomeBasis) == [1, 2, 3, 4, 5]
    assert list(reports.CostBasis) == [0, 1, 2, 3, 4]
