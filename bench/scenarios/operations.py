"""Each of the 14 operations alone on an idle pool with enough instances: is anything in it waited for in vain?"""

import io
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from PIL import Image, ImageDraw

from bench.api import Job
from bench.buttons import BUTTONS, CHAINS
from bench.client import Connection
from bench.farm.journal import Entry
from bench.farm.pictures import SIDE, picture
from bench.figures import Figure
from bench.gantt import Chart, draw
from bench.ideals import longest_chain_s, paintings
from bench.load import all_good
from bench.report import Report
from bench.stage import Bench, Stage, Times

MUST = 1.05
TIMES = Times(image_s=1.5, segment_s=0.5, chat_s=0.5)
"""A fast GPU's and a fast language model's seconds; with shorter ones the figure would only show the machine's own."""
WARM = {"image_s": 0.3, "load_s": 0.05, "segment_s": 0.1}
NUM = 3
LOADED = ["realisticVisionV60B1_v60B1VAE"] * 6 + ["v2-1_512-ema-pruned"] * 3 + ["v1-5-pruned-emaonly"] * 3
"""Enough of each checkpoint for the operation that needs most of it at once: six views, or three pictures."""
DRAWN = ("sketch.extend", "model.transform")
PICTURED = ("sketch.transform", "model.multi_view", "rendering.extend", "rendering.transform")


async def run(bench: Bench, pictures: Path) -> Report:
    """Run every operation once in a hurry, so that the server knows its instances, and once more to be measured."""
    with bench.stage(len(LOADED), 4, TIMES, loaded=LOADED) as stage:
        chat = Connection(stage.chat_url)
        drawn, pictured = await stage.api.upload(_drawing()), await stage.api.upload(picture())
        canvases = {name: drawn if name in DRAWN else pictured for name in (*DRAWN, *PICTURED)}
        await _hurry(stage, chat, WARM, 0.02)
        for name in BUTTONS:
            await _press(stage, name, canvases, f"Design a chair for {name}")
        bench.count("operations", await stage.steering.journal())
        await _hurry(stage, chat, asdict(TIMES), TIMES.chat_s)
        figures, entries, since = [], [], time.time()
        for name in BUTTONS:
            figure, journal = await _measured(stage, chat, name, canvases)
            figures.append(figure)
            entries += bench.count("operations", journal)
    worst = max(figures, key=lambda figure: figure.reached)
    title = (
        f"The 14 operations one after the other; the slowest, {worst.what.partition(':')[0]}, {worst.said} of its chain"
    )
    draw(pictures / "operations.png", [Chart(title, entries, since)])
    return Report("operations", figures, {"operations.png": title})


async def _measured(
    stage: Stage, chat: Connection, name: str, canvases: Mapping[str, str]
) -> tuple[Figure, list[Entry]]:
    await stage.steering.forget()
    await chat.call("DELETE", "/standin/journal")
    took_s = await _press(stage, name, canvases, f"Design a lamp for {name}")
    entries = await stage.steering.journal()
    said = (await chat.call("GET", "/standin/journal")).json()
    seconds = {
        "chat": max(call["end"] - call["start"] for call in said),
        "paint": max((entry.work_s for entry in paintings(entries)), default=0.0),
        "sam": max((entry.work_s for entry in entries if entry.kind == "sam-predict"), default=0.0),
    }
    chain_s = longest_chain_s(CHAINS[name], seconds)
    steps = " → ".join(" ‖ ".join(group) for group in CHAINS[name])
    remark = f"{1000 * took_s:.0f} ms / {1000 * chain_s:.0f} ms: {steps}"
    return Figure(f"{name}: measured time / longest chain", took_s / chain_s, MUST, "at most", "", remark), entries


async def _hurry(stage: Stage, chat: Connection, seconds: Mapping[str, float], chat_s: float) -> None:
    await stage.steering.set_timing(**{name: value for name, value in seconds.items() if name != "chat_s"})
    await chat.call("POST", "/standin/timing", {"latency": chat_s})


async def _press(stage: Stage, name: str, canvases: Mapping[str, str], task: str) -> float:
    connection = Connection(stage.api.url)
    more = {"selectedCanvasRecords": [canvases[name]]} if name in canvases else {}
    texts = ["quick to clean"] if name == "brief.extend" else []
    began = time.perf_counter()
    all_good([await stage.api.generate(Job(0, name, task=task, num=NUM), connection, selectedTexts=texts, **more)])
    took_s = time.perf_counter() - began
    connection.close()
    return took_s


def _drawing() -> bytes:
    """Draw what a participant's canvas may hold: strokes on white."""
    image = Image.new("RGBA", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((156, 186, 356, 426), outline="black", width=5)
    pen.arc((120, 120, 392, 300), 180, 360, fill="black", width=5)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
