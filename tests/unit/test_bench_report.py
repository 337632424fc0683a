"""What the bench writes: the part between two marks, the newest figures of each scenario, a small picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bench.farm.journal import Entry
from bench.figures import Figure
from bench.gantt import Chart, draw
from bench.report import BEGIN, END, Archive, Report

pytestmark = pytest.mark.unit


def written(docs: Path, *reports: Report) -> str:
    archive = Archive(docs)
    for report in reports:
        archive.keep(report)
    archive.write(["uniform", "mixed"])
    return (docs / "performance.md").read_text("utf-8")


def test_the_text_around_the_figures_stays(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text(f"# Before\n{BEGIN}\nold\n{END}\nAfter\n")

    page = written(tmp_path, Report("uniform", [Figure("share", 0.98, 0.97)], {}))

    assert page.startswith("# Before\n")
    assert page.endswith("\nAfter\n")
    assert "old" not in page
    assert "| uniform | share | ≥ 0.97 | **0.980** | yes |" in page


def test_a_scenario_that_runs_alone_leaves_the_others_figures(tmp_path: Path) -> None:
    written(tmp_path, Report("mixed", [Figure("bound", 0.9, 0.85)], {}))

    page = written(tmp_path, Report("uniform", [Figure("share", 0.9, 0.97)], {"uniform.png": "a chart"}))

    assert page.index("| uniform | share | ≥ 0.97 | **0.900** | no |") < page.index("| mixed | bound |")
    assert "![a chart](bench/uniform.png)" in page


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure("a", 0.97, 0.97), True),
        (Figure("a", 0.96, 0.97), False),
        (Figure("a", 15, 15, "at most"), True),
        (Figure("a", 15.1, 15, "at most"), False),
    ],
)
def test_a_figure_is_met_up_to_its_limit(figure: Figure, is_met: bool) -> None:
    assert figure.is_met is is_met


def test_a_chart_is_a_small_picture(tmp_path: Path) -> None:
    entries = [
        Entry("gpu-01", "txt2img", "t", "A", 0, 1, 0.0, 0, start=0.0, end=1.0, outcome="done"),
        Entry("gpu-02", "txt2img", "t", "B", 0, 1, 0.0, 0, 0.0, 1.0, 1.0, 2.0, outcome="done"),
        Entry("gpu-02", "txt2img", "t", "B", 0, 1, 2.0, 0, start=2.0),
    ]

    draw(tmp_path / "bench" / "chart.png", [Chart("two instances", entries, 0.0)])

    with Image.open(tmp_path / "bench" / "chart.png") as image:
        assert image.mode == "P"
        assert image.width > 800
    assert (tmp_path / "bench" / "chart.png").stat().st_size < 30_000
