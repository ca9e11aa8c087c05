"""Random bytes that are fetched in advance are used once."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count

import pytest

from application.random_bytes import FETCHED, SIZES, RandomBytes


def numbered() -> Callable[[int], bytes]:
    """Return a source whose bytes differ in each four bytes that it returns."""
    numbers = count()
    return lambda size: b"".join(next(numbers).to_bytes(4) for _ in range(size // 4))


@pytest.mark.parametrize("size", SIZES)
def test_each_value_is_returned_once(size: int) -> None:
    random_bytes = RandomBytes(numbered())
    values = [random_bytes(size) for _ in range(3 * FETCHED)]
    assert {len(value) for value in values} == {size}
    assert len(set(values)) == len(values)


def test_other_sizes_are_fetched_when_they_are_needed() -> None:
    assert RandomBytes(bytes)(5) == bytes(5)


def test_uuids_have_version_4() -> None:
    assert RandomBytes(bytes).uuid().version == 4


def test_a_forked_process_uses_none_of_its_parents_values() -> None:
    program = """
import os
from application.random_bytes import random_bytes
random_bytes(16)
if child := os.fork():
    os.waitpid(child, 0)
print(random_bytes(16).hex(), flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    )
    first, second = done.stdout.split()
    assert first != second
