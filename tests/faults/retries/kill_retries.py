"""The part of the soak that kills all processes during a campaign with retries.

The gaps of a policy are whole minutes, so the campaign takes minutes of real time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.outcomes import CallOutcome
from domain.values import DialMode
from projections.engine.verify import verify
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from storage.process.embedded_postgres import embedded_postgres
from storage.process.postgres_supervisor import Home
from tests.faults.cluster import DURABLE, WITHIN, Cluster, stop_postgres_immediately
from tests.faults.load import FAULTS, ROLES, ProcessGroup, process_group
from tests.faults.retries.event_log import Recount, read_log
from tests.faults.soak.report import Tally
from tests.support import eventually
from tests.wiring import BY, phones

PEOPLE, CAP, ATTEMPTS, MOST_CALLBACKS = 60, 12, 3, 2
GAP = timedelta(minutes=1)
KILLING_SECONDS, LONGEST_SECONDS = 150.0, 420.0
RESTART_RATE = 0.04
"""Probability that Postgres is restarted, per killed process."""

RESTARTED = "Postgres: stopped immediately and restarted, with retries"
RETRIED = {
    "customer-busy": CallOutcome.BUSY,
    "customer-did-not-answer": CallOutcome.NO_ANSWER,
    "voicemail": CallOutcome.VOICEMAIL,
}
"""Ended reasons after which the policy allows a retry."""

POLICY = RetryPolicy(
    attempts=ATTEMPTS,
    per_day=5,
    min_gap_minutes=1,
    expires_after_days=1,
    rules=(RetryRule(tuple(RETRIED.values()), ATTEMPTS - 1, (1,)),),
)
TOOLS_ASSISTANT_ID = "0d0f5f0e-3f4c-4a53-8f0a-5a6a5d2a7c11"
ASSISTANT: Mapping[str, Any] = {
    "id": TOOLS_ASSISTANT_ID,
    "name": "With tools",
    "model": {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "tools": [
            {"type": "function", "function": {"name": name}}
            for name in ("record_opt_out", "schedule_callback")
        ],
    },
    "maxDurationSeconds": 300,
}
SIMULATED: Mapping[str, Any] = {
    "assistants": [ASSISTANT],
    "outcomes": {"assistant-ended-call": 35, "voicemail": 15}
    | {"customer-did-not-answer": 28, "customer-busy": 22},
    "scenes": {"agrees": 30, "declines": 20, "callback": 25, "opt_out": 25},
    "reach": {"time_zone": "America/New_York"},
    "callback_seconds": 100.0,
    "faults": FAULTS
    | {
        "reports": [
            {"share": 0.15, "first": "empty"},
            {"share": 0.1, "first": "partial", "gap_seconds": 5.0},
        ]
    },
}

type Call = dict[str, Any]


def kill_with_retries(home: Home, seed: int, campaigns: int, tally: Tally) -> None:
    """Run campaigns, each on its own server, and add what they show to the tally."""
    for one in range(seed, seed + campaigns):
        own = Home(home.folder / f"retries_{one}")
        try:
            with embedded_postgres(own.folder, DURABLE) as url:
                _run_campaign(url, own, one, tally)
        except AssertionError as violation:
            tally.violations.append(f"kills with retries, seed {one}: I8: {violation}")


def _run_campaign(url: str, home: Home, seed: int, tally: Tally) -> None:
    with process_group(url, seed, SIMULATED) as (cluster, processes):
        campaign_id = _campaign(cluster)
        _kill(cluster, processes, home, seed, tally)
        over = lambda: cluster.is_over(campaign_id)  # noqa: E731 - a named condition
        eventually(over, LONGEST_SECONDS, what="the campaign with retries")
        ledger = cluster.simulator.ledger(calls=1, timeout=WITHIN)["calls"]
        found = list(violations(cluster, campaign_id, ledger))
        tally.violations += [f"kills with retries, seed {seed}: {one}" for one in found]
        tally.happened += processes.killed
        tally.campaigns += 1
        tally.contacts += PEOPLE
        tally.calls += len(ledger)
        _count(ledger, tally)


def _campaign(cluster: Cluster) -> UUID:
    services = cluster.services
    assistant, _ = services.assistants.import_assistant(
        TOOLS_ASSISTANT_ID, name=None, by=BY
    )
    return services.campaign(
        PEOPLE,
        cap=CAP,
        mode=DialMode.CONTINUOUS,
        assistant_id=assistant,
        phone_number_id=DEFAULT_PHONE_NUMBER_ID,
        terms=CallingTerms(POLICY),
    )


def _kill(
    cluster: Cluster, processes: ProcessGroup, home: Home, seed: int, tally: Tally
) -> None:
    """Kill a process every second or so, and sometimes restart Postgres."""
    random, until = Random(f"{seed} kill retries"), monotonic() + KILLING_SECONDS
    while monotonic() < until:
        Event().wait(random.uniform(0.5, 2))
        processes.kill(random.randrange(len(ROLES)))
        if random.random() < RESTART_RATE:
            tally.happened[RESTARTED] += 1
            stop_postgres_immediately(home)
            cluster.exit_stack.enter_context(embedded_postgres(home.folder, DURABLE))


def _count(ledger: list[Call], tally: Tally) -> None:
    tally.followed["calls after the first of a contact"] += sum(
        call["metadata"]["attempt"] > 1 for call in ledger
    )
    for call in ledger:
        for tool in call["toolCalls"]:
            if tool["result"] is not None:
                tally.followed[f"answers to {tool['name']}"] += 1


# --- Checks ---------------------------------------------------------------------------


def violations(
    cluster: Cluster, campaign_id: UUID, ledger: list[Call]
) -> Iterator[str]:
    """Compare the ledger and the events with the policy."""
    by_number: dict[str, list[Call]] = defaultdict(list)
    for call in ledger:
        by_number[call["number"]].append(call)
    if not by_number.keys() <= set(phones(PEOPLE)):
        yield "I3: a number outside the list was called"
    explained = _explained(cluster, campaign_id)
    for number, calls in by_number.items():
        calls.sort(key=lambda call: str(call["createdAt"]))
        yield from _of_number(number, calls, explained)
    yield from _counts(cluster, campaign_id)
    yield from _after_opt_out(cluster, campaign_id, ledger)
    problems: list[str] = []
    verify(
        cluster.services.url,
        now=cluster.services.now,
        on_problem=lambda problem: problems.append(f"I7: {problem}"),
    )
    yield from problems


def _of_number(number: str, calls: list[Call], explained: set[str]) -> Iterator[str]:
    attempts = [call["metadata"]["attempt"] for call in calls]
    if len(set(attempts)) != len(attempts):
        yield f"I1: attempts {attempts} of {number}"
    rang = [call for call in calls if call["ringingAt"]]
    used, callbacks, before = 0, 0, None
    for call in rang:
        if before is not None and _agreed(before) and callbacks < MOST_CALLBACKS:
            callbacks += 1
        else:
            used += 1
            if before is not None and _time(call, "createdAt") < _end(before) + GAP:
                yield f"gap: {number} {call['createdAt']} after {before['endedAt']}"
        before = call
    if used > ATTEMPTS:
        yield f"budget: {used} calls of {number}"
    if before is None or calls[-1]["metadata"]["autolynx_contact_id"] in explained:
        return
    if _agreed(before) and callbacks < MOST_CALLBACKS:
        yield f"lost: the callback of {number}"
    if before["endedReason"] in RETRIED and used < ATTEMPTS:
        yield f"lost: the retry of {number} after {before['endedReason']}"


def _explained(cluster: Cluster, campaign_id: UUID) -> set[str]:
    """Return the contacts whose end is recorded with a reason, or that failed."""
    named = {"contact.finished", "contact.withheld", "contact.withdrawn"}
    return {
        str(event.contact)
        for event in read_log(cluster.services, {campaign_id})
        if event.topic in named or event.topic in {"call.failed", "call.timed_out"}
    }


def _counts(cluster: Cluster, campaign_id: UUID) -> Iterator[str]:
    recount = Recount(cluster.services, {campaign_id})
    recount.update()
    yield from recount.problems
    row, counts = cluster.services.board(campaign_id), recount.counts(campaign_id)
    shown = {"ENDED": row.ended, "FAILED": row.failed, "CANCELED": row.canceled}
    shown |= {"TIMEOUT": row.timed_out}
    if {name: count for name, count in shown.items() if count} != dict(counts):
        yield f"I6: shown {shown}, counted {counts}"
    if sum(shown.values()) != PEOPLE:
        yield f"I8: {shown} for {PEOPLE} contacts"


def _after_opt_out(
    cluster: Cluster, campaign_id: UUID, ledger: list[Call]
) -> Iterator[str]:
    numbers = {call["metadata"]["autolynx_call_id"]: call["number"] for call in ledger}
    suppressed: dict[str, int] = {}
    for event in read_log(cluster.services, {campaign_id}):
        number = numbers.get(str(event.stream), "")
        if event.topic == "number.suppressed":
            suppressed[numbers[event.values["call_id"]]] = event.position
        elif event.topic == "call.requested" and number in suppressed:
            yield f"opt-out: {number} was requested at {event.position}, after it"
    for call in ledger:
        told = [one for one in call["toolCalls"] if one["name"] == "record_opt_out"]
        if any(one["result"] for one in told) and call["number"] not in suppressed:
            yield f"opt-out: of {call['number']} answered, not stored"


def _agreed(call: Call) -> bool:
    """Return whether the callee was told that a callback is made."""
    return any(
        one["name"] == "schedule_callback"
        and str(one["result"] or "").startswith("Confirmed")
        for one in call["toolCalls"]
    )


def _time(call: Call, name: str) -> datetime:
    return datetime.fromisoformat(call[name])


def _end(call: Call) -> datetime:
    return _time(call, "endedAt")
