"""Dispositions from output rules, tools and members, and which of them remains."""

from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.call import Call
from domain.calls.dispositions import disposition_from
from domain.campaigns.campaign_terms import OutputRule
from domain.contacts.contact import Contact
from domain.errors import WrongState
from domain.outcomes import Disposition, DispositionSource, Withheld
from domain.values import ContactStatus, Evidence, VaultText
from tests.domain.calls import call_facts as do
from tests.domain.calls.call_facts import AT, BY, IS_PLACED, call_after, fact
from tests.support import new_events

GOAL, OPTED_OUT = Disposition.GOAL_REACHED, Disposition.OPTED_OUT
CALLBACK, OTHER = Disposition.CALLBACK_REQUESTED, Disposition.OTHER
OUTPUT, TOOL = DispositionSource.OUTPUT, DispositionSource.TOOL

# --- Output rules ---------------------------------------------------------------------

OUTPUTS = {"goal": True, "interest": "high", "score": 3, "a/b": None, "list": [1, {}]}
ANALYSIS = {"successEvaluation": "true", "data": {"a/b": {"m~n": [False, 7]}}}


@pytest.mark.parametrize(
    ("output", "equals", "matches"),
    [
        ("goal", True, True),
        ("goal", 1, False),
        ("goal", "true", False),
        ("interest", "high", True),
        ("interest", "HIGH", False),
        ("score", 3, True),
        ("score", 3.0, True),
        ("score", "3", False),
        ("a/b", None, True),
        ("list", [1, {}], True),
        ("list", [1], False),
        ("list", [True, {}], False),
        ("missing", None, False),
        ("/successEvaluation", "true", True),
        ("successEvaluation", "true", False),
        ("/data/a~1b/m~0n/0", False, True),
        ("/data/a~1b/m~0n/0", 0, False),
        ("/data/a~1b/m~0n/1", 7, True),
        ("/data/a~1b/m~0n/2", 7, False),
        ("/data/a~1b/m~0n/x", 7, False),
        ("/data/missing", None, False),
        ("/goal", True, False),
    ],
)
def test_a_rule_compares_an_output_as_json(
    output: str, equals: Any, matches: bool
) -> None:
    rule = OutputRule(output=output, equals=equals, means=GOAL)
    found = disposition_from(OUTPUTS, ANALYSIS, [rule])
    assert found is (GOAL if matches else None)


@given(st.lists(st.sampled_from(Disposition), min_size=1, unique=True))
def test_of_several_matching_rules_the_precedence_decides(
    meant: list[Disposition],
) -> None:
    rules = [OutputRule(output="goal", equals=True, means=one) for one in meant]
    order = "OPTED_OUT CALLBACK_REQUESTED GOAL_REACHED WRONG_PERSON NOT_INTERESTED"
    first = min(meant, key=[*order.split(), "OTHER"].index)
    assert disposition_from(OUTPUTS, {}, rules) is first


# --- On a call ------------------------------------------------------------------------


def set_by(call: Call, source: DispositionSource, to: Disposition | None) -> None:
    call.set_disposition(to, source, at=AT, by=BY)


def test_a_disposition_is_recorded_once_with_the_one_before() -> None:
    call = call_after(*IS_PLACED)
    set_by(call, OUTPUT, GOAL)
    set_by(call, OUTPUT, GOAL)
    set_by(call, TOOL, OPTED_OUT)
    first = {"disposition": GOAL, "disposition_was": None, "source": OUTPUT}
    second = {"disposition": OPTED_OUT, "disposition_was": GOAL, "source": TOOL}
    assert new_events(call) == [
        fact(Call.DispositionSet, **first, evidence=None),
        fact(Call.DispositionSet, **second, evidence=None),
    ]
    assert call.disposition is OPTED_OUT


def test_an_output_does_not_replace_what_a_tool_recorded() -> None:
    for order in permutations([(OUTPUT, GOAL), (TOOL, OTHER), (OUTPUT, None)]):
        call = call_after(*IS_PLACED)
        for source, disposition in order:
            set_by(call, source, disposition)
        assert call.disposition is OTHER


def test_an_opt_out_by_a_tool_remains_whatever_other_tools_record() -> None:
    for order in permutations([OPTED_OUT, CALLBACK, GOAL]):
        call = call_after(*IS_PLACED)
        for disposition in order:
            set_by(call, TOOL, disposition)
        assert call.disposition is OPTED_OUT


REPORTS: list[tuple[dict[str, Any], Disposition | None]] = [
    ({}, OTHER),
    ({"has_analysis": True}, GOAL),
    ({"has_transcript": True, "has_analysis": True}, OPTED_OUT),
    ({"has_transcript": True, "has_recording": True, "has_analysis": True}, None),
]


@given(
    st.lists(st.sampled_from(range(len(REPORTS))), min_size=1, max_size=6).flatmap(
        lambda heard: st.tuples(st.just(heard), st.permutations(heard))
    )
)
def test_any_order_and_repetition_of_reports_gives_the_same_disposition(
    orders: tuple[list[int], list[int]],
) -> None:
    found = []
    for order in orders:
        call = call_after(*IS_PLACED)
        for number in order:
            parts, disposition = REPORTS[number]
            message_id = UUID(int=number + 1)
            proof = Evidence(message_id=message_id, digest="d")
            do.report(call, evidence=proof, **parts)
            call.set_disposition_of_outputs(
                disposition, message_id=message_id, at=AT, by=BY
            )
        found.append(call.disposition)
    assert found[0] is found[1] is REPORTS[max(orders[0])][1]


# --- By a member ----------------------------------------------------------------------

NOTE = VaultText(words_id=uuid4(), digest="d")


def contact() -> Contact:
    return Contact.unrecorded(uuid4(), uuid4(), AT)


def dispose(contact: Contact, to: Disposition | None, note: VaultText | None) -> None:
    contact.dispose(to, note=note, was=ContactStatus.ENDED, at=AT, by="o@example.com")


def test_a_member_sets_and_clears_the_disposition_without_changing_the_status() -> None:
    one = contact()
    dispose(one, GOAL, NOTE)
    dispose(one, GOAL, NOTE)
    dispose(one, None, None)
    found = [own for _, own in new_events(one)]
    assert [(own["disposition"], own["disposition_was"]) for own in found] == [
        (GOAL, None),
        (None, GOAL),
    ]
    assert {(own["was"], own["standing"]) for own in found} == {("ENDED", "ENDED")}
    assert (one.disposed, one.disposition, one.note) == (True, None, None)


def test_a_contact_withheld_from_calls_stays_so_when_its_disposition_is_set() -> None:
    one = contact()
    pending: dict[str, Any] = {"was": ContactStatus.PENDING, "last_attempt": 0}
    one.withhold(Withheld.REMOVED, **pending, at=AT, by=BY)
    one.dispose(OTHER, note=None, was=ContactStatus.CANCELED, at=AT, by=BY)
    assert one.status_after(0, ContactStatus.PENDING) is ContactStatus.CANCELED


def test_an_erased_contact_gets_no_disposition() -> None:
    one = contact()
    ended = ContactStatus.ENDED
    one.erase(was=ended, status=ended, last_attempt=1, at=AT, by=BY)
    with pytest.raises(WrongState, match="erased"):
        dispose(one, GOAL, None)
