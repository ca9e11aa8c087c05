"""The rules that an installation added are answer apart from the shipped ones."""

from dataclasses import replace

from application.calling_rules.loader import load_rule_book
from interfaces.graphql.types.calling_rules import CallingRule


def test_only_rules_that_are_not_shipped_are_the_installation_s_own() -> None:
    shipped = load_rule_book().rules[0]
    own = replace(shipped, id="our-hours")
    assert not CallingRule.of(shipped).is_own
    assert CallingRule.of(own).is_own
