"""With 100,000 generations on the embedded database: how long do history and overview take?

It fills the database for a minute before it measures, so it runs only when it is named.
"""

import asyncio
import random
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from bench.client import WrongAnswerError
from bench.figures import Figure
from bench.report import Report
from bench.stage import Bench, Stage, Times
from store.clock import utc_now
from store.connection import StoreConfig
from store.documents import GenerationInputs, GenerationRecord, Output, StepRecord
from store.generation_documents import to_document
from store.schema import GENERATIONS
from store.stores import open_stores

PEOPLE, EACH, MUST_MS, ASKED = 200, 500, 50, 60
SPREAD_S = 30 * 86_400
PAUSE_S = 0.1


async def run(bench: Bench, pictures: Path) -> Report:
    """Fill the database, look once at everything, then time each kind of question, one at a time."""
    with bench.stage(1, 1, Times(image_s=0.1), {"RESEARCH_LOGIN": "false"}) as stage:
        names = _filled(bench)
        overview = ["/api/studies/default/overview"] * ASKED
        await _timed(stage, overview[:1])
        await asyncio.sleep(3)
        took = {
            "overview of the study": await _timed(stage, overview),
            "history of a participant": await _timed(stage, [f"/api/generations?username={name}" for name in names]),
            "history of all": await _timed(stage, ["/api/generations"] * ASKED),
        }
    remark = f"{PEOPLE * EACH:,} generations of {PEOPLE} participants; p95 of {ASKED}"
    return Report("history", [
        Figure(what, sorted(ms)[int(len(ms) * 0.95)], MUST_MS, "at most", " ms", remark) for what, ms in took.items()
    ], {})  # fmt: skip


def _filled(bench: Bench) -> list[str]:
    """Put participants with their generations into the stage's database; gives the names of some."""
    stores, chance, now = (
        open_stores(StoreConfig(bench.mongo_uri, f"bench-{bench.stages}")),
        random.Random(1),
        utc_now(),
    )
    stores.studies.default()
    names = [f"P{number:03}" for number in range(PEOPLE)]
    for name in names:
        participant_id = stores.participants.id_of(name)
        stores.sessions.of_nobody_else(participant_id)
        records = (_record(participant_id, chance) for _ in range(EACH))
        documents = [{**to_document(record), "changed_at": now - timedelta(days=1)} for record in records]
        stores.database.collection(GENERATIONS).insert_many(documents)
    stores.close()
    return names[:ASKED]


def _record(participant_id: str, chance: random.Random) -> GenerationRecord:
    at = utc_now() - timedelta(seconds=chance.random() * SPREAD_S)
    return GenerationRecord(
        app_id=1, participant_id=participant_id, operation="sketch.create_new", state="succeeded",
        inputs=GenerationInputs(task="lamp", texts=("light",)), created_at=at, started_at=at,
        ended_at=at + timedelta(seconds=5), session_id=participant_id, study_id="default", condition_id="default",
        steps=(StepRecord(kind="chat", name="x", details={"prompt": "y" * 600}),),
        outputs=(Output(kind="image", image_id=f"{chance.getrandbits(256):064x}"),),
    )  # fmt: skip


async def _timed(stage: Stage, paths: Iterable[str]) -> list[float]:
    took = []
    for path in paths:
        began = time.perf_counter()
        answer = await stage.api.call("GET", path, None)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise WrongAnswerError(f"GET {path} answered {answer.status}: {answer.body[:300]!r}")
        await asyncio.sleep(PAUSE_S)
    return took
