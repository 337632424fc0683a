"""Three checkpoints mixed at random, a load as long as 2.5 pictures: against the lower bound, and against FIFO."""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from bench.farm.journal import Entry
from bench.fifo import first_come_first_served
from bench.figures import Figure
from bench.gantt import Chart, draw
from bench.ideals import lower_bound_s, makespan_s
from bench.load import all_good, at_once, mixed
from bench.processes import ROOT
from bench.report import Report
from bench.scenarios.uniform import warm_up
from bench.stage import Bench, Stage, Times

INSTANCES, JOBS = 6, 150
TIMES = Times(image_s=0.4, load_s=1.0, chat_s=0.02)
CHECKPOINTS = {
    "sketch.create_new": "realisticVisionV60B1_v60B1VAE",
    "model.create_new": "v2-1_512-ema-pruned",
    "rendering.create_new": "v1-5-pruned-emaonly",
}


async def run(bench: Bench, pictures: Path) -> Report:
    """Measure 1 and 4 workers, and FIFO on the same farm with the same jobs in the same order."""
    figures, charts = [], []
    settings = {"SETTINGS_DIR": str(settings_with(bench.folder / "settings", CHECKPOINTS))}
    for workers in (1, 4):
        with bench.stage(INSTANCES, workers, TIMES, settings) as stage:
            ours, began, bound_s = await _ours(bench, stage)
            fifo, fifo_began = await _fifo(stage) if workers == 4 else ([], 0.0)
        took_s = makespan_s(ours, began)
        named = f"{workers} worker{'s' * (workers > 1)}"
        loads = sum(entry.load_s > 0 for entry in ours)
        remark = f"{bound_s:.2f} s / {took_s:.2f} s, {loads} loads for {JOBS} pictures"
        figures.append(Figure(f"{named}: lower bound / makespan", bound_s / took_s, 0.85, remark=remark))
        charts.append(Chart(f"our scheduler, {named}: {took_s:.1f} s", ours, began))
    fifo_s = makespan_s(fifo, fifo_began)
    remark = f"{fifo_s:.1f} s, {sum(entry.load_s > 0 for entry in fifo)} loads"
    figures.append(Figure("4 workers: makespan of plain FIFO / ours", fifo_s / took_s, 2.0, remark=remark))
    charts.append(Chart(f"plain FIFO: {fifo_s:.1f} s", fifo, fifo_began))
    draw(pictures / "mixed.png", charts[1:])
    return Report("mixed", figures, {"mixed.png": "Three checkpoints mixed at random: our scheduler, and plain FIFO"})


async def _ours(bench: Bench, stage: Stage) -> tuple[list[Entry], float, float]:
    await warm_up(stage, INSTANCES)
    loaded = await stage.steering.loaded()
    jobs = mixed(list(CHECKPOINTS), JOBS, first_number=0)
    began = time.time()
    all_good(await at_once(stage.api.run, jobs))
    entries = bench.count("mixed", await stage.steering.journal())
    return entries, began, lower_bound_s(entries, loaded, TIMES.load_s)


async def _fifo(stage: Stage) -> tuple[list[Entry], float]:
    first = next(iter(CHECKPOINTS.values()))
    await stage.steering.set_loaded(dict.fromkeys(await stage.steering.loaded(), first))
    await stage.steering.forget()
    began = time.time()
    await first_come_first_served(stage.endpoints, mixed(list(CHECKPOINTS), JOBS, first_number=0), CHECKPOINTS)
    return await stage.steering.journal(), began


def settings_with(folder: Path, checkpoints: Mapping[str, str]) -> Path:
    """Copy the settings, and give the presets of these operations these checkpoints."""
    shutil.copytree(ROOT / "settings", folder)
    for operation, checkpoint in checkpoints.items():
        path = folder / "presets" / f"{operation.replace('.', '_')}.toml"
        lines = path.read_text("utf-8").splitlines()
        changed = [f'checkpoint = "{checkpoint}"' if line.startswith("checkpoint") else line for line in lines]
        path.write_text("\n".join(changed) + "\n", "utf-8")
    return folder
