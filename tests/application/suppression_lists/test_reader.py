"""Suppression lists in the formats of registries and vendors."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.errors import UnreadableList
from application.suppression_lists.blocks import (
    BLOCK_NUMBERS,
    BlockBuilder,
    BlockIds,
    TooScattered,
    block_of,
)
from application.suppression_lists.reader import ListReader

NUMBERS = [12025550100, 12025550101, 13055550102]


def read(content: bytes, region: str = "US", piece: int = 1 << 16) -> list[int]:
    reader = ListReader(region)
    found: list[int] = []
    for start in range(0, len(content), piece):
        for numbers in reader.feed(content[start : start + piece]):
            found += numbers.tolist()
    for numbers in reader.finish():
        found += numbers.tolist()
    return found


@pytest.mark.parametrize(
    "content",
    [
        b"2025550100\n2025550101\n3055550102\n",
        b"2025550100\r\n2025550101\r\n3055550102",
        b"\xef\xbb\xbf+12025550100\n+12025550101\n+13055550102\n",
        b"202,5550100\n202,5550101\n305,5550102\n",
        b"202-555-0100\n(202) 555-0101\n305.555.0102\n",
        b"12025550100\n\n12025550101\n13055550102\n\n",
        b'"2025550100"\n"2025550101"\n"3055550102"\n',
        b"Phone Number,Added\n2025550100,2026-01-01\n2025550101,\n3055550102,x\n",
        b'id,phone,note\n1,2025550100,"a, b"\n2,+1 202 555 0101,\n3,3055550102,\n',
    ],
)
def test_every_common_format_is_read(content: bytes) -> None:
    assert read(content) == NUMBERS


def test_numbers_of_other_countries_need_their_country_code() -> None:
    assert read(b"+442079460000\n442079460001\n", "GB") == [442079460000, 442079460001]
    with pytest.raises(UnreadableList):
        read(b"2079460000\n", "GB")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"2025550100\ncall me\n", "Line 2 ('call me') has no phone number"),
        (b"2025550100,2026-01-02,A\n", "list of changes"),
        (b"2025550100,2026-01-02,D\n", "list of changes"),
        (b"phone\n2025550100\nn/a\n", "Line 3"),
        (b"12345678901234567890\n", "Line 1"),
        (b"202555\n", "Line 1"),
        (b"x" * 5_000, "longer than 4,096 bytes"),
    ],
)
def test_a_file_with_a_line_that_cannot_be_read_is_refused(
    content: bytes, message: str
) -> None:
    with pytest.raises(UnreadableList) as refused:
        read(content)
    assert message in str(refused.value)


@given(
    st.lists(st.integers(2_000_000_000, 9_999_999_999), min_size=1, max_size=200),
    st.sampled_from(["{}\n", "1{}\n", "+1{}\r\n", "{0:.3},{1}\n"]),
    st.integers(1, 64),
)
def test_the_fast_path_reads_what_the_slow_path_reads(
    numbers: list[int], form: str, piece: int
) -> None:
    if "," in form:
        lines = [f"{str(n)[:3]},{str(n)[3:]}\n" for n in numbers]
    else:
        lines = [form.format(n) for n in numbers]
    content = "".join(lines).encode()
    expected = [10_000_000_000 + n for n in numbers]
    assert read(content) == expected
    assert read(content, piece=piece) == expected


def test_a_line_that_differs_only_in_one_place_is_not_misread() -> None:
    same = b"2025550100\n" * 50
    with pytest.raises(UnreadableList):
        read(same + b"20255501O0\n" + same, piece=len(same))


# --- Blocks -------------------------------------------------------------------------


@given(st.lists(st.integers(10**9, 10**15 - 1), max_size=300), st.integers(1, 50))
def test_the_blocks_contain_exactly_the_numbers(numbers: list[int], size: int) -> None:
    with BlockBuilder() as builder:
        for start in range(0, len(numbers), size):
            builder.add(np.array(numbers[start : start + size], np.int64))
        blocks = list(builder.blocks())
        assert builder.numbers == len(set(numbers))
    found = {
        block.id * BLOCK_NUMBERS + bit
        for block in blocks
        for bit in range(BLOCK_NUMBERS)
        if block.bits[bit // 8] >> bit % 8 & 1
    }
    assert found == set(numbers)
    assert [block.id for block in blocks] == sorted(
        {n // BLOCK_NUMBERS for n in numbers}
    )


def test_a_number_has_its_block_and_bit() -> None:
    assert block_of("+12025550100") == (1_202_555, 100)


def test_numbers_all_over_the_world_at_random_are_refused() -> None:
    dice = random.Random(1)
    scattered = np.array(
        [dice.randrange(10**9, 10**15) for _ in range(30_000)], np.int64
    )
    with BlockBuilder() as builder:
        builder.add(scattered)
        with pytest.raises(TooScattered):
            next(builder.blocks())


@given(st.sets(st.integers(0, 10**11), max_size=100))
def test_the_ids_of_blocks_are_read_as_they_were_written(ids: set[int]) -> None:
    written = BlockIds.of(list(ids))
    found = BlockIds.from_bytes(written.to_bytes())
    assert len(found) == len(ids)
    assert all(id_ in found for id_ in ids)
    assert all(id_ + 1 not in found for id_ in ids if id_ + 1 not in ids)
    assert found.digest() == written.digest()
