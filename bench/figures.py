"""What a benchmark says: a figure, and what the same run found to hold it against."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`wanted` is the least ratio to the baseline; without one, the largest value.

    `of` says sizes and what the baseline is.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    wanted: float | None = None
    of: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def fine(self) -> bool:
        """Whether it is as good as wanted."""
        if self.wanted is None:
            return True
        if self.ratio is None:
            return self.value <= self.wanted
        return self.ratio >= self.wanted

    def as_json(self) -> dict[str, Any]:
        keys = ("name", "value", "unit", "baseline", "ratio", "wanted")
        found = {**asdict(self), "ratio": self.ratio}
        return {key: _rounded(found[key]) for key in keys}


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def medians(*works: Callable[[], float], rounds: int = 3) -> tuple[float, ...]:
    """Run the works in turn, several times; return the median of each."""
    found = [[work() for work in works] for _ in range(rounds)]
    return tuple(map(median, zip(*found, strict=True)))


def percentile(values: Iterable[float], part: float) -> float:
    """Return the value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def keep(figures: Iterable[Figure]) -> None:
    """Write the figures into results.json; those of other benchmarks stay."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    found = {one["name"]: one for one in kept}
    found |= {figure.name: figure.as_json() for figure in figures}
    RESULTS.write_text(json.dumps(list(found.values()), indent=2) + "\n")


HEAD = ("what", "value", "baseline", "ratio", "wanted", "")


def as_table(figures: Iterable[Figure]) -> str:
    """Write a Markdown table, its columns aligned."""
    rows = [HEAD, *map(_cells, figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    baseline, ratio = figure.baseline, figure.ratio
    what = f"{figure.name}: {figure.of}" if figure.of else figure.name
    return (
        what,
        f"{_number(figure.value)} {figure.unit}",
        "" if baseline is None else _number(baseline),
        "" if ratio is None else f"{ratio:.2f}",
        _wanted(figure),
        "" if figure.fine else "MISSED",
    )


def _wanted(figure: Figure) -> str:
    if figure.wanted is None:
        return ""
    sign = "<=" if figure.ratio is None else ">="
    return f"{sign} {figure.wanted:g}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
