"""At the same time: texts in parallel, all instances at work, and nobody's drawing mixed with another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests

from store.ids import new_id
from tests.api.answers import data_of, failure_of
from tests.api.front_end import body, cards_in, pictures_in
from tests.api.records import at_the_same_time, record_of, records_of, steps_of, until
from tests.api.server import Server, serving
from tests.stand_ins import CHECKPOINT, StandIn, picture, stand_in

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
AT_ONCE = ("--step-time", "0", "--load-time", "0")


def _running(*stand_ins: StandIn) -> list[int]:
    return [int(one.state()["running"]) for one in stand_ins]


def test_the_texts_of_one_request_are_asked_for_at_the_same_time(server: Server, chat: StandIn) -> None:
    chat.close_gate(at_step=0)
    request = partial(server.post, "/generate", body("brief.create_new", currentNum=3))

    with at_the_same_time([request]) as answers:
        until(lambda: _running(chat) == [3])
        chat.open_gate()

    assert len(cards_in(data_of(answers[0]))) == 3
    assert max(entry["in_flight"] for entry in chat.journal()) == 3


def test_the_pictures_of_one_request_use_all_instances_at_the_same_time(
    server: Server, webuis: tuple[StandIn, StandIn]
) -> None:
    for webui in webuis:
        webui.close_gate()
    request = partial(server.post, "/generate", body("sketch.create_new", currentNum=2))

    with at_the_same_time([request]) as answers:
        until(lambda: _running(*webuis) == [1, 1])
        for webui in webuis:
            webui.open_gate()

    record = record_of(server, answers[0])
    assert len({step.details["instance"] for step in steps_of(record, "txt2img")}) == 2


def test_an_instance_never_has_two_jobs_at_once(server: Server, webuis: tuple[StandIn, StandIn]) -> None:
    request = partial(server.post, "/generate", body("sketch.create_new", currentNum=3))

    with at_the_same_time([request] * 3) as answers:
        pass

    assert [len(pictures_in(data_of(answer))) for answer in answers] == [3, 3, 3]
    for webui in webuis:
        # From the moment a job came to the WebUI: none may even stand in its queue while another is painted.
        jobs = sorted((entry["queued_at"], entry["end"]) for entry in webui.journal())
        assert all(earlier[1] <= later[0] for earlier, later in zip(jobs, jobs[1:], strict=False))


@pytest.fixture(scope="module")
def drawing_server(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with WebUIs whose pictures show the drawing that they follow."""
    own = {"MONGO_DB": f"test_{new_id().lower()}", "DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    with (
        stand_in("webui", *AT_ONCE) as first,
        stand_in("webui", *AT_ONCE) as second,
        serving({**settings, **own, "SD_ENDPOINTS": f"{first.url},{second.url}"}) as running,
    ):
        yield running


@pytest.mark.parametrize("operation", ["sketch.extend", "sketch.transform", "rendering.extend", "rendering.transform"])
def test_drawings_of_two_participants_at_once_never_mix(drawing_server: Server, operation: str) -> None:
    server = drawing_server
    canvases = {name: server.uploaded(picture(width, 512), "canvas.png") for name, width in (("A", 512), ("B", 300))}

    def generate(name: str, user: str) -> requests.Response:
        return server.post("/generate", body(operation, username=user, seed=3, selectedCanvasRecords=[canvases[name]]))

    alone = {name: data_of(generate(name, "before")) for name in canvases}
    assert alone["A"] != alone["B"]
    with at_the_same_time([partial(generate, name, name) for name in "ABABAB"]) as answers:
        pass

    assert [data_of(answer) for answer in answers] == [alone[name] for name in "ABABAB"]
    for name, answer in zip("ABABAB", answers, strict=True):
        assert record_of(server, answer).inputs.image_ids == (canvases[name].rpartition("/")[2][:64],)


def test_one_participant_may_have_several_requests_under_way(server: Server) -> None:
    username = new_id()
    operations = ("brief.create_new", "sketch.create_new", "rendering.create_new")
    calls = [partial(server.post, "/generate", body(name, username=username)) for name in operations]

    with at_the_same_time(calls) as answers:
        pass

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sorted(record.operation for record in records_of(server, username)) == sorted(operations)


def _ready(*webuis: StandIn) -> None:
    """Have the checkpoint loaded everywhere: where it is not, a picture may better wait than load it."""
    for webui in webuis:
        requests.post(f"{webui.url}/sdapi/v1/options", json={"sd_model_checkpoint": CHECKPOINT}, timeout=10)


def test_a_request_that_found_no_idle_instance_says_what_to_change(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    _ready(*webuis)
    server = serve(SD_POOL_TIMEOUT=0.3)
    assert server.post("/generate", body("sketch.create_new")).status_code == 200
    for webui in webuis:
        webui.close_gate()

    with at_the_same_time([partial(server.post, "/generate", body("sketch.create_new", currentNum=2))]) as answers:
        until(lambda: _running(*webuis) == [1, 1])
        late = server.post("/generate", body("sketch.create_new", username="late"))
        for webui in webuis:
            webui.open_gate()

    message = failure_of(late, 503, code=2)
    assert message == "all 2 instances stayed busy for 0.3 s; add one to SD_ENDPOINTS or raise SD_POOL_TIMEOUT"
    assert int(late.headers["Retry-After"]) > 0
    assert [record.state for record in records_of(server, "late")] == ["failed"]
    assert answers[0].status_code == 200


def test_light_calls_are_answered_while_all_instances_work(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    _ready(*webuis)
    server = serve()
    for webui in webuis:
        webui.close_gate()

    with at_the_same_time([partial(server.post, "/generate", body("sketch.create_new", currentNum=2))]) as answers:
        until(lambda: _running(*webuis) == [1, 1])
        assert server.get("/ping").text == "pong"
        assert server.get(server.uploaded(picture())).status_code == 200
        assert data_of(server.post("/generate", body("brief.create_new")))
        for webui in webuis:
            webui.open_gate()

    assert answers[0].status_code == 200
