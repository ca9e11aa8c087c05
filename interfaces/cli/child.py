"""Runs a role that ends when its supervisor does.

Usage: `python -m interfaces.cli.child FD MODULE [ARGUMENT ...]`. The supervisor holds
the other end of the pipe FD and never writes to it. The pipe closes when the supervisor
ends, in whatever way. Linux sends a signal as well.
"""

import ctypes
import os
import runpy
import signal
import sys
import time
from threading import Thread

from application.process.gc_tuning import disable_while_loading

GRACE_SECONDS = 2.0
"""Time to store the answers of requests in progress after the supervisor ended."""

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the module until it ends or the supervisor does."""
    pipe, module, *arguments = sys.argv[1:]
    # The terminal signals all processes; the supervisor stops them in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(int(pipe),), daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    sys.argv = [module, *arguments]
    disable_while_loading()  # Each role enables it after its modules are loaded.
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
