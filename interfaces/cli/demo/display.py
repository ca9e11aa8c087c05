"""Displays the running campaign: a live view on a terminal, else single lines."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

BAR = 60
LAST_CALLS = 8
COLOURS = {
    "ended": "green",
    "inProgress": "bright_cyan",
    "ringing": "cyan",
    "queued": "blue",
    "failed": "red",
    "timedOut": "magenta",
    "canceled": "yellow",
    "pending": "grey37",
}
DONE = ("ended", "failed", "canceled", "timedOut")


@contextmanager
def display(console: Console, cap: int) -> Iterator["Display"]:
    """Yield a live picture on a terminal, or a printer of single lines elsewhere."""
    if not console.is_terminal:
        yield Lines(console, cap)
        return
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        yield Picture(live.update, cap)


class Display(Protocol):
    """Shows updates; both kinds may come at any time and repeatedly."""

    def progress(self, progress: Mapping[str, Any]) -> None:
        """Show the campaign's counters."""

    def contact(self, contact: Mapping[str, Any]) -> None:
        """Show a contact whose status has changed."""


class Lines(Display):
    """Prints a line for each new state and each tenth of the contacts."""

    def __init__(self, console: Console, cap: int) -> None:
        self._console, self._cap, self._shown = console, cap, ("", -1)

    def progress(self, progress: Mapping[str, Any]) -> None:
        """Print a line if the state or the tenth of finished contacts is new."""
        done = sum(progress[part] for part in DONE)
        tenth = 10 * done // max(progress["contacts"], 1)
        if (progress["state"], tenth) != self._shown:
            self._shown = (progress["state"], tenth)
            self._console.print(
                f"{progress['state']:<10} {done}/{progress['contacts']} done,"
                f" {progress['active']} of {self._cap} active",
                markup=False,
                highlight=False,
            )

    def contact(self, contact: Mapping[str, Any]) -> None:
        """Ignore it: single contacts are too many for a log."""


class Picture(Display):
    """Redraws counters and the latest calls in place."""

    def __init__(self, update: Callable[[RenderableType], None], cap: int) -> None:
        self._update, self._cap = update, cap
        self._progress: Mapping[str, Any] | None = None
        self._calls: dict[str, Mapping[str, Any]] = {}

    def progress(self, progress: Mapping[str, Any]) -> None:
        """Draw the new counters."""
        self._progress = progress
        self._draw()

    def contact(self, contact: Mapping[str, Any]) -> None:
        """Draw the contact as the latest of all."""
        self._calls.pop(contact["phone"], None)
        self._calls[contact["phone"]] = contact
        self._draw()

    def _draw(self) -> None:
        if self._progress is not None:
            parts = (head(self._progress, self._cap), bar(self._progress))
            self._update(Group(*parts, counters(self._progress), calls(self._latest())))

    def _latest(self) -> Iterable[Mapping[str, Any]]:
        return islice(reversed(self._calls.values()), LAST_CALLS)


def head(progress: Mapping[str, Any], cap: int) -> Text:
    """Return the line with state, active calls and costs."""
    text = Text("\nCampaign ").append(progress["state"], style="bold")
    text.append(f"   active {progress['active']} of {cap}")
    return text.append(f"   spent ${float(progress['spend']):.2f}\n")


def bar(progress: Mapping[str, Any]) -> Text:
    """Return a bar whose colours show the share of each status."""
    text, left = Text(), BAR
    for part, colour in COLOURS.items():
        width = round(BAR * progress[part] / max(progress["contacts"], 1))
        text.append("\N{FULL BLOCK}" * min(width, left), style=colour)
        left -= min(width, left)
    return text


def counters(progress: Mapping[str, Any]) -> Text:
    """Return the line with the number of contacts in each status."""
    text = Text()
    for part, colour in COLOURS.items():
        text.append("\N{BLACK SQUARE} ", style=colour)
        text.append(f"{readable(part)} {progress[part]}   ")
    return text.append("\n")


def readable(name: str) -> str:
    """Convert a name in camelCase to words."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name)


def calls(latest: Iterable[Mapping[str, Any]]) -> Table:
    """Return the table of the latest contacts."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("contact", "phone", "status", "reason"):
        table.add_column(column, no_wrap=True)
    for contact in latest:
        reason = (contact["call"] or {}).get("endedReason") or ""
        status = contact["status"].replace("_", " ").lower()
        cells = (contact["name"], contact["phone"], status, reason)
        table.add_row(*(Text(cell) for cell in cells))
    return table
