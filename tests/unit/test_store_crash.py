"""A MongoDB that is killed loses nothing that was acknowledged, and one that restarts is not noticed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from store.clock import utc_now
from store.documents import Output, StepRecord
from store.errors import StoreUnavailableError
from store.saved_states import SavedState
from store.stores import Stores
from store.uploads import Upload
from tests.embedded import EmbeddedMongo, embedded_mongo
from tests.stores import opened_stores, read, running

WRITERS = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    with embedded_mongo(tmp_path) as started:
        yield started
        # Nobody needs its data any more, and a kill is quicker than a stop.
        started.kill()


def test_what_was_acknowledged_right_before_a_kill_is_there_after_the_restart(server: EmbeddedMongo) -> None:
    with opened_stores(server.uri, "d") as stores:
        participant = stores.participants.find_or_create("anna")
        stores.saved_states.save(participant.id, SavedState("{}", "task", "草图的环境"))
        ref = stores.contents.put(b"x" * 300_000, "image/png")
        claim = stores.generations.write(running(stores.generations), steps=[StepRecord(kind="txt2img", name="paint")])
        claim = stores.generations.finish(claim, outputs=[Output(kind="image", image_id=ref.sha256)])
        server.kill()
        server.start()
        loaded, content = stores.saved_states.load(participant.id), stores.contents.get(ref.sha256)
        kept = stores.generations.get(claim.generation_id)
        assert loaded is not None and loaded.text == "{}"
        assert content is not None and content.data == b"x" * 300_000
        assert kept is not None and (kept.state, len(kept.steps)) == ("succeeded", 1)
        assert stores.generations.parents_of("p", [ref.sha256], []) == (claim.generation_id,)


def test_a_restart_in_the_middle_of_writes_is_survived_and_each_write_happens_once(
    server: EmbeddedMongo,
) -> None:
    with opened_stores(server.uri, "d") as stores:
        participant_id = stores.participants.find_or_create("anna").id
        claims = [running(stores.generations) for _ in range(WRITERS)]
        over, under_way = threading.Event(), threading.Barrier(WRITERS + 1)

        def write(writer: int) -> list[str]:
            """Write until it is over, and give the names of what was acknowledged."""
            acknowledged: list[str] = []
            claim = claims[writer]
            while not over.is_set():
                name = f"{writer}/{len(acknowledged)}"
                stores.uploads.add(Upload(participant_id, "a" * 64, name, "canvas"))
                claim = stores.generations.write(claim, steps=[StepRecord(kind="chat", name=name)])
                acknowledged.append(name)
                if len(acknowledged) in (3, 6):
                    under_way.wait(30)
            return acknowledged

        with ThreadPoolExecutor(WRITERS) as threads:
            writers = [threads.submit(write, writer) for writer in range(WRITERS)]
            under_way.wait(30)
            server.kill()
            server.start()
            under_way.wait(30)
            over.set()
            names = sorted(name for writer in writers for name in writer.result())
        assert sorted(upload.file_name for upload in uploads_of(stores, participant_id)) == names
        kept = [read(stores.generations, claim.generation_id) for claim in claims]
        assert sorted(step.name for record in kept for step in record.steps) == names


def uploads_of(stores: Stores, participant_id: str) -> tuple[Upload, ...]:
    now = utc_now()
    return stores.uploads.of_participant(participant_id, now - timedelta(hours=1), now + timedelta(hours=1))


def test_a_server_that_stays_down_is_reported_and_not_waited_for_long(server: EmbeddedMongo) -> None:
    with opened_stores(server.uri, "d", selection_timeout_s=0.3) as stores:
        stores.participants.find_or_create("anna")
        server.kill()
        start = utc_now()
        with pytest.raises(StoreUnavailableError):
            stores.participants.find("anna")
        assert utc_now() - start < timedelta(seconds=2)


def test_a_stopped_server_ends_within_its_time_and_keeps_what_was_written(server: EmbeddedMongo) -> None:
    with opened_stores(server.uri, "d") as stores:
        written = stores.participants.find_or_create("anna")
        server.stop()
        server.start()
        assert stores.participants.find("anna") == written
