"""Draws curves as an SVG file."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.growth.curves import Subject


def plot(subject: Subject, file: Path) -> None:
    """Draw each curve relative to its first point, and the line of proportion."""
    mpl.rcParams["svg.hashsalt"] = "autolynx"  # The same curves give the same file.
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for curve in subject.curves.values():
        sizes = [size for size, _ in curve.points]
        first = curve.points[0][1] or 1.0
        ratios = [value / first for _, value in curve.points]
        axes.plot(sizes, ratios, marker="o", label=curve.name)
        axes.plot(sizes, [size / sizes[0] for size in sizes], color="0.8", zorder=0)
    axes.set(xscale="log", yscale="log", xlabel=subject.title)
    axes.set_ylabel("cost, compared with the smallest size")
    axes.legend(fontsize="small")
    figure.savefig(file, metadata={"Date": None})
