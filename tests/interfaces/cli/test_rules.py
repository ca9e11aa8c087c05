"""Commands for calling rules and suppression lists."""

from pathlib import Path

import pytest

from tests.interfaces.cli.conftest import CommandLine


def test_rules_are_shown_for_a_place_and_a_date(autolynx: CommandLine) -> None:
    before = autolynx.done("rules", "--place", "US-CT", "--on", "2023-09-30", "--json")
    after = autolynx.done("rules", "--place", "US-CT", "--on", "2023-10-01", "--json")
    new = {row["id"] for row in after.json} - {row["id"] for row in before.json}
    assert new == {"US-CT-hours"}
    assert all(row["source"] for row in after.json)


def test_a_broken_rule_of_ones_own_is_named(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "NL.toml").write_text("[[rule]]\nplace = 'NL'\n")
    monkeypatch.setenv("AUTOLYNX_RULES_DIR", str(tmp_path))
    assert "NL.toml, rule 1: id is missing" in autolynx.refusal("rules")


def test_a_list_is_imported_listed_and_removed(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "dnc.txt"
    file.write_text("202,5550100\n202,5550101\n")
    given = ("--name", "DNC", "--as-of", "2026-11-20", "--covers", "+1202")
    out = autolynx.done("suppressions", "import", str(file), *given).out
    assert "DNC: 2 numbers of 2026-11-20." in out
    (row,) = autolynx.done("suppressions", "lists", "--json").json
    assert row["covers"] == ["+1202"]
    found = autolynx.done("suppressions", "check", "202 555 0101", "--json").json
    assert found == {"phone": "+12025550101", "lists": "DNC"}
    autolynx.refusal("suppressions", "check", "202 555 0102")
    autolynx.done("suppressions", "remove-list", row["listId"])
    assert autolynx.done("suppressions", "lists", "--json").json == []


def test_a_list_that_cannot_be_read_is_refused(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "dnc.txt"
    file.write_text("2025550100\nhello\n")
    given = ("--name", "DNC", "--as-of", "2026-11-20")
    refusal = autolynx.refusal("suppressions", "import", str(file), *given)
    assert "Line 2 ('hello') has no phone number" in refusal
