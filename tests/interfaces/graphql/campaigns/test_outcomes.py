"""Outcomes, dispositions and analysis, from the provider's report to the API."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from application.calls.claims import ClaimService
from domain.dial_view import PlannedCall
from domain.values import Role
from projections import dial_snapshot
from projections.contacts import contact_log
from provider.vapi.messages.reading import read_message
from tests.interfaces.serving import ApiClient, utc_now
from tests.projections.dialing.dial_scene import everybody_may_be_called

FILE = (
    "name,business_name,phone\nAda,,+12025550101\nBob,,+12025550102\n"
    "Cid,,+12025550103\nDee,,+12025550104\n"
)
CAMPAIGN = """query($id: ID!, $outcomes: [CallOutcome!], $dispositions: [Disposition!],
    $search: String) {
  campaign(id: $id) {
    outcomes { outcome calls contacts }
    funnel { contacts dialed answered human goal withheld optedOut }
    contacts(outcomes: $outcomes, dispositions: $dispositions, search: $search) {
      totalCount
      nodes { name outcome disposition note
        call { outcome disposition structuredOutputs summary ringSeconds } } } } }"""
SET = """mutation($id: ID!, $to: Disposition, $note: String) {
  setDisposition(contactId: $id, disposition: $to, note: $note) {
    ... on Contact { name disposition note }
    ... on UserError { code message fields { path } } } }"""

GREETING = "Please leave a message after the tone."


def report(call_id: UUID, text: str | None, reason: str) -> dict[str, Any]:
    start = "2026-03-01T12:00:20Z"
    spoken = [{"role": "user", "message": text}] if text else []
    return {
        "message": {
            "type": "end-of-call-report",
            "call": {"id": f"p-{call_id}", "name": str(call_id)},
            "endedReason": reason,
            "startedAt": start if text else None,
            "endedAt": "2026-03-01T12:01:00Z",
            "cost": 0.1,
            "artifact": {
                "messages": spoken,
                "structuredOutputs": {"o-1": {"name": "goal", "result": bool(text)}},
            },
            "analysis": {"summary": f"About {text}."},
        }
    }


def ringing(call_id: UUID) -> dict[str, Any]:
    return {
        "message": {
            "type": "status-update",
            "status": "ringing",
            "timestamp": "2026-03-01T12:00:02Z",
            "call": {"id": f"p-{call_id}", "name": str(call_id)},
        }
    }


@pytest.fixture(scope="module")
def called(shared_api: ApiClient) -> str:
    """A campaign of four: one answered, one had a voicemail, one was busy."""
    campaign = shared_api.campaign(FILE)
    shared_api.execute("mutation($id: ID!) { startCampaign(id: $id) { __typename } }",
                id=campaign)  # fmt: skip
    shared_api.caught_up()
    with shared_api.read_pool.connection() as conn:
        nodes = contact_log.page(conn, UUID(campaign), first=9).nodes
        seen = dial_snapshot.snapshot(
            conn, utc_now(), 1, everybody_may_be_called
        ).claims_seen
    chosen = [PlannedCall(UUID(campaign), one.id, 1, requeued=False) for one in nodes]
    ids = (
        ClaimService(shared_api.app, shared_api.context)
        .claim(chosen[:3], seen=seen)
        .calls
    )
    reports = [
        ("Yes, who is there?", "assistant-ended-call"),
        (GREETING, "assistant-ended-call"),
        (None, "customer-busy"),
    ]
    for call_id, (text, reason) in zip(ids, reports, strict=True):
        shared_api.caught_up()
        shared_api.calls.request(call_id, dial_before=utc_now() + timedelta(seconds=9))
        for body in (ringing(call_id), report(call_id, text, reason)):
            shared_api.calls.record_message(read_message(body))
    shared_api.caught_up()
    return campaign


def shown(shared_api: ApiClient, campaign: str, **filters: Any) -> Any:
    return shared_api.execute(CAMPAIGN, Role.AUDITOR, id=campaign, **filters)[
        "campaign"
    ]


def test_calls_and_contacts_show_their_outcomes(
    shared_api: ApiClient, called: str
) -> None:
    contacts = shown(shared_api, called)["contacts"]["nodes"]
    assert [(one["name"], one["outcome"]) for one in contacts] == [
        ("Ada", "HUMAN"),
        ("Bob", "VOICEMAIL"),
        ("Cid", "BUSY"),
        ("Dee", None),
    ]
    ada, _, cid, _ = (one["call"] for one in contacts)
    assert ada == {
        "outcome": "HUMAN",
        "disposition": None,
        "structuredOutputs": {"goal": True},
        "summary": "About Yes, who is there?.",
        "ringSeconds": 18,
    }
    assert (cid["outcome"], cid["ringSeconds"]) == ("BUSY", 58)


def test_a_campaign_counts_outcomes_and_stages(
    shared_api: ApiClient, called: str
) -> None:
    campaign = shown(shared_api, called)
    assert campaign["outcomes"] == [
        {"outcome": outcome, "calls": 1, "contacts": 1}
        for outcome in ("HUMAN", "VOICEMAIL", "BUSY")
    ]
    stages = {"contacts": 4, "dialed": 3, "answered": 2, "human": 1}
    assert {name: campaign["funnel"][name] for name in stages} == stages


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"outcomes": ["BUSY", "HUMAN"]}, ["Ada", "Cid"]),
        ({"outcomes": ["BUSY", "HUMAN"], "search": "ci"}, ["Cid"]),
        ({"outcomes": ["BUSY"], "search": "+12025550101"}, []),
        ({"outcomes": []}, []),
        ({"outcomes": None}, ["Ada", "Bob", "Cid", "Dee"]),
    ],
)
def test_contacts_are_filtered_by_outcome(
    shared_api: ApiClient, called: str, filters: dict[str, Any], names: list[str]
) -> None:
    contacts = shown(shared_api, called, **filters)["contacts"]
    assert [one["name"] for one in contacts["nodes"]] == names
    assert contacts["totalCount"] == len(names)


def contact_id(shared_api: ApiClient, campaign: str, name: str) -> str:
    query = (
        """query($id: ID!) { campaign(id: $id) { contacts { nodes { id name } } } }"""
    )
    nodes = shared_api.execute(query, id=campaign)["campaign"]["contacts"]["nodes"]
    return str(next(one["id"] for one in nodes if one["name"] == name))


def test_an_operator_sets_a_disposition_and_finds_the_contact_by_it(
    shared_api: ApiClient, called: str
) -> None:
    dee = contact_id(shared_api, called, "Dee")
    asked: dict[str, Any] = {"id": dee, "to": "OPTED_OUT", "note": " By letter. "}
    made = shared_api.execute(SET, Role.OPERATOR, **asked)["setDisposition"]
    assert made == {"name": "Dee", "disposition": "OPTED_OUT", "note": "By letter."}
    found = shown(shared_api, called, dispositions=["OPTED_OUT"])
    assert [one["note"] for one in found["contacts"]["nodes"]] == ["By letter."]
    assert found["funnel"]["optedOut"] == 1
    cleared = shared_api.execute(SET, Role.OPERATOR, id=dee, to=None)["setDisposition"]
    assert cleared == {"name": "Dee", "disposition": None, "note": None}
    assert shown(shared_api, called)["funnel"]["optedOut"] == 0


def test_a_goal_counts_only_for_contacts_whom_a_person_answered(
    shared_api: ApiClient, called: str
) -> None:
    for name, goals in (("Bob", 0), ("Ada", 1)):
        id_ = contact_id(shared_api, called, name)
        shared_api.execute(SET, Role.OPERATOR, id=id_, to="GOAL_REACHED")
        assert shown(shared_api, called)["funnel"]["goal"] == goals


def test_a_wrong_disposition_is_an_error_that_names_the_input(
    shared_api: ApiClient, called: str
) -> None:
    id_ = contact_id(shared_api, called, "Cid")
    made = shared_api.execute(SET, id=id_, to="OTHER", note="x" * 3_000)[
        "setDisposition"
    ]
    assert (made["code"], made["fields"]) == ("INVALID", [{"path": ["note"]}])
    for unknown in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        made = shared_api.execute(SET, id=unknown, to="OTHER")["setDisposition"]
        assert made["code"] == "NOT_FOUND"
