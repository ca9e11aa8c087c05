"""Structured outputs, summary and evaluation, from what the provider sends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.vapi.messages.analysis import read_analysis
from provider.vapi.messages.reports import read_report

OUTPUTS = {
    "11111111-1111-1111-1111-111111111111": {"name": "goal_reached", "result": True},
    "22222222-2222-2222-2222-222222222222": {"name": "interest", "result": None},
    "33333333-3333-3333-3333-333333333333": {"result": {"score": 3}},
    "44444444-4444-4444-4444-444444444444": {"name": "pending"},
}


def test_structured_outputs_are_read_by_name_or_else_by_id() -> None:
    found = read_analysis({"artifact": {"structuredOutputs": OUTPUTS}})
    assert found.structured_outputs == {
        "goal_reached": True,
        "interest": None,
        "33333333-3333-3333-3333-333333333333": {"score": 3},
    }


def test_outputs_without_an_analysis_still_make_a_report_richer() -> None:
    document: dict[str, Any] = {"artifact": {"structuredOutputs": OUTPUTS}}
    assert read_report(document).has_analysis
    assert not read_report({"artifact": {"structuredOutputs": {}}}).has_analysis


@pytest.mark.parametrize(
    ("document", "summary"),
    [
        ({"analysis": {"summary": "Agreed."}, "summary": "Other."}, "Agreed."),
        ({"analysis": {"summary": " "}, "summary": "Agreed."}, "Agreed."),
        ({"analysis": None}, None),
        ({}, None),
    ],
)
def test_the_summary_is_found_at_both_depths(
    document: dict[str, Any], summary: str | None
) -> None:
    assert read_analysis(document).summary == summary


@pytest.mark.parametrize(
    ("sent", "read"),
    [("true", "true"), (False, "false"), (7, "7"), ({"a": 1}, '{"a":1}'), ("", None)],
)
def test_an_evaluation_of_any_json_type_is_kept_as_text(
    sent: Any, read: str | None
) -> None:
    found = read_analysis({"analysis": {"successEvaluation": sent}})
    assert found.success_evaluation == read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "result", "summary", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(artifact=JSON, outputs=JSON, analysis=JSON, summary=JSON)
def test_nothing_that_the_provider_sends_is_an_error(
    artifact: Any, outputs: Any, analysis: Any, summary: Any
) -> None:
    read_analysis({"artifact": artifact, "analysis": analysis, "summary": summary})
    artifact = {"structuredOutputs": outputs}
    found = read_analysis({"artifact": artifact, "analysis": analysis})
    assert all(isinstance(name, str) for name in found.structured_outputs or {})
