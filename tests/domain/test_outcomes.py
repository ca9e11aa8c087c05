"""The closed vocabularies of outcomes and dispositions."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from domain.outcomes import CallOutcome, Disposition, DispositionSource, Withheld

CONTRACT = Path(__file__).parents[1] / "contracts" / "schema.graphql"


def contract_values(name: str) -> list[str]:
    """Return the values of an enumeration as the GraphQL contract lists them."""
    found = re.search(
        rf"^enum {name} \{{(.*?)\}}", CONTRACT.read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return re.sub(r'"[^"]*"', " ", found[1]).split()


@pytest.mark.parametrize("vocabulary", [CallOutcome, Disposition, Withheld])
def test_an_enumeration_has_the_values_of_the_contract(
    vocabulary: type[StrEnum],
) -> None:
    assert [one.value for one in vocabulary] == contract_values(vocabulary.__name__)


@pytest.mark.parametrize(
    ("source", "replaces"),
    [
        (DispositionSource.OUTPUT, {None, "OUTPUT"}),
        (DispositionSource.TOOL, {None, "OUTPUT", "TOOL"}),
        (DispositionSource.MEMBER, {None, "OUTPUT", "TOOL", "MEMBER"}),
    ],
)
def test_a_disposition_is_replaced_by_an_equal_or_stronger_source_only(
    source: DispositionSource, replaces: set[str | None]
) -> None:
    others = [None, *DispositionSource]
    assert {other for other in others if source.may_replace(other)} == replaces
