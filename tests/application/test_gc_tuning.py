"""The garbage collector's settings are global, so each script has its own process."""

import subprocess
import sys

import pytest

from application.process.gc_tuning import LARGEST_SHARE, SECONDS_BETWEEN, pause_after

LOADING = """
import gc
from application.process.gc_tuning import disable_while_loading, enable_after_loading
disable_while_loading()
assert not gc.isenabled()
default = gc.get_threshold()[0]
enable_after_loading()
assert gc.get_freeze_count() > 1_000
assert gc.get_threshold()[0] > default
assert gc.isenabled()
"""

IDLE = """
import gc, weakref
from threading import Event
from application.process import gc_tuning

class Node: pass

gc_tuning.enable_after_loading()
node, collected = Node(), Event()
node.itself = node
weakref.finalize(node, collected.set)
gc.collect(), gc.collect()  # The node is in the oldest generation.
del node
gc_tuning.SECONDS_BETWEEN = 0.01
gc_tuning.collect_in_background()
assert collected.wait(30)
"""


@pytest.mark.parametrize("script", [LOADING, IDLE])
def test_script_passes_in_its_own_process(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], check=True)


def test_collections_take_at_most_their_share_of_the_time() -> None:
    assert pause_after(0.001) == SECONDS_BETWEEN
    assert 10 / pause_after(10) == pytest.approx(LARGEST_SHARE)
