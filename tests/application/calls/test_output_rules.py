"""Output rules: dispositions from the report of a call, and what follows from them."""

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from domain.calls.reports import ReportGrade
from domain.campaigns.campaign_terms import CallingTerms, OutputRule
from domain.numbers.number import Number, number_id_of
from domain.outcomes import Disposition, DispositionSource
from projections.registers import suppression_board
from provider.vapi.messages.reading import read_call
from tests.application.calls.messages import record_message, report
from tests.application.contacts.campaign_line import BUSY, POLICY, Line
from tests.application.contacts.erasing import erase, problems
from tests.wiring import NOON, Services

RULES = (
    OutputRule("goal_reached", equals=True, means=Disposition.GOAL_REACHED),
    OutputRule("/successEvaluation", equals="stop", means=Disposition.OPTED_OUT),
    OutputRule("/successEvaluation", equals="who", means=Disposition.WRONG_PERSON),
)
OUTPUT, TOOL = DispositionSource.OUTPUT, DispositionSource.TOOL
TERMS = CallingTerms(retry_policy=POLICY, output_rules=RULES)


def outputs(*, goal: bool) -> dict[str, Any]:
    output = {"o-1": {"name": "goal_reached", "result": goal}}
    spoken = [{"role": "user", "message": "Yes, speaking, go on."}]
    return {"artifact": {"structuredOutputs": output, "messages": spoken}}


OPT_OUT = {"analysis": {"successEvaluation": "stop"}}


def disposition(services: Services, call_id: UUID) -> Disposition | None:
    return services.load_call(call_id).disposition


def number_of(services: Services, call_id: UUID) -> Number | None:
    key = services.load_call(call_id).number_key
    assert key is not None
    return services.app.find(Number, number_id_of(key))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (outputs(goal=True), Disposition.GOAL_REACHED),
        (outputs(goal=False), None),
        (OPT_OUT, Disposition.OPTED_OUT),
        (outputs(goal=True) | OPT_OUT, Disposition.OPTED_OUT),
        ({}, None),
    ],
)
def test_a_report_gives_the_call_the_disposition_of_its_outputs(
    services: Services, fields: dict[str, Any], expected: Disposition | None
) -> None:
    line = Line(services, TERMS)
    assert disposition(services, line.call(**fields)) is expected


def test_without_output_rules_a_report_gives_no_disposition(services: Services) -> None:
    line = Line(services, CallingTerms(retry_policy=POLICY))
    assert disposition(services, line.call(**outputs(goal=True))) is None


def test_a_looked_up_report_is_judged_by_the_rules_too(services: Services) -> None:
    line = Line(services, TERMS)
    call_id = line.place()
    document = {"id": str(call_id), "status": "ended", "createdAt": NOON.isoformat()}
    seen = read_call({**document, "endedReason": "x", **outputs(goal=True)})
    assert seen is not None
    services.calls.record_lookup(call_id, seen, grade=ReportGrade.LOOKED_UP)
    assert disposition(services, call_id) is Disposition.GOAL_REACHED


def test_reports_in_any_order_give_the_disposition_of_the_richest(
    services: Services,
) -> None:
    poor = {"artifact": {}, "analysis": {"successEvaluation": "who"}}
    rich = outputs(goal=True) | {"analysis": {"summary": "Agreed."}}
    empty: dict[str, Any] = {"artifact": {}, "cost": None}
    for order in permutations([poor, rich, empty]):
        line = Line(services, TERMS)
        call_id = line.place()
        for fields in order:
            body = report(call_id, **fields)
            body["message"]["call"]["id"] = str(call_id)
            record_message(services, body, body)
        assert disposition(services, call_id) is Disposition.GOAL_REACHED


def test_an_opt_out_in_the_outputs_suppresses_the_number_in_the_same_append(
    services: Services,
) -> None:
    line = Line(services, TERMS)
    call_id = line.place()
    last = services.app.recorder.max_notification_id()
    line.end(call_id, **OPT_OUT)
    number = number_of(services, call_id)
    assert number is not None
    assert number.is_suppressed
    query = "select count(distinct xmin::text) from autolynx_events"
    query += f" where notification_id > {last}"
    with services.writing.connection() as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row == (1,)


def test_another_disposition_does_not_suppress_the_number(services: Services) -> None:
    line = Line(services, TERMS)
    number = number_of(services, line.call(**outputs(goal=True)))
    assert number is not None
    assert not number.is_suppressed


def test_a_late_opt_out_withdraws_the_planned_retry_and_suppresses_once(
    services: Services,
) -> None:
    line = Line(services, TERMS)
    call_id = line.call(**BUSY)
    assert line.progress() == {"pending": 1}
    line.end(call_id, **BUSY, **OPT_OUT)
    line.end(call_id, **BUSY | OPT_OUT | {"cost": 0.5})
    assert line.progress() == {"ended": 1}
    number = number_of(services, call_id)
    assert number is not None
    requested_and_suppressed = 2
    assert (number.is_suppressed, number.version) == (True, requested_and_suppressed)


def test_a_webhook_without_new_terms_loads_the_campaign_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(services, TERMS, people=3)
    loaded: list[UUID] = []
    find = services.app.find

    def counting(kind: Any, id_: UUID) -> Any:
        loaded.append(id_)
        return find(kind, id_)

    calls = [line.place() for _ in range(3)]
    monkeypatch.setattr(services.app, "find", counting)
    for call_id in calls:
        line.end(call_id, **outputs(goal=True))
    assert loaded.count(line.campaign_id) <= 1


def test_the_register_shows_the_number_of_an_opt_out_until_it_is_erased(
    services: Services,
) -> None:
    line = Line(services, TERMS)
    call_id = line.call(**OPT_OUT)
    person = services.lookups.contact(services.load_call(call_id).contact_id)
    assert person is not None
    services.settle()
    with services.reading.connection() as conn:
        [row] = suppression_board.page(conn, first=5).nodes
    assert row.phone_id is not None
    assert services.vault.words(row.phone_id) == person.phone
    erase(services, person.phone)
    assert services.vault.words(row.phone_id) is None
    assert problems(services) == []
    number = number_of(services, call_id)
    assert number is not None
    assert number.is_suppressed
