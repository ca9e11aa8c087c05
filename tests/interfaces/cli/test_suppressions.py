"""The register on the command line."""

import pytest

from tests.interfaces.cli.conftest import CommandLine


def test_a_number_is_added_checked_listed_and_lifted(autolynx: CommandLine) -> None:
    added = autolynx.done("suppressions", "add", "(202) 555-0143", "--reason", "letter")
    assert added.out == "+12025550143 is suppressed.\n"
    checked = autolynx.done("suppressions", "check", "+12025550143", "--json").json
    assert (checked["phone"], checked["reason"]) == ("+12025550143", "letter")
    assert checked.pop("lists") is None
    assert autolynx.done("suppressions", "list", "--json").json == [checked]
    assert "+12025550143" in autolynx.done("suppressions", "list").out
    autolynx.done("suppressions", "lift", "+12025550143", "--reason", "a mistake")
    assert autolynx.done("suppressions", "list", "--json").json == []


def test_adding_a_number_again_changes_nothing(autolynx: CommandLine) -> None:
    autolynx.done("suppressions", "add", "+12025550143")
    again = autolynx.done("suppressions", "add", "+12025550143")
    assert "already" in again.out
    assert len(autolynx.done("suppressions", "list", "--json").json) == 1


def test_checking_a_number_that_may_be_called_exits_with_one(
    autolynx: CommandLine,
) -> None:
    refusal = autolynx.refusal("suppressions", "check", "+12025550143")
    assert "no suppressed number" in refusal


@pytest.mark.parametrize("command", ["add", "check"])
def test_an_invalid_number_is_refused(autolynx: CommandLine, command: str) -> None:
    assert "phone" in autolynx.refusal("suppressions", command, "do not call")


def test_a_lift_needs_a_reason(autolynx: CommandLine) -> None:
    autolynx.done("suppressions", "add", "+12025550143")
    ended = autolynx("suppressions", "lift", "+12025550143")
    assert (ended.code, "--reason" in ended.err) == (2, True)
    assert autolynx("suppressions", "lift", "+12025550143", "--reason", " ").code == 1


def test_a_number_that_is_not_suppressed_cannot_be_lifted(
    autolynx: CommandLine,
) -> None:
    lift = ("suppressions", "lift", "+12025550143", "--reason", "a mistake")
    assert "no suppressed number" in autolynx.refusal(*lift)
