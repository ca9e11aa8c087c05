"""Figures: what benchmarks measure, their baselines from the same run, their table."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parents[1] / "results.json"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value.

    `target` is the smallest acceptable ratio to the baseline; the largest one if
    `smaller_is_better`. Without a baseline it is the largest acceptable value. A value
    of at least `enough` meets the target whatever the ratio. `details` names sizes and
    the baseline.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    target: float | None = None
    enough: float | None = None
    smaller_is_better: bool = False
    details: str = ""

    @property
    def ratio(self) -> float | None:
        """Value divided by the baseline, None without a baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def meets_target(self) -> bool:
        """Whether the figure meets its target; True if it has none."""
        if self.enough is not None and self.value >= self.enough:
            return True
        if self.target is None:
            return self.enough is None
        if self.ratio is None:
            return self.value <= self.target
        if self.smaller_is_better:
            return self.ratio <= self.target
        return self.ratio >= self.target

    def as_json(self) -> dict[str, Any]:
        """Return the fields for results.json, with 4 significant digits."""
        keys = ("name", "value", "unit", "baseline", "ratio", "target", "enough")
        found = {**asdict(self), "ratio": self.ratio}
        return {key: _rounded(found[key]) for key in keys}


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def medians(*measurements: Callable[[], float], rounds: int = 3) -> tuple[float, ...]:
    """Run the measurements in turn, `rounds` times; return the median of each."""
    found = [[measure() for measure in measurements] for _ in range(rounds)]
    return tuple(map(median, zip(*found, strict=True)))


def percentile(values: Iterable[float], part: float) -> float:
    """Return the value below which the share `part` (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def save_results(figures: Iterable[Figure]) -> None:
    """Write the figures to results.json; keep those of other benchmarks."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    found = {one["name"]: one for one in kept}
    found |= {figure.name: figure.as_json() for figure in figures}
    RESULTS.write_text(json.dumps(list(found.values()), indent=2) + "\n")


HEAD = ("benchmark", "value", "baseline", "ratio", "target", "")


def as_table(figures: Iterable[Figure]) -> str:
    """Return a Markdown table with aligned columns."""
    rows = [HEAD, *map(_cells, figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    baseline, ratio = figure.baseline, figure.ratio
    name = f"{figure.name}: {figure.details}" if figure.details else figure.name
    return (
        name,
        f"{_number(figure.value)} {figure.unit}",
        "" if baseline is None else _number(baseline),
        "" if ratio is None else f"{ratio:.2f}",
        _target(figure),
        "" if figure.meets_target else "MISSED",
    )


def _target(figure: Figure) -> str:
    targets = []
    if figure.target is not None:
        is_limit = figure.ratio is None or figure.smaller_is_better
        targets.append(f"{'<=' if is_limit else '>='} {figure.target:g}")
    if figure.enough is not None:
        targets.append(f">= {_number(figure.enough)} {figure.unit}")
    return " or ".join(targets)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
