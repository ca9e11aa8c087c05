"""Progress of a long command: a bar on a terminal, else a line per tenth."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from interfaces.cli.output import print_note

type OnProgress = Callable[[int, int], None]
"""Called with the amount done and the total."""


@contextmanager
def progress_of(what: str) -> Iterator[OnProgress]:
    """Yield a callback(done, total) that shows the progress."""
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    columns = ("{task.description}", BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(what, total=None)

        def on_progress(done: int, of: int) -> None:
            progress.update(task, completed=max(done, 0), total=max(of, 1))

        yield on_progress
        progress.update(task, completed=1, total=1)


def _lines(what: str) -> OnProgress:
    shown = 0

    def on_progress(done: int, of: int) -> None:
        nonlocal shown
        tenth = 10 * done // max(of, 1)
        if tenth > shown:
            shown = tenth
            print_note(f"{what}: {10 * tenth} %")

    return on_progress
