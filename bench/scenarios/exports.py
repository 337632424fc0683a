"""A study of large pictures is exported: how fast, until it is checked, and with how much memory?"""

import asyncio
import base64
import hashlib
import random
import time
from pathlib import Path
from typing import Any

from bench.client import WrongAnswerError
from bench.farm.pictures import noise
from bench.figures import Figure
from bench.processes import memory_mb, workers_of
from bench.report import Report
from bench.stage import Bench, Stage, Times

MUST_MB_S, MUST_MB = 50, 200
PICTURES, SIDE, AT_ONCE = 120, 900, 2
CHUNK = 2**20


async def run(bench: Bench, pictures: Path) -> Report:
    """Send pictures, name them in a save, export the study, and copy as many bytes to the same disk."""
    with bench.stage(1, 1, Times(image_s=0.1), {"RESEARCH_LOGIN": "false"}) as stage:
        await _filled(stage)
        [worker] = workers_of(stage.process)
        before, began = memory_mb(worker), time.perf_counter()
        export, peak = await _exported(stage, worker)
        took_s = time.perf_counter() - began
        copied_s = _copied(bench.folder / "copy", export["bytes"])
    size = export["bytes"] / 1e6
    remark = f"{size:.0f} MB in {took_s:.1f} s; written and hashed plainly on this disk: {size / copied_s:.0f} MB/s"
    return Report("exports", [
        Figure(f"{PICTURES} pictures: export, checked", size / took_s, MUST_MB_S, "at least", " MB/s", remark),
        Figure(f"{PICTURES} pictures: memory that the worker takes on", peak - before, MUST_MB, "at most", " MB"),
    ], {})  # fmt: skip


async def _filled(stage: Stage) -> None:
    """Put pictures into the default study, as a participant's saved work."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def send(number: int) -> str:
        async with turns:
            image = base64.b64encode(noise(random.Random(number), SIDE)).decode()
            answer = await _called(stage, "POST", "/uploadImage", {"image": image})
            return str(answer["url"])

    urls = await asyncio.gather(*(send(number) for number in range(PICTURES)))
    await _called(stage, "POST", "/paint/start", {"username": "P01"})
    await _called(stage, "POST", "/paint/save", {"username": "P01", "data": {"designTask": "t", "pictures": urls}})
    await _called(stage, "POST", "/api/sessions", {"username": "P01"})


async def _exported(stage: Stage, worker: int) -> tuple[dict[str, Any], float]:
    """Export the default study; gives the export, and the most memory that was seen meanwhile."""
    export = (await _called(stage, "POST", "/api/studies/default/exports", {}))["data"]
    peak = memory_mb(worker)
    while export["state"] not in ("done", "failed"):
        await asyncio.sleep(0.05)
        export = (await _called(stage, "GET", f"/api/exports/{export['id']}"))["data"]
        peak = max(peak, memory_mb(worker))
    if export["state"] == "failed" or export["pictures"] < PICTURES:
        raise WrongAnswerError(f"the export has {export['pictures']} pictures; {export['error']}")
    return export, peak


async def _called(stage: Stage, method: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = await stage.api.call(method, path, body)
    found = answer.json()
    if answer.status not in (200, 202) or not isinstance(found, dict):
        raise WrongAnswerError(f"{method} {path} answered {answer.status}: {answer.body[:300]!r}")
    return found


def _copied(path: Path, size: int) -> float:
    """Write so many bytes to the disk, read them again and hash them; gives the seconds."""
    chunk, began = random.Random(1).randbytes(CHUNK), time.perf_counter()
    with path.open("wb") as file:
        for _ in range(size // CHUNK):
            file.write(chunk)
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while read := file.read(CHUNK):
            sha256.update(read)
    path.unlink()
    return time.perf_counter() - began
