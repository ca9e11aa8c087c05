"""Kinds of numbers, compared with what is known of each number alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from application.suppression_lists.blocks import BLOCK_NUMBERS
from domain.gate.decision import Numbers
from domain.gate.permit import Granted
from domain.gate.rules import CallPurpose, FrequencyCap
from domain.numbers.suppression_lists import ListVersion, findings
from domain.values import NAMESPACE
from projections.number_kinds import NumberKinds
from tests.domain.gate.gate_cases import NOW, gate, places
from tests.examples import examples
from tests.fake_blocks import FakeBlocks, StoredVersion

TODAY = NOW.date()
PURPOSE = CallPurpose.TELEMARKETING
NUMBERS = (12025550100, 12025550101, 12125550100, 442079460000, 33142685300, 0)
PREFIXES = ("+1202", "+1", "+44", "+331426853001234")
numbers_of = st.sets(st.sampled_from(NUMBERS[:-1]))


@dataclass(frozen=True)
class FakeList:
    """A list version with its content."""

    version: ListVersion
    stored: StoredVersion

    def contains(self, number: int) -> bool | None:
        """Return whether it contains a number, None if its block is lost."""
        if number // BLOCK_NUMBERS in self.stored.lost:
            return None
        return number in self.stored.numbers


def fake_list(  # noqa: PLR0917 - Hypothesis passes what a list consists of
    name: str,
    contained: Iterable[int],
    lost: Iterable[int],
    covers: Iterable[str],
    as_of: date,
    purposes: tuple[CallPurpose, ...],
) -> FakeList:
    version = ListVersion(
        list_id=uuid5(NAMESPACE, name),
        version_id=uuid5(NAMESPACE, f"version {name}"),
        name=name,
        as_of=as_of,
        max_age_days=31,
        covers=tuple(covers),
        purposes=purposes,
        numbers=1,
        blocks_digest="",
        sha256="",
    )
    blocks = {number // BLOCK_NUMBERS for number in lost}
    return FakeList(version, StoredVersion(set(contained), blocks))


lists_of = st.lists(
    st.builds(
        fake_list,
        st.sampled_from(["A", "B", "C"]),
        numbers_of,
        numbers_of,
        st.lists(st.sampled_from(PREFIXES), max_size=2),
        st.sampled_from([TODAY, TODAY - timedelta(days=60)]),
        st.sampled_from([(), (PURPOSE,), (CallPurpose.SURVEY,)]),
    ),
    max_size=3,
    unique_by=lambda one: one.version.name,
)


def id_of(phone: str) -> UUID:
    return uuid5(NAMESPACE, phone)


def number_ids(phones: Iterable[str]) -> bytes:
    return b"".join(id_of(phone).bytes for phone in phones)


def known_alone(
    number: int,
    lists: list[FakeList],
    suppressed: set[int],
    calls: dict[int, tuple[datetime, ...]],
) -> Numbers:
    """Return what is known of one number, as the request's fence reads it."""
    if number == 0:
        return Numbers()
    contained = {
        one.version.version_id: contains
        for one in lists
        if (contains := one.contains(number)) is not None
    }
    versions = [one.version for one in lists]
    found = findings(versions, f"+{number}", PURPOSE, contained, TODAY)
    return Numbers(calls.get(number, ()), number in suppressed, found)


@examples(60)
@given(
    st.lists(st.lists(st.sampled_from(NUMBERS), max_size=4), max_size=3),
    lists_of,
    numbers_of,
    st.dictionaries(st.sampled_from(NUMBERS[:-1]), st.integers(1, 2), max_size=3),
)
def test_the_gate_decides_about_a_kind_as_about_each_number(
    parts: list[list[int]],
    lists: list[FakeList],
    suppressed: set[int],
    called: dict[int, int],
) -> None:
    calls = {
        number: tuple(NOW - timedelta(hours=n) for n in range(times, 0, -1))
        for number, times in called.items()
    }
    kinds = NumberKinds([np.array(part, np.int64) for part in parts])
    kinds.add_register(
        number_ids(f"+{number}" for number in suppressed),
        {id_of(f"+{number}"): attempts for number, attempts in calls.items()},
        number_ids,
    )
    versions = [one.version for one in lists]
    blocks = FakeBlocks({one.version.version_id: one.stored for one in lists})
    kinds.add_lists(versions, blocks, PURPOSE, TODAY)
    numbers = [number for part in parts for number in part]
    assert len(kinds.codes) == len(numbers)
    asked = gate(
        places("US"), None, NOW, caps=(FrequencyCap(2, 24),), is_enforced=False
    )
    for number, kind in zip(numbers, kinds.codes.tolist(), strict=True):
        for now in (NOW, NOW + timedelta(hours=23)):
            found, expected = (
                asked.decide(one, has_consent=False, now=now)
                for one in (
                    kinds.numbers(kind),
                    known_alone(number, lists, suppressed, calls),
                )
            )
            if isinstance(expected, Granted):  # The permit names the consulted lists.
                assert isinstance(found, Granted)
            else:
                assert found == expected
