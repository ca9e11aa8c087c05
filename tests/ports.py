"""Free ports for processes that a test starts."""

import os
import socket
from contextlib import closing
from itertools import count
from pathlib import Path
from random import SystemRandom

FIRST, LAST = 15_000, 32_000
"""Below the ports that Linux gives to clients, so that no connection takes one."""

FOLDER = "TESTS_FOLDER"


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens, and which no other test of this run gets.

    A port that was only free a moment ago may be taken before the process listens.
    """
    start = SystemRandom().randrange(LAST - FIRST)
    for offset in count(start):
        port = FIRST + offset % (LAST - FIRST)
        if _is_free(host, port) and _reserved(port):
            return port
    raise AssertionError


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.create_server((host, port), family=family)):
            return True
    except OSError:
        return False


def _reserved(port: int) -> bool:
    """Reserve the port for this test; false if another test of this run has it."""
    if FOLDER not in os.environ:
        return True  # Not a run of pytest.
    folder = Path(os.environ[FOLDER]) / "ports"
    folder.mkdir(exist_ok=True)
    try:
        (folder / str(port)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
