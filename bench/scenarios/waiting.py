"""200 clients that wait for /generate and 1,000 that follow events, on four workers: is the server still quick?"""

import asyncio
import time
from pathlib import Path

from bench.api import Api, Done, Job
from bench.client import Connection, WrongAnswerError
from bench.figures import Figure
from bench.ideals import percentile
from bench.load import all_good
from bench.processes import memory_mb, workers_of
from bench.report import Report
from bench.scenarios.uniform import warm_up
from bench.stage import Bench, Stage, Times

MUST_MS, MUST_MB = 20, 300
WAITING, FOLLOWED, FOLLOWERS = 200, 100, 1000
INSTANCES, PINGS, PAUSE_S = 6, 600, 0.01
TIMES = Times(image_s=0.1)
HELD_S = 600.0


async def run(bench: Bench, pictures: Path) -> Report:
    """Hold all pictures back while the pings are measured, then let them go and see that everybody was served."""
    with bench.stage(INSTANCES, 4, TIMES) as stage:
        await warm_up(stage, INSTANCES)
        idle = await _pings(stage.api)
        await stage.steering.set_timing(image_s=HELD_S)
        waiting = [asyncio.create_task(_wait(stage.api, number)) for number in range(WAITING)]
        ids = await asyncio.gather(*(stage.api.submit(Job(WAITING + number)) for number in range(FOLLOWED)))
        started = asyncio.Semaphore(0)
        following = [asyncio.create_task(_follow(stage.api, ids[n % FOLLOWED], started)) for n in range(FOLLOWERS)]
        await asyncio.wait_for(_taken(started, FOLLOWERS), 60)
        busy = await _pings(stage.api)
        memory = max(memory_mb(pid) for pid in workers_of(stage.process))
        await _release(stage)
        all_good(await asyncio.gather(*waiting))
        seen = sum(await asyncio.gather(*following))
        bench.count("waiting", await stage.steering.journal())
    idle_ms, busy_ms = 1000 * percentile(idle, 0.99), 1000 * percentile(busy, 0.99)
    remark = f"p99 {busy_ms:.1f} ms with them, {idle_ms:.1f} ms idle; {len(busy)} pings, each on a new connection"
    clients = f"{WAITING} on /generate, {FOLLOWERS} on events"
    return Report("waiting", [
        Figure(f"{clients}: p99 of /ping beyond the idle one", busy_ms - idle_ms, MUST_MS, "at most", " ms", remark),
        Figure(f"{clients}: memory of the largest worker", memory, MUST_MB, "at most", " MB"),
        Figure("followers who saw the end of their job", seen, FOLLOWERS, remark=f"of {FOLLOWERS}"),
    ], {})  # fmt: skip


async def _pings(api: Api) -> list[float]:
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        answer = await api.call("GET", "/ping")
        took.append(time.perf_counter() - began)
        if answer.body != b"pong":
            raise WrongAnswerError(f"/ping answered {answer.status}")
        await asyncio.sleep(PAUSE_S)
    return took


async def _wait(api: Api, number: int) -> Done:
    connection = Connection(api.url)
    try:
        return await api.generate(Job(number, username=f"P{number % 40:02}"), connection)
    finally:
        connection.close()


async def _follow(api: Api, generation_id: str, started: asyncio.Semaphore) -> bool:
    connection = Connection(api.url)
    last = ""
    async with connection.events(f"/api/generations/{generation_id}/events") as events:
        async for event in events:
            if not last:
                started.release()
            last = event.data.get("job", {}).get("state", last)
    return last == "succeeded"


async def _taken(started: asyncio.Semaphore, count: int) -> None:
    for _ in range(count):
        await started.acquire()


async def _release(stage: Stage) -> None:
    """Let pictures be quick again, and mend what is being painted by interrupting it."""
    await stage.steering.set_timing(image_s=TIMES.image_s)
    await stage.steering.hasten()
