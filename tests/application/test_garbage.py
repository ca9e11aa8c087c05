"""In a process of its own, for it changes the whole of it."""

import subprocess
import sys

RARELY = """
import gc
from application.garbage import look_for_none_yet, look_rarely
look_for_none_yet()
assert not gc.isenabled()
often = gc.get_threshold()[0]
look_rarely()
assert gc.get_freeze_count() > 1_000
assert gc.get_threshold()[0] > often
assert gc.isenabled()
"""


def test_garbage_is_looked_for_rarely_and_not_while_things_are_loaded() -> None:
    subprocess.run([sys.executable, "-c", RARELY], check=True)
