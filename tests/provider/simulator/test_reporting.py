"""Reports that are empty, late or incomplete, in messages and in GET /call/{id}."""

import json
from collections import Counter
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from provider.simulator.__main__ import main
from provider.simulator.faults.reporting import Reporting, reporting_of
from provider.vapi.messages.reports import read_report
from tests.provider.simulator.placing import DANA, body, eventually, get, numbers, post
from tests.provider.simulator.receiving import SECONDS, Receiver
from tests.simulator import Simulator

OTHER = numbers(1)[0]
GENERIC = "call.in-progress.twilio-completed-call"
SPEECH = "AI: Hi, this is the clinic"


def dial(simulator: Simulator, receiver: Receiver, number: str = DANA) -> str:
    overrides = {"server": {"url": receiver.url}}
    answer = post(simulator, body(number, assistantOverrides=overrides))
    return str(answer.raise_for_status().json()["id"])


def set_reports(
    simulator: Simulator, *entries: dict[str, Any], reason: str = "customer-ended-call"
) -> None:
    endings = dict.fromkeys([DANA, OTHER], reason)
    simulator.set_faults(endings=endings, reports=entries)


def reports(
    simulator: Simulator, receiver: Receiver, count: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Wait for the end of the only call; return its reports and its ledger row."""
    (row,) = simulator.ledger(calls=1, timeout=SECONDS)["calls"]
    messages = [received.message for received in receiver.take(receiver.queue.qsize())]
    sent = [message for message in messages if message["type"] == "end-of-call-report"]
    assert len(sent) == count
    return sent, row


def test_an_empty_report_precedes_the_complete_one(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"first": "empty", "gap_seconds": 0})
    dial(simulator, receiver)
    (first, last), row = reports(simulator, receiver, 2)
    assert (first["endedReason"], first["cost"]) == (GENERIC, 0)
    assert (first["transcript"], first["analysis"]) == ("", {})
    assert not {"startedAt", "durationSeconds", "costs"} & first.keys()
    assert last["endedReason"] == "customer-ended-call"
    assert last["transcript"].startswith(SPEECH)
    assert last["cost"] == row["cost"] > 0


def test_a_long_report_repeats_the_conversation(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"least_bytes": 200_000})
    dial(simulator, receiver)
    (report,), row = reports(simulator, receiver, 1)
    assert 200_000 <= len(json.dumps(report)) < 300_000
    assert report["transcript"].startswith(row["transcript"] * 2)
    assert report["artifact"]["messages"] == report["messages"]


def test_a_long_report_of_an_unanswered_call_is_the_usual_one(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"least_bytes": 200_000}, reason="customer-busy")
    dial(simulator, receiver)
    (report,), _ = reports(simulator, receiver, 1)
    assert len(json.dumps(report)) < 10_000


def test_a_report_with_more_data_comes_later(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"first": "partial", "gap_seconds": 0.2})
    dial(simulator, receiver)
    (first, last), row = reports(simulator, receiver, 2)
    assert first["transcript"].startswith(SPEECH)
    assert first["startedAt"] == row["startedAt"]
    assert not {"cost", "costs", "costBreakdown", "recordingUrl"} & first.keys()
    assert last["cost"] == row["cost"] > 0
    # Times are in whole milliseconds, and a timer may fire one of them early.
    assert last["timestamp"] - first["timestamp"] >= 198


def test_the_first_report_of_an_unanswered_call_has_the_true_reason(
    simulator: Simulator, receiver: Receiver
) -> None:
    entry = {"first": "empty", "gap_seconds": 0}
    set_reports(simulator, entry, reason="customer-busy")
    dial(simulator, receiver)
    sent, _ = reports(simulator, receiver, 2)
    assert [report["endedReason"] for report in sent] == ["customer-busy"] * 2


@pytest.mark.parametrize(
    ("form", "places"),
    [
        ("everywhere", {"cost", "costBreakdown", "costs"}),
        ("field", {"cost"}),
        ("breakdown", {"costBreakdown"}),
        ("list", {"costs"}),
    ],
)
def test_a_report_states_the_cost_in_one_place(
    simulator: Simulator, receiver: Receiver, form: str, places: set[str]
) -> None:
    set_reports(simulator, {"cost": form})
    dial(simulator, receiver)
    (report,), row = reports(simulator, receiver, 1)
    assert report.keys() & {"cost", "costBreakdown", "costs"} == places
    assert read_report(report).cost == Decimal(str(row["cost"]))


def test_costs_may_be_texts(simulator: Simulator, receiver: Receiver) -> None:
    set_reports(simulator, {"cost": "text"})
    dial(simulator, receiver)
    (report,), row = reports(simulator, receiver, 1)
    assert report["cost"] == report["costBreakdown"]["total"] == str(row["cost"])
    assert {type(item["cost"]) for item in report["costs"]} == {str}


@pytest.mark.parametrize("form", ["null", "absent"])
def test_a_report_without_a_cost_does_not_change_the_ledger(
    simulator: Simulator, receiver: Receiver, form: str
) -> None:
    set_reports(simulator, {"cost": form})
    dial(simulator, receiver)
    (report,), row = reports(simulator, receiver, 1)
    assert {report.get(key) for key in ("cost", "costBreakdown", "costs")} == {None}
    assert ("cost" in report) is (form == "null")
    assert row["cost"] > 0


def test_the_reason_may_be_in_the_copy_of_the_call_only(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"reason": "call", "first": "empty", "gap_seconds": 0})
    dial(simulator, receiver)
    simulator.ledger(calls=1, timeout=SECONDS)
    *_, ended, first, last = (received.message for received in receiver.take(5))
    assert not any("endedReason" in message for message in (ended, first, last))
    named = [message["call"]["endedReason"] for message in (ended, first, last)]
    assert named == ["customer-ended-call", GENERIC, "customer-ended-call"]


@pytest.mark.parametrize(
    ("form", "left"),
    [("minutes", {"durationMinutes"}), ("absent", set())],
)
def test_durations_and_times_may_be_missing(
    simulator: Simulator, receiver: Receiver, form: str, left: set[str]
) -> None:
    set_reports(simulator, {"duration": form, "times": False})
    dial(simulator, receiver)
    (report,), _ = reports(simulator, receiver, 1)
    named = ("durationMs", "durationSeconds", "durationMinutes", "startedAt", "endedAt")
    assert report.keys() & set(named) == left


def test_the_api_knows_a_cost_that_no_report_states(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"cost": "absent"})
    call_id = dial(simulator, receiver)
    (_,), row = reports(simulator, receiver, 1)
    assert get(simulator, f"/call/{call_id}").json()["cost"] == row["cost"] > 0


def test_the_api_may_know_no_more_than_the_reports(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"cost": "absent", "read": "reported"})
    call_id = dial(simulator, receiver)
    reports(simulator, receiver, 1)
    shown = get(simulator, f"/call/{call_id}").json()
    assert not {"cost", "costs", "costBreakdown"} & shown.keys()
    assert shown["transcript"].startswith(SPEECH)
    assert shown["endedReason"] == "customer-ended-call"


def test_the_api_shows_an_empty_report_until_the_complete_one(
    simulator: Simulator, receiver: Receiver
) -> None:
    entry = {"first": "empty", "gap_seconds": 600, "read": "reported"}
    set_reports(simulator, entry)
    call_id = dial(simulator, receiver)

    def shown_with_report() -> dict[str, Any] | None:
        shown: dict[str, Any] = get(simulator, f"/call/{call_id}").json()
        return shown if "transcript" in shown else None

    shown = eventually(shown_with_report)
    assert (shown["status"], shown["transcript"], shown["cost"]) == ("ended", "", 0)


def test_an_entry_applies_to_matching_calls_only(
    simulator: Simulator, receiver: Receiver
) -> None:
    set_reports(simulator, {"number": OTHER, "cost": "absent"})
    dial(simulator, receiver)
    (report,), _ = reports(simulator, receiver, 1)
    assert report["cost"] > 0


def test_the_shares_of_several_entries_do_not_overlap() -> None:
    entries = [
        Reporting(share=0.25, cost="list"),
        Reporting(share=0.25, cost="text"),
        Reporting(number=DANA, cost="null"),
    ]
    people = [f"+1202555{index:04d}" for index in range(4000)]
    seen = Counter(
        reporting_of(entries, {"customer": {"number": number}}, seed=1).cost
        for number in people
    )
    assert abs(seen["list"] - 1000) < 120
    assert abs(seen["text"] - 1000) < 120
    assert seen["null"] <= 1
    assert seen["everywhere"] == 4000 - seen["list"] - seen["text"] - seen["null"]


def test_the_help_names_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for field in fields(Reporting):
        assert f'"{field.name}"' in shown
    for form in ("everywhere", "breakdown", "absent", "partial", "minutes"):
        assert form in shown
