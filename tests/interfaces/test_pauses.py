"""In a process of its own, for it changes the whole of it."""

import subprocess
import sys

import pytest

RARELY = """
import gc
from interfaces.pauses import keep_pauses_short
keep_pauses_short()
assert gc.get_freeze_count() > 1_000
assert gc.isenabled()
"""
SHORT = """
from sys import getswitchinterval
from interfaces.pauses import short_turns
long = getswitchinterval()
with short_turns():
    assert getswitchinterval() < long / 5, getswitchinterval()
    with short_turns():
        pass
    assert getswitchinterval() < long / 5, "somebody still computes"
assert getswitchinterval() == long
"""


@pytest.mark.parametrize("checks", [RARELY, SHORT], ids=["garbage", "turns"])
def test_garbage_is_looked_for_rarely_and_turns_are_short_where_it_pays(
    checks: str,
) -> None:
    subprocess.run([sys.executable, "-c", checks], check=True)
