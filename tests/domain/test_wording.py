"""Numbers with their nouns."""

import pytest

from domain.wording import counted, noun


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_000_000, "1,000,000 rows")],
)
def test_only_one_is_singular(number: int, text: str) -> None:
    assert counted(number, "row") == text


def test_a_plural_of_its_own_may_be_given() -> None:
    assert counted(1, "call is", "calls are") == "1 call is"
    assert counted(3, "call is", "calls are") == "3 calls are"
    assert noun(2, "person", "people") == "people"
