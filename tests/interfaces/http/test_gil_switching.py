"""In a separate process, because it changes a process-wide setting."""

import subprocess
import sys

SHORT = """
from sys import getswitchinterval
from interfaces.http.gil_switching import short_turns
long = getswitchinterval()
with short_turns():
    assert getswitchinterval() < long / 5, getswitchinterval()
    with short_turns():
        pass
    assert getswitchinterval() < long / 5, "somebody still computes"
assert getswitchinterval() == long
"""


def test_the_switch_interval_is_short_during_long_computations_only() -> None:
    subprocess.run([sys.executable, "-c", SHORT], check=True)
