"""The table: on the terminal, and in docs/performance.md between two marks."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bench.figures import Figure

BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- end of figures -->"
HEAD = "| scenario | what is measured | must reach | reached | |\n| --- | --- | --- | --- | --- |"


@dataclass(frozen=True)
class Report:
    """What one scenario found; `pictures` are file names in docs/bench with what they show."""

    scenario: str
    figures: Sequence[Figure]
    pictures: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """Whether all its figures are reached."""
        return all(figure.is_met for figure in self.figures)


def machine() -> str:
    """Say what the figures were measured on."""
    model = next((line.partition(":")[2].strip() for line in _cpu_lines() if line.startswith("model name")), "")
    return f"{os.cpu_count()} cores{f' ({model})' if model else ''}, Python {platform.python_version()}"


def _cpu_lines() -> list[str]:
    cpus = Path("/proc/cpuinfo")
    return cpus.read_text().splitlines() if cpus.exists() else []


def lines_for_terminal(report: Report) -> list[str]:
    """Write one line for each figure."""
    return [
        f"  {'ok    ' if figure.is_met else 'MISSED'} {figure.what}: {figure.said} (must be {figure.must})"
        + (f"   {figure.remark}" if figure.remark else "")
        for figure in report.figures
    ]


class Archive:
    """docs/bench/figures.json: the newest figures of each scenario, so that one can be run again alone."""

    def __init__(self, docs: Path) -> None:
        """Read what is there."""
        self._docs = docs
        self._path = docs / "bench" / "figures.json"
        self._runs: dict[str, dict[str, Any]] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def keep(self, report: Report) -> None:
        """Take the place of the scenario's older figures."""
        self._runs[report.scenario] = {
            "date": date.today().isoformat(), "machine": machine(), "pictures": dict(report.pictures),
            "figures": [figure.as_dict() for figure in report.figures],
        }  # fmt: skip

    def write(self, order: Sequence[str]) -> None:
        """Write the file and the part of docs/performance.md that is made of it."""
        self._runs = {name: self._runs[name] for name in order if name in self._runs}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._runs, indent=1, ensure_ascii=False) + "\n", "utf-8")
        page = self._docs / "performance.md"
        text = page.read_text("utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
        before, _, rest = text.partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{self._markdown()}\n{END}{rest.partition(END)[2]}", "utf-8")

    def _markdown(self) -> str:
        rows = [_row(name, Figure(**figure)) for name, run in self._runs.items() for figure in run["figures"]]
        measured = sorted({f"{run['date']}, {run['machine']}" for run in self._runs.values()})
        pictures = [
            f"**{shown}**\n\n![{shown}](bench/{file})"
            for run in self._runs.values()
            for file, shown in run["pictures"].items()
        ]
        return "\n\n".join(["Measured: " + "; ".join(measured) + ".", "\n".join([HEAD, *rows]), *pictures])


def _row(scenario: str, figure: Figure) -> str:
    what = f"{figure.what} ({figure.remark})" if figure.remark else figure.what
    return f"| {scenario} | {what} | {figure.must} | **{figure.said}** | {'yes' if figure.is_met else 'no'} |"
