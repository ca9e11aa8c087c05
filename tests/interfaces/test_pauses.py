"""In a process of its own, for it changes the whole of it."""

import subprocess
import sys

SHORTEST = """
import gc, sys
from interfaces.pauses import keep_pauses_short
waits = sys.getswitchinterval()
keep_pauses_short()
assert sys.getswitchinterval() < waits / 5, sys.getswitchinterval()
assert gc.get_freeze_count() > 1_000
assert gc.isenabled()
"""


def test_threads_take_short_turns_and_garbage_is_looked_for_rarely() -> None:
    subprocess.run([sys.executable, "-c", SHORTEST], check=True)
