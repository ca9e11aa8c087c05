"""`make calibrate`: score forecasts in hidden worlds and write docs/forecast.md."""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean

from domain.forecast.log import Occasion, Score
from domain.forecast.quantities import Quantity
from tests.calibration.experiment import Result, experiment

BURN_IN, CAMPAIGNS, SEEDS = 22, 50, (2026, 2027)
"""Each seed is an installation; its first campaigns are not counted."""

DOCUMENT = Path(__file__).parents[2] / "docs" / "forecast.md"
JUDGED = (Quantity.FINISH, Quantity.HUMAN, Quantity.SPEND)
LOWEST, HIGHEST, BETTER = 75, 85, 0.15
BEGIN = "<!-- figures of `make calibrate` -->\n"
END = "<!-- end of the figures -->\n"


def main() -> int:
    """Write the figures; return 1 unless all of them meet their targets."""
    with ProcessPoolExecutor() as pool:
        results = [one for own in pool.map(_installation, SEEDS) for one in own]
    lines, missed = report(results)
    text = "\n".join(lines) + "\n"
    sys.stdout.write(f"\n{text}")
    _write(text)
    return 1 if missed else 0


def _installation(seed: int) -> list[Result]:
    """Run all campaigns of one installation; return those after the first ones."""
    results = []
    for number, result in enumerate(experiment(BURN_IN + CAMPAIGNS, seed)):
        sys.stderr.write(f"\rinstallation {seed}: {number + 1} campaigns")
        results.append(result)
    return results[BURN_IN:]


def report(results: list[Result]) -> tuple[list[str], list[str]]:
    """Return the table, and the targets that were missed."""
    played = (
        f"{len(results)} campaigns of {len(SEEDS)} installations, after {BURN_IN} other"
        " campaigns in each."
    )
    head = "| forecast | of | inside the 80 % interval | without correction |"
    lines = [
        played,
        "",
        f"{head} without day effect | CRPS | naive | less error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    missed = []
    for occasion in (Occasion.LAUNCH, Occasion.HALF_TIME):
        for quantity in Quantity:
            corrected, raw, flat = (
                _picked(results, kind, occasion, quantity)
                for kind in ("corrected", "raw", "without_days")
            )
            covered = _covered(corrected)
            ours, naive = _crps(corrected)
            gain = 1 - ours / naive if naive else 0.0
            lines.append(
                f"| {occasion.lower().replace('_', ' ')} | {quantity.lower()} |"
                f" {covered} of {len(corrected)} | {_covered(raw)} |"
                f" {_covered(flat) if flat else '-'} | {ours:,.1f} |"
                + (f" {naive:,.1f} | {gain:.0%} |" if naive else " - | - |")
            )
            if quantity in JUDGED:
                name = f"{occasion} {quantity}"
                if not LOWEST <= covered <= HIGHEST:
                    missed.append(f"{name}: {covered} inside")
                if gain < BETTER:
                    missed.append(f"{name}: {gain:.0%} less error")
    if not _days_matter(results):
        missed.append("without the day effect the coverage does not fall")
    lines += ["", f"Targets missed: {'; '.join(missed) or 'none'}."]
    return lines, missed


def _days_matter(results: list[Result]) -> bool:
    """Return whether a model without the day effect covers fewer human answers."""
    launch, human = Occasion.LAUNCH, Quantity.HUMAN
    raw = _covered(_picked(results, "raw", launch, human))
    return _covered(_picked(results, "without_days", launch, human)) < raw


def _picked(
    results: list[Result], kind: str, occasion: Occasion, quantity: Quantity
) -> list[Score]:
    return [
        one
        for result in results
        for one in getattr(result, kind)
        if one.occasion is occasion and one.quantity is quantity
    ]


def _covered(scores: list[Score]) -> int:
    return sum(one.is_covered for one in scores)


def _crps(scores: list[Score]) -> tuple[float, float]:
    pairs = [
        (one.crps, one.naive_crps)
        for one in scores
        if one.crps is not None and one.naive_crps is not None
    ]
    if not pairs:
        return 0.0, 0.0
    return fmean(ours for ours, _ in pairs), fmean(naive for _, naive in pairs)


def _write(figures: str) -> None:
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}{figures}{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
