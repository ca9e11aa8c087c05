"""A handler that writes other rows than before needs another handler version."""

import pytest

from projections.calls import call_log
from projections.engine import schema
from projections.tables.row_operations import put
from tests.projections.handler_outputs import changed, current, recorded

HOW = "run: python -m tests.projections.handler_outputs"


def test_a_changed_handler_has_another_version() -> None:
    """Otherwise a database would silently keep the rows of the old handler."""
    assert changed(recorded(), current()) == {}, (
        "These tables get other rows for the named events. Raise handler_version of"
        f" each table in its module, then {HOW}"
    )


def test_all_versions_and_events_are_recorded() -> None:
    now, before = current()["tables"], recorded()["tables"]
    assert {name: table["version"] for name, table in before.items()} == {
        name: table["version"] for name, table in now.items()
    }, HOW
    for name, table in now.items():
        assert table["outputs"].keys() <= before[name]["outputs"].keys(), HOW


def test_a_changed_domain_rule_is_detected_like_a_changed_handler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_log, "OURS", frozenset())
    assert "call.ended" in changed(recorded(), current())["call_log"]


def test_a_raised_version_allows_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recorded()
    handlers = (*schema.HANDLERS, lambda event, _: [put("call_log", 1, at=str(event))])
    monkeypatch.setattr("tests.projections.handler_outputs.HANDLERS", handlers)
    assert "call_log" in changed(before, current())
    before["tables"]["call_log"]["version"] -= 1
    assert "call_log" not in changed(before, current())
