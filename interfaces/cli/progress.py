"""How far a long command is: a bar for a terminal, else a line for each tenth."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from interfaces.cli.output import remark

type Told = Callable[[int, int], None]


@contextmanager
def progress_of(what: str) -> Iterator[Told]:
    """Give what is told how much of how much is done."""
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    columns = ("{task.description}", BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(what, total=None)

        def told(done: int, of: int) -> None:
            progress.update(task, completed=max(done, 0), total=max(of, 1))

        yield told
        progress.update(task, completed=1, total=1)


def _lines(what: str) -> Told:
    said = 0

    def told(done: int, of: int) -> None:
        nonlocal said
        tenth = 10 * done // max(of, 1)
        if tenth > said:
            said = tenth
            remark(f"{what}: {10 * tenth} %")

    return told
