"""Replays over HTTP: a session's generations once more, old and new side by side, with a verdict and why."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from store.documents import ErrorRecord
from store.ids import new_id
from tests.api.answers import data_of, failure_of
from tests.api.front_end import BUTTONS, TEXT_OPERATIONS
from tests.api.records import until
from tests.api.replaying import asked, over, page_of, replayed, session_with
from tests.api.server import Server, serving
from tests.stand_ins import StandIn, stand_in

pytestmark = pytest.mark.api

SETTINGS = Path(__file__).parents[2] / "settings"
Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def lasting(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server for all tests here that break nothing."""
    own = {"MONGO_DB": f"test_{new_id().lower()}", "DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    with serving({**settings, **own}) as running:
        yield running


@pytest.fixture(scope="module")
def whole(lasting: Server) -> str:
    """Have a session with all 14 operations, once for all tests that only read it."""
    return session_with(lasting)


def _codes(item: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in item["why"]]


def test_with_nothing_changed_all_14_operations_give_the_same_byte_for_byte(
    lasting: Server, whole: str, chat: StandIn
) -> None:
    questions = len(chat.journal())

    page = replayed(lasting, whole)

    replay, items = page["replay"], page["items"]
    assert [item["operation"] for item in items] == list(BUTTONS)
    assert [(item["verdict"], item["score"], item["why"]) for item in items] == [("equal", 1.0, [])] * 14
    for item in items:
        assert [output["old"] for output in item["outputs"]] == [output["new"] for output in item["outputs"]]
        assert {output["verdict"] for output in item["outputs"]} == {"equal"}
    assert (replay["state"], replay["done"], replay["total"], replay["progress"]) == ("done", 14, 14, 1.0)
    assert (replay["is_equal"], replay["counts"]["equal"]) == (True, 14)
    assert replay["pictures"]["similar"] + replay["pictures"]["differs"] == 0
    assert replay["pictures"]["equal"] >= 2 * (14 - len(TEXT_OPERATIONS))
    assert len(chat.journal()) == questions


def test_what_a_replay_makes_is_no_participants_and_names_the_replay(lasting: Server, whole: str) -> None:
    before = lasting.stores.generations.page(participant_id=whole, limit=200).records

    page = replayed(lasting, whole)

    assert lasting.stores.generations.page(participant_id=whole, limit=200).records == before
    for item in page["items"]:
        made = lasting.stores.generations.get(item["new_generation_id"])
        assert made is not None
        assert (made.replay_id, made.participant_id, made.rerun_of) == (
            page["replay"]["id"],
            page["replay"]["id"],
            item["generation_id"],
        )


def test_a_replay_of_a_session_that_was_replayed_does_not_repeat_the_replay(lasting: Server, whole: str) -> None:
    assert asked(lasting, whole)["total"] == 14
    listed = data_of(lasting.get(f"/api/research/sessions/{whole}/replays"))["replays"]

    assert {one["total"] for one in listed} == {14}
    assert [one["id"] for one in listed] == sorted((one["id"] for one in listed), reverse=True)
    over(lasting, listed[0]["id"])


def test_pictures_come_with_thumbnails_and_both_prompts(lasting: Server) -> None:
    page = replayed(lasting, session_with(lasting, "sketch.create_new"))

    [item] = page["items"]
    shown = item["outputs"][0]["old"]
    assert shown["url"].endswith(f"/images/{shown['sha256']}.png")
    assert shown["thumbnail"] == f"{shown['url']}?size=256"
    assert requests.get(shown["url"], timeout=10).status_code == 200
    assert item["old"]["prompts"] == item["new"]["prompts"]
    assert {prompt["kind"] for prompt in item["old"]["prompts"]} >= {"picture"}
    assert len(item["old"]["inputs"]) == 1
    assert item["old"]["checkpoints"]
    assert item["old"]["model_hashes"]


def test_another_checkpoint_makes_other_pictures_and_is_the_reason(lasting: Server) -> None:
    session_id = session_with(lasting, "sketch.create_new", "brief.create_new")

    page = replayed(lasting, session_id, checkpoint="v1-5-pruned-emaonly")

    sketch, brief = page["items"]
    assert sketch["verdict"] in ("similar", "differs")
    assert _codes(sketch)[:2] == ["checkpoint", "model_hash"]
    assert (brief["verdict"], brief["why"]) == ("equal", [])
    assert page["replay"]["changes"] == {"checkpoint": "v1-5-pruned-emaonly"}
    assert page["replay"]["is_equal"] is False
    assert any(one["what"] == "checkpoint" for one in sketch["differences"])


def test_another_seed_is_the_reason(lasting: Server) -> None:
    [item] = replayed(lasting, session_with(lasting, "sketch.create_new"), seed=99)["items"]

    assert (item["verdict"], _codes(item)[0]) == ("differs", "seed")
    assert (item["old"]["seed"], item["new"]["seed"]) == (41, 99)


def _edited(serve: Serve, folder: Path) -> Server:
    shutil.copytree(SETTINGS, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return serve(SETTINGS_DIR=str(folder), SETTINGS_RELOAD=True)


def test_the_prompts_of_today_ask_the_chat_anew_and_are_the_reason(serve: Serve, tmp_path: Path) -> None:
    server = _edited(serve, tmp_path / "settings")
    session_id = session_with(server, "rendering.create_new", "brief.create_new")
    path = tmp_path / "settings" / "prompts" / "scene.toml"
    path.write_text(path.read_text("utf-8").replace("prompt = '''\n", "prompt = '''\nOn the moon.\n"), "utf-8")

    kept, today = replayed(server, session_id), replayed(server, session_id, prompts="current")

    assert kept["replay"]["is_equal"] is True
    rendering, brief = today["items"]
    assert (rendering["verdict"], brief["verdict"]) == ("differs", "equal")
    assert {"prompt_version", "chat_anew"} <= set(_codes(rendering))
    old, new = ({p["prompt"] for p in rendering[side]["prompts"] if p["kind"] == "chat"} for side in ("old", "new"))
    assert any("On the moon" in prompt for prompt in new - old)


def test_one_prompt_can_be_named_by_the_hash_of_a_version(serve: Serve, tmp_path: Path) -> None:
    server = _edited(serve, tmp_path / "settings")
    session_with(server, "rendering.create_new")
    former = next(
        version for version in server.stores.database.collection("settings_versions").find({"name": "scene"})
    )["_id"]
    path = tmp_path / "settings" / "prompts" / "scene.toml"
    path.write_text(path.read_text("utf-8").replace("prompt = '''\n", "prompt = '''\nOn the moon.\n"), "utf-8")
    after = session_with(server, "rendering.create_new")

    [item] = replayed(server, after, prompts={"scene": former})["items"]

    assert "prompt_version" in _codes(item)
    assert any(one["what"] == "template_hash" and one["new"] == former for one in item["differences"])


def test_another_random_source_is_found_in_what_the_webui_says(serve: Serve) -> None:
    with stand_in("webui", "--step-time", "0", "--load-time", "0", "--plain") as webui:
        server = serve(SD_ENDPOINTS=webui.url)
        session_id = session_with(server, "sketch.create_new")
        assert requests.post(f"{webui.url}/sdapi/v1/options", json={"randn_source": "CPU"}, timeout=10).ok

        [item] = replayed(server, session_id)["items"]

    assert item["verdict"] != "equal"
    assert _codes(item) == ["random_source"]


def test_another_instance_is_told_and_is_no_reason_where_all_is_equal(
    serve: Serve, webuis: tuple[StandIn, StandIn], tmp_path: Path
) -> None:
    first = serve(SD_ENDPOINTS=webuis[0].url)
    session_id = session_with(first, "sketch.create_new")
    second = serve(SD_ENDPOINTS=webuis[1].url, DATA_DIR=str(tmp_path / "second"))

    [item] = replayed(second, session_id)["items"]

    assert (item["verdict"], item["why"]) == ("equal", [])
    assert {one["what"] for one in item["differences"]} == {"instance"}


def test_what_failed_is_run_again_and_what_was_canceled_is_not(lasting: Server, chat: StandIn) -> None:
    session_id = session_with(lasting, "brief.create_new", "brief.extend")
    second, first = lasting.stores.generations.page(participant_id=session_id).records
    generations = lasting.stores.database.collection("generations")
    error = ErrorRecord(type="PoolTimeoutError", message="all instances were busy").model_dump()
    generations.update_one({"_id": first.id}, {"$set": {"state": "failed", "error": error, "outputs": []}})
    generations.update_one({"_id": second.id}, {"$set": {"state": "canceled"}})

    page = replayed(lasting, session_id)

    assert [(item["verdict"], _codes(item)) for item in page["items"]] == [
        ("recovered", ["error"]),
        ("not_replayed", ["was_canceled"]),
    ]
    assert page["items"][1]["new_generation_id"] == ""
    assert page["items"][0]["old"]["error"]["type"] == "PoolTimeoutError"
    assert page["replay"]["is_equal"] is True


def test_a_repetition_that_fails_says_why(lasting: Server, chat: StandIn) -> None:
    session_id = session_with(lasting, "brief.create_new")
    chat.plan("garbage", forever=True)

    [item] = replayed(lasting, session_id, seed=77)["items"]

    assert (item["verdict"], _codes(item)) == ("failed", ["error"])
    assert item["new"]["error"]["message"] in item["why"][0]["text"]


def test_what_no_instance_can_do_is_refused_and_the_rest_goes_on(lasting: Server) -> None:
    session_id = session_with(lasting, "sketch.create_new", "brief.create_new")

    page = replayed(lasting, session_id, checkpoint="no-such-model")

    assert [(item["verdict"], _codes(item)) for item in page["items"]] == [
        ("not_replayed", ["refused"]),
        ("equal", []),
    ]
    assert page["replay"]["is_equal"] is False


def test_items_come_page_by_page_and_can_be_asked_for_by_verdict(lasting: Server, whole: str) -> None:
    replay_id = replayed(lasting, whole, checkpoint="v1-5-pruned-emaonly")["replay"]["id"]

    first = page_of(lasting, replay_id, "?limit=10")
    second = page_of(lasting, replay_id, f"?limit=10&after={first['next']}")
    equal = page_of(lasting, replay_id, "?verdict=equal&limit=2")

    assert [item["number"] for item in (*first["items"], *second["items"])] == list(range(1, 15))
    assert (first["next"], second["next"]) == (10, None)
    assert [item["operation"] for item in equal["items"]] == list(TEXT_OPERATIONS[:2])
    assert equal["next"] == 2


def test_a_replay_that_runs_shows_how_far_it_is_and_can_be_canceled_and_taken_up(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    session_id = session_with(server, "brief.create_new", "sketch.create_new", "brief.extend", num=1)
    webuis[0].close_gate()
    replay_id = asked(server, session_id, at_once=1)["id"]
    path = f"/api/replays/{replay_id}"
    _until_done(server, replay_id, 1)

    running = page_of(server, replay_id)
    assert (running["replay"]["state"], running["replay"]["is_stalled"]) == ("running", False)
    assert [item["state"] for item in running["items"]] == ["done", "running", "waiting"]
    assert running["items"][2]["old"]["state"] == "succeeded"
    failure_of(server.post(f"{path}/resume", {}), 409)

    assert data_of(server.post(f"{path}/cancel", {}))["state"] == "canceled"
    again = server.post(f"{path}/resume", {})
    assert again.status_code == 202
    webuis[0].open_gate()

    ended = over(server, replay_id)
    assert [item["verdict"] for item in ended["items"]] == ["equal"] * 3
    failure_of(server.post(f"{path}/resume", {}), 409)


def _until_done(server: Server, replay_id: str, number: int) -> None:
    until(lambda: page_of(server, replay_id)["replay"]["done"] >= number or None)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"prompts": {"scne": "current"}}, "did you mean 'scene'"),
        ({"prompts": {"scene": "abc"}}, "64 hexadecimal digits"),
        ({"prompts": "yesterday"}, "prompts"),
        ({"presets": {"nothing": "current"}}, "nothing"),
        ({"seed": -1}, "seed"),
        ({"at_once": 99}, "at_once"),
        ({"checkpoint": ""}, "checkpoint"),
        ({"prompt": "current"}, "prompt"),
    ],
)
def test_changes_of_no_use_are_refused_and_keep_nothing(
    lasting: Server, whole: str, wish: dict[str, Any], message: str
) -> None:
    before = lasting.stores.replays.of_session(whole)

    assert message in failure_of(lasting.post(f"/api/research/sessions/{whole}/replays", wish), 422)

    assert len(lasting.stores.replays.of_session(whole)) == len(before)


def test_what_nobody_knows_is_not_found(lasting: Server) -> None:
    for path in ("/api/research/sessions/none/replays", "/api/replays/none"):
        assert "none" in failure_of(lasting.get(path), 404)
    for path in ("/api/research/sessions/none/replays", "/api/replays/none/cancel", "/api/replays/none/resume"):
        assert "none" in failure_of(lasting.post(path, {}), 404)


def test_a_session_that_made_nothing_cannot_be_replayed(lasting: Server) -> None:
    participant = lasting.stores.participants.find_or_create(new_id())

    failure_of(lasting.post(f"/api/research/sessions/{participant.id}/replays", {}), 409)


def test_only_researchers_may_replay(serve: Serve) -> None:
    server = serve(RESEARCH_LOGIN=True)

    failure_of(server.post("/api/research/sessions/any/replays", {}), 401)
    failure_of(server.get("/api/replays/any"), 401)
