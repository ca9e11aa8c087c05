from dataclasses import replace
from typing import Any

import pytest

from interfaces.cli.demo.reckoning import PARTS, Evidence, problems

PHONES = ["+12015550100", "+12025550100"]


def call(number: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "metadata": {"attempt": 1},
        "ringingAt": "2026-01-01T00:00:00Z",
        "endedReason": "customer-busy",
        "cost": 0.04,
        "recordingUrl": None,
    } | more


def row(phone: str, **more: str) -> dict[str, str]:
    return {
        "phone": phone,
        "status": "ENDED",
        "ended_reason": "customer-busy",
        "cost": "0.04",
        "recording_url": "",
    } | more


PROGRESS: dict[str, Any] = dict.fromkeys(PARTS, 0) | {
    "state": "COMPLETED",
    "contacts": 2,
    "ended": 2,
}

GOOD = Evidence(
    campaign_id="c",
    cap=2,
    phones=PHONES,
    progress=PROGRESS,
    rows=[row(phone) for phone in PHONES],
    ledger={
        "calls": [call(phone) for phone in PHONES],
        "highWater": {"campaigns": {"c": 2}},
    },
)


def ledger(*more: dict[str, Any], most: int = 2) -> dict[str, Any]:
    calls = [*GOOD.ledger["calls"], *more]
    return {"calls": calls, "highWater": {"campaigns": {"c": most}}}


def test_matching_evidence_has_no_problem() -> None:
    assert problems(GOOD) == []


def test_a_second_attempt_after_a_call_that_never_rang_is_no_problem() -> None:
    first = call(PHONES[0], ringingAt=None, metadata={"attempt": 0})
    calls = [first, *GOOD.ledger["calls"]]
    ledger = {"calls": calls, "highWater": {"campaigns": {"c": 1}}}
    assert problems(replace(GOOD, ledger=ledger)) == []


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (replace(GOOD, progress=PROGRESS | {"state": "PAUSED"}), "PAUSED"),
        (replace(GOOD, progress=PROGRESS | {"ended": 1}), "counters add up to 1"),
        (replace(GOOD, ledger=ledger(call(PHONES[0]))), "called 2 times"),
        (
            replace(GOOD, ledger=ledger(call(PHONES[0], metadata={"attempt": 2}))),
            "rung 2 times",
        ),
        (replace(GOOD, ledger=ledger(most=3)), "the cap is 2"),
        (replace(GOOD, ledger=ledger(call("+12035550100"))), "not in the file"),
        (replace(GOOD, rows=list(reversed(GOOD.rows))), "in the file's order"),
        (
            replace(GOOD, rows=[row(PHONES[0], cost="0.05"), row(PHONES[1])]),
            "the export and the provider's ledger differ",
        ),
        (
            replace(GOOD, ledger={**GOOD.ledger, "calls": [call(PHONES[0])]}),
            "never called",
        ),
    ],
)
def test_each_contradiction_is_named(evidence: Evidence, said: str) -> None:
    assert any(said in problem for problem in problems(evidence))


def test_a_suppressed_contact_is_not_called_and_canceled() -> None:
    withheld = replace(
        GOOD,
        suppressed=PHONES[1:],
        rows=[row(PHONES[0]), row(PHONES[1], status="CANCELED", ended_reason="")],
        ledger={"calls": [call(PHONES[0])], "highWater": {"campaigns": {"c": 1}}},
    )
    assert problems(withheld) == []
    waiting = replace(withheld, rows=[row(PHONES[0]), row(PHONES[1], status="PENDING")])
    assert problems(waiting) == [
        "+12025550100 is PENDING, although it is suppressed",
    ]
    called = replace(GOOD, suppressed=PHONES[1:])
    assert problems(called) == ["+12025550100 was called, although it is suppressed"]
