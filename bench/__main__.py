"""`python -m bench [SCENARIO ...]`: measure, show and write down how near the server is to what is possible.

Exit code 1 when a figure is missed or an instance was booked twice.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.processes import ROOT
from bench.report import Archive, Report, lines_for_terminal
from bench.scenarios import exports, failures, fairness, history, latency, mixed, operations, uniform, waiting
from bench.stage import Bench, benched

SCENARIOS = {
    "uniform": uniform.run, "mixed": mixed.run, "latency": latency.run, "operations": operations.run,
    "failures": failures.run, "fairness": fairness.run, "waiting": waiting.run,
    "exports": exports.run,
}  # fmt: skip
WHEN_NAMED = {"history": history.run}
"""Take long to prepare, and so are no part of a run of all."""
ALL = {**SCENARIOS, **WHEN_NAMED}
BOOKINGS = "double bookings"


def main() -> None:
    """Read the command line, run the scenarios and end with what they found."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the server against what is possible.")
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(ALL)}; without any: the first {len(SCENARIOS)}"
    )
    parser.add_argument("--no-docs", action="store_true", help="leave docs/ as it is; pictures go to out/bench")
    wish = parser.parse_args()
    if unknown := set(wish.scenarios) - set(ALL):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        reports = run(Path(name), wish.scenarios or list(SCENARIOS), None if wish.no_docs else ROOT / "docs")
    sys.exit(0 if all(report.is_good for report in reports) else 1)


def run(folder: Path, names: list[str], docs: Path | None) -> list[Report]:
    """Run these scenarios one after the other; `docs` is where the table and the pictures go."""
    reports = []
    pictures = (docs or ROOT / "out") / "bench"
    with benched(folder) as bench:
        for name in names:
            began = time.monotonic()
            say(f"{name} ...")
            report = asyncio.run(ALL[name](bench, pictures))
            report = Report(name, [*report.figures, _booked(bench, name)], report.pictures)
            say("\n".join([*lines_for_terminal(report), f"  {time.monotonic() - began:.0f} s"]))
            reports.append(report)
    if docs:
        archive = Archive(docs)
        for report in reports:
            archive.keep(report)
        archive.write(list(ALL))
    return reports


def _booked(bench: Bench, name: str) -> Figure:
    return Figure(BOOKINGS, bench.double_bookings.get(name, 0), 0, "at most")


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
