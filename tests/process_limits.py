"""Time limits for the start and the end of a process that a test runs."""

import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


def first_line(process: subprocess.Popen[str], within: float) -> str:
    """Return the first line of its standard output.

    Returns an empty text if the process ends or `within` seconds pass without output.
    """
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], within)
    return process.stdout.readline() if ready else ""


@contextmanager
def terminated_at_end(
    process: subprocess.Popen[str], within: float = 30.0
) -> Iterator[None]:
    """Send SIGTERM to the process after the context and wait for its end.

    Kills the process and raises TimeoutExpired if it has not ended `within` seconds.
    """
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
