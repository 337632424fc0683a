"""Pictures of what the instances did: one row each over time, a colour for each checkpoint, loads hatched."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from bench.farm.journal import Entry

COLOURS = ("#4c78a8", "#f2a541", "#54a24b", "#b279a2")
LOAD, FAILED, SEGMENT = "#d9d9d9", "#c23b3b", "#7f7f7f"
WIDTH_IN, ROW_IN, DPI = 9.5, 0.17, 110


@dataclass(frozen=True)
class Chart:
    """One row of instances to draw: a title, the journal, and the moment that is 0 on the axis."""

    title: str
    entries: Sequence[Entry]
    since: float


def draw(path: Path, charts: Sequence[Chart]) -> None:
    """Draw the charts one above the other on one time axis, as a small PNG."""
    matplotlib.use("Agg")
    rows = [sorted({entry.instance for entry in chart.entries}) for chart in charts]
    heights = [max(1.2, ROW_IN * len(names) + 0.55) for names in rows]
    figure = Figure(figsize=(WIDTH_IN, sum(heights) + 0.45), layout="constrained")
    plots = figure.subplots(len(charts), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    checkpoints = sorted({entry.checkpoint for chart in charts for entry in chart.entries if entry.checkpoint})
    colours = dict(zip(checkpoints, COLOURS, strict=False))
    for plot, chart, names in zip(plots, charts, rows, strict=True):
        _draw_one(plot, chart, names, colours)
    # Set once for all: the charts share the axis, and the longest one decides.
    plots[0].set_xlim(0, 1.02 * max(_end(chart) - chart.since for chart in charts))
    plots[-1].set_xlabel("seconds", fontsize=8)
    figure.legend(handles=_legend(colours, charts), loc="outside lower center", ncols=5, fontsize=7, frameon=False)
    _save(figure, path)


def _draw_one(plot: Axes, chart: Chart, names: Sequence[str], colours: dict[str, str]) -> None:
    end = _end(chart)
    for row, name in enumerate(names):
        for entry in (one for one in chart.entries if one.instance == name):
            if entry.load_s > 0:
                load = [(entry.load_start - chart.since, entry.load_s)]
                plot.broken_barh(
                    load, (row - 0.4, 0.8), facecolor=LOAD, hatch="/////", edgecolor="#666666", linewidth=0
                )
            if entry.start:
                work = [(entry.start - chart.since, (entry.end or end) - entry.start)]
                plot.broken_barh(
                    work, (row - 0.4, 0.8), facecolor=_colour(entry, colours), edgecolor="white", linewidth=0.4
                )
    plot.set_title(chart.title, fontsize=9, loc="left")
    plot.set_yticks(range(len(names)), names, fontsize=6)
    plot.tick_params(axis="x", labelsize=7)
    plot.set_ylim(len(names) - 0.4, -0.6)
    for side in ("top", "right"):
        plot.spines[side].set_visible(False)


def _end(chart: Chart) -> float:
    return max(entry.end or entry.start for entry in chart.entries)


def _colour(entry: Entry, colours: dict[str, str]) -> str:
    if entry.outcome in ("failed", "running"):
        return FAILED
    return colours.get(entry.checkpoint, SEGMENT)


def _legend(colours: dict[str, str], charts: Sequence[Chart]) -> list[Patch]:
    entries = [entry for chart in charts for entry in chart.entries]
    patches = [Patch(facecolor=colour, label=name) for name, colour in colours.items()]
    if any(entry.load_s for entry in entries):
        patches.append(Patch(facecolor=LOAD, hatch="/////", edgecolor="#666666", label="loads a checkpoint"))
    if any(entry.kind == "sam-predict" for entry in entries):
        patches.append(Patch(facecolor=SEGMENT, label="segments"))
    if any(entry.outcome in ("failed", "running") for entry in entries):
        patches.append(Patch(facecolor=FAILED, label="fails or hangs"))
    return patches


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A chart has few colours; as a palette it takes a third of the bytes.
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(64).save(path, optimize=True)
