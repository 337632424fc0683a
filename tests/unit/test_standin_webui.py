"""The stand-in for the WebUI answers as the real one was recorded to, over real sockets."""

import base64
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from PIL import Image, ImageChops, ImageDraw

from agent.sd import paint
from tests.pools import MakePool
from tests.stand_ins import StandIn, request

pytestmark = pytest.mark.unit


class WebUI:
    """The running stand-in and short ways to call it."""

    def __init__(self, base: str) -> None:
        """Keep its address."""
        self.base = base

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.base + path, timeout=10, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return requests.post(self.base + path, json=body, timeout=10, **options)

    def txt2img(self, **values: Any) -> dict[str, Any]:
        answer = self.post("/sdapi/v1/txt2img", SMALL | values)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body | {"info": json.loads(body["info"])}

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get("/standin/state").json()
        return state

    def wait_for(self, **numbers: int) -> None:
        for _ in range(2000):
            state = self.state()
            if all(state[key] == number for key, number in numbers.items()):
                return
        raise AssertionError(f"never reached {numbers}: {state}")


SMALL = {"prompt": "a lamp", "steps": 2, "width": 64, "height": 64, "seed": 42, "sampler_name": "Euler", "cfg_scale": 5}


@contextmanager
def started(*flags: str) -> Iterator[WebUI]:
    command = [sys.executable, "-m", "standins.webui", "--port", "0", "--step-time", "0", "--load-time", "0", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "listening on " in line)
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        try:
            yield WebUI(line.split("listening on ")[1].strip())
        finally:
            process.terminate()
            process.wait(10)
            drain.join(10)


@pytest.fixture(scope="module")
def shared() -> Iterator[WebUI]:
    with started() as webui:
        yield webui


@pytest.fixture
def webui(shared: WebUI) -> Iterator[WebUI]:
    yield shared
    requests.delete(shared.base + "/standin/faults", timeout=10)
    shared.post("/standin/gate", {"closed": False})
    shared.wait_for(running=0, queued=0)
    requests.delete(shared.base + "/standin/journal", timeout=10)
    first = shared.get("/sdapi/v1/sd-models").json()[0]["model_name"]
    shared.post("/sdapi/v1/options", {"sd_model_checkpoint": first, "samples_format": "png"})


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(60) as pool:
        yield pool


def picture(text: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    image.load()
    return image


def base64_of(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def drawing(size: int = 128) -> Image.Image:
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).ellipse((size // 4, size // 4, size * 3 // 4, size * 3 // 4), outline="black", width=3)
    return image


def unit(**values: Any) -> dict[str, Any]:
    base = {"enabled": True, "module": "lineart", "model": "control_v11p_sd15_lineart", "image": base64_of(drawing())}
    return {"alwayson_scripts": {"ControlNet": {"args": [base | values]}}}


def test_an_answer_has_the_recorded_shape_and_says_that_it_is_a_stand_in(webui: WebUI) -> None:
    response = webui.post("/sdapi/v1/txt2img", SMALL | {"negative_prompt": "bad", "batch_size": 2, "n_iter": 2})
    answer = response.json()
    assert response.headers["X-Stand-In"] == "webui" and "X-Process-Time" in response.headers
    assert list(answer) == ["images", "parameters", "info"]
    info = json.loads(answer["info"])
    assert info["all_seeds"] == [42, 43, 44, 45] and len(answer["images"]) == 4
    assert (info["sampler_name"], info["version"], info["index_of_first_image"]) == ("Euler", "v1.10.1", 0)
    assert answer["parameters"]["sampler_index"] == "Euler" and answer["parameters"]["scheduler"] is None
    model, digest = info["sd_model_name"], info["sd_model_hash"]
    facts = "Steps: 2, Sampler: Euler, Schedule type: Automatic, CFG scale: 5.0, Seed: 43, Size: 64x64, "
    text = f"a lamp\nNegative prompt: bad\n{facts}Model hash: {digest}, Model: {model}, Version: v1.10.1"
    assert picture(answer["images"][1]).info["parameters"] == info["infotexts"][1] == text


def test_equal_requests_give_equal_bytes_and_every_input_changes_them(webui: WebUI) -> None:
    once, again = (webui.txt2img()["images"][0] for _ in range(2))
    assert once == again
    other: list[dict[str, Any]] = [{"seed": 43}, {"prompt": "a cup"}, {"negative_prompt": "x"}]
    other.append({"override_settings": {"sd_model_checkpoint": "v1-5-pruned-emaonly"}})
    pixels = [picture(webui.txt2img(**values)["images"][0]).tobytes() for values in other]
    assert len({picture(once).tobytes(), *pixels}) == 5


@pytest.mark.parametrize(
    ("values", "sampler", "schedule"),
    [
        ({"sampler_name": "No Such Sampler"}, "DPM++ 2M", "Karras"),
        ({"sampler_name": "euler"}, "DPM++ 2M", "Karras"),
        ({"sampler_name": "DPM++ 2M Karras"}, "DPM++ 2M", "Karras"),
        ({"sampler_name": "Euler a", "scheduler": "nope"}, "Euler a", "Automatic"),
        ({"sampler_name": None, "sampler_index": "Euler a"}, "Euler a", "Automatic"),
    ],
)
def test_names_that_are_unknown_fall_back_in_silence(
    webui: WebUI, values: dict[str, Any], sampler: str, schedule: str
) -> None:
    info = webui.txt2img(**values, override_settings={"sd_model_checkpoint": "no-such-model"})["info"]
    assert info["sampler_name"] == sampler
    assert f"Schedule type: {schedule}," in info["infotexts"][0]
    assert info["sd_model_name"] == "realisticVisionV60B1_v60B1VAE"


B = {"detail": "", "body": ""}


@pytest.mark.parametrize(
    ("values", "status", "body"),
    [
        ({"steps": 0}, 500, B | {"error": "ZeroDivisionError", "errors": "integer division or modulo by zero"}),
        ({"prompt": None}, 500, B | {"error": "AssertionError", "errors": ""}),
        ({"batch_size": 0}, 500, B | {"error": "IndexError", "errors": "list index out of range"}),
        ({"override_settings": {"nope": 1}}, 500, B | {"error": "KeyError", "errors": "'nope'"}),
        (
            {"alwayson_scripts": {"nope": {"args": []}}},
            422,
            {"error": "HTTPException", "detail": "Script 'nope' not found", "body": "", "errors": ""},
        ),
        (
            {"steps": "x"},
            422,
            {
                "detail": [
                    {"loc": ["body", "steps"], "msg": "value is not a valid integer", "type": "type_error.integer"}
                ]
            },
        ),
        (
            {"alwayson_scripts": None},
            422,
            {
                "detail": [
                    {
                        "loc": ["body", "alwayson_scripts"],
                        "msg": "none is not an allowed value",
                        "type": "type_error.none.not_allowed",
                    }
                ]
            },
        ),
        (
            unit(module="nope"),
            500,
            B
            | {
                "error": "ValidationError",
                "errors": "1 validation error for ControlNetUnit\nmodule\n"
                "  module(nope) not found in supported modules. (type=value_error)",
            },
        ),
    ],
)
def test_errors_have_the_recorded_shapes(webui: WebUI, values: dict[str, Any], status: int, body: Any) -> None:
    answer = webui.post("/sdapi/v1/txt2img", SMALL | values)
    assert (answer.status_code, answer.json()) == (status, body)


def test_a_path_or_method_that_is_unknown_gets_the_other_shape(webui: WebUI) -> None:
    assert webui.get("/sdapi/v1/nope").json() == {"detail": "Not Found"}
    answer = webui.get("/sdapi/v1/txt2img")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["Allow"] == "POST"


def test_a_broken_init_image_stays_pending_for_ever() -> None:
    with started() as webui:
        body = SMALL | {"init_images": ["zzz"], "force_task_id": "broken"}
        answer = webui.post("/sdapi/v1/img2img", body)
        assert (answer.status_code, answer.json()["detail"]) == (500, "Invalid encoded image")
        assert webui.get("/internal/pending-tasks").json() == {"size": 1, "tasks": ["broken"]}
        assert webui.post("/sdapi/v1/img2img", SMALL).json()["detail"] == "Init image not found"
        webui.post("/sdapi/v1/txt2img", SMALL | {"steps": 0, "force_task_id": "failed"})
        progress = webui.post("/internal/progress", {"id_task": "failed"}).json()
        assert (progress["active"], progress["completed"]) == (True, False)


def test_jobs_run_one_at_a_time_in_the_order_in_which_they_came(webui: WebUI, background: ThreadPoolExecutor) -> None:
    webui.post("/standin/gate", {"closed": True})
    jobs: list[Future[Any]] = []
    for number in range(4):
        jobs.append(background.submit(webui.txt2img, force_task_id=f"job-{number}"))
        webui.wait_for(running=1, queued=number)
    assert webui.get("/internal/pending-tasks").json()["tasks"] == ["job-1", "job-2", "job-3"]
    assert webui.post("/internal/progress", {"id_task": "job-3"}).json()["textinfo"] == "In queue: 3/3"
    webui.post("/standin/gate", {"closed": False})
    for job in jobs:
        job.result(10)
    journal = webui.get("/standin/journal").json()
    assert [entry["task_id"] for entry in journal] == [f"job-{number}" for number in range(4)]
    assert all(one["end"] <= two["start"] for one, two in zip(journal, journal[1:], strict=False))
    assert webui.state()["max_running"] == 1


def test_an_interrupted_call_answers_200_with_a_half_done_picture(webui: WebUI, background: ThreadPoolExecutor) -> None:
    whole = webui.txt2img(steps=4)
    webui.post("/standin/gate", {"closed": True, "at_step": 2})
    job = background.submit(webui.txt2img, steps=4)
    webui.wait_for(running=1)
    while webui.get("/sdapi/v1/progress").json()["state"]["sampling_step"] < 2:
        pass
    running = webui.get("/sdapi/v1/progress?skip_current_image=true").json()
    assert running["progress"] == pytest.approx(0.51) and running["state"]["job"] == "scripts_txt2img"
    assert webui.post("/sdapi/v1/interrupt").json() == {}
    half = job.result(10)
    assert half["info"]["infotexts"] == whole["info"]["infotexts"] and half["images"] != whole["images"]
    idle = webui.get("/sdapi/v1/progress").json()
    assert (idle["progress"], idle["state"]["interrupted"], idle["state"]["job_count"]) == (0.0, True, 0)
    assert webui.get("/standin/journal").json()[-1]["outcome"] == "interrupted"
    webui.post("/standin/gate", {"closed": False})
    assert webui.txt2img(steps=4)["images"] == whole["images"]


def test_a_job_outlives_its_client(webui: WebUI) -> None:
    webui.post("/standin/gate", {"closed": True})
    with pytest.raises(requests.ReadTimeout):
        requests.post(webui.base + "/sdapi/v1/txt2img", json=SMALL, timeout=(5, 0.2))
    assert webui.state()["running"] == 1
    webui.post("/standin/gate", {"closed": False})
    webui.wait_for(running=0)
    assert webui.get("/standin/journal").json()[-1]["outcome"] == "done"


def test_a_restored_override_leaves_the_other_weights_in_memory() -> None:
    with started() as webui:
        titles = [entry["title"] for entry in webui.get("/sdapi/v1/sd-models").json()]
        assert titles[0].endswith("]") and titles[1] == "v2-1_512-ema-pruned.safetensors"
        answer = webui.txt2img(override_settings={"sd_model_checkpoint": "v2-1_512-ema-pruned"})
        assert answer["info"]["sd_model_name"] == "v2-1_512-ema-pruned"
        second = webui.get("/sdapi/v1/sd-models").json()[1]
        assert second["title"] == f"v2-1_512-ema-pruned.safetensors [{second['hash']}]"
        options = webui.get("/sdapi/v1/options").json()
        assert options["sd_model_checkpoint"] == titles[0] and options["sd_checkpoint_hash"] == second["sha256"]
        webui.txt2img()
        kept = {"sd_model_checkpoint": second["hash"]}
        webui.txt2img(override_settings=kept, override_settings_restore_afterwards=False)
        assert webui.get("/sdapi/v1/options").json()["sd_model_checkpoint"] == second["title"]
        unknown = webui.post("/sdapi/v1/options", {"sd_model_checkpoint": "no-such"})
        assert unknown.json()["errors"] == "model 'no-such' not found"
        loads = [entry["checkpoint"] for entry in webui.get("/standin/journal").json()]
        assert loads == [second["model_name"], titles[0].split(".")[0], second["model_name"]]


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({}, 2),
        ({"save_detected_map": False}, 1),
        ({"model": "no-such"}, 1),
        ({"image": "zzz"}, 1),
        ({"enabled": False}, 1),
    ],
)
def test_only_a_missing_map_tells_that_controlnet_did_not_work(webui: WebUI, values: Any, count: int) -> None:
    assert len(webui.txt2img(**unit(**values))["images"]) == count


def test_controlnet_puts_the_input_s_lines_into_the_picture(webui: WebUI) -> None:
    source = base64_of(drawing(256))
    body = unit(image=source) | {"prompt": "a lamp, sketch", "width": 256, "height": 256}
    drawn = picture(webui.txt2img(**body)["images"][0]).convert("L")
    boxes: Any = ((120, 56, 136, 72), (8, 8, 24, 24))
    darkest, corner = (int(min(drawn.crop(box).tobytes())) for box in boxes)
    assert darkest < 130 and corner > 220


def test_inpainting_keeps_what_the_mask_keeps(webui: WebUI) -> None:
    init, mask = drawing(), Image.new("L", (128, 128), 0)
    ImageDraw.Draw(mask).rectangle((32, 32, 96, 96), fill=255)
    body = {"init_images": [base64_of(init)], "mask": base64_of(mask), "inpainting_mask_invert": 1}
    body |= SMALL | {"width": 128, "height": 128, "prompt": "wide wheat field, golden hour", "denoising_strength": 0.75}
    answer = webui.post("/sdapi/v1/img2img", body).json()
    assert "Mask mode: Inpaint not masked, Mask blur: 4" in json.loads(answer["info"])["infotexts"][0]
    difference = ImageChops.difference(picture(answer["images"][0]), init).convert("L")
    assert difference.crop((32, 32, 97, 97)).getbbox() is None
    assert difference.crop((0, 0, 20, 20)).getbbox() is not None


def test_sam_finds_the_object_and_says_so_if_there_is_none(webui: WebUI) -> None:
    image = Image.new("RGB", (256, 256), (200, 200, 200))
    ImageDraw.Draw(image).rectangle((60, 80, 180, 200), fill=(180, 30, 30))
    wish = {"input_image": base64_of(image), "dino_enabled": True, "dino_text_prompt": "box"}
    found = webui.post("/sam/sam-predict", wish).json()
    assert found["msg"] == "SAM inference with 1 box, 0 positive prompts, 0 negative prompts done."
    assert [len(found[key]) for key in ("blended_images", "masks", "masked_images")] == [3, 3, 3]
    mask, cut = picture(found["masks"][1]), picture(found["masked_images"][1])
    assert (mask.mode, cut.mode) == ("1", "RGBA")
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    assert all(abs(a - b) < 6 for a, b in zip((left, top, right, bottom), (60, 80, 181, 201), strict=True))
    assert cut.crop((10, 10, 11, 11)).tobytes()[3] == 0
    assert cut.getpixel((120, 140)) == (180, 30, 30, 255)
    empty = base64_of(Image.new("RGB", (64, 64), "white"))
    assert list(webui.post("/sam/sam-predict", wish | {"input_image": empty}).json()) == ["msg"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [("out_of_memory", "OutOfMemoryError"), ("nan", "NansException"), ("error_500", "RuntimeError")],
)
def test_a_fault_inside_the_job_meets_one_call_and_no_poll(webui: WebUI, kind: str, error: str) -> None:
    webui.post("/standin/faults", {"kind": kind, "count": 1})
    assert webui.get("/sdapi/v1/progress").ok
    answer = webui.post("/sdapi/v1/txt2img", SMALL)
    assert (answer.status_code, answer.json()["error"]) == (500, error)
    assert webui.post("/sdapi/v1/txt2img", SMALL).ok


def test_faults_on_the_wire(webui: WebUI) -> None:
    webui.post("/standin/faults", {"kind": "reset"})
    with pytest.raises(requests.RequestException, match="reset by peer"):
        webui.post("/sdapi/v1/txt2img", SMALL)
    webui.post("/standin/faults", {"kind": "garbage"})
    assert webui.post("/sdapi/v1/txt2img", SMALL).text.startswith("<html>")
    webui.post("/standin/faults", {"kind": "broken_base64"})
    with pytest.raises(ValueError):
        base64.b64decode(webui.post("/sdapi/v1/txt2img", SMALL).json()["images"][0], validate=True)
    webui.post("/standin/faults", {"kind": "slow_body", "seconds": 0.1})
    assert webui.post("/sdapi/v1/txt2img", SMALL).json()["images"]
    webui.post("/standin/faults", {"kind": "hang", "seconds": 30, "path": "txt2img"})
    with pytest.raises(requests.ReadTimeout):
        requests.post(webui.base + "/sdapi/v1/txt2img", json=SMALL, timeout=(5, 0.2))
    assert webui.post("/standin/faults", {"kind": "nope"}).status_code == 400


def test_auth_and_nowebui() -> None:
    with started("--nowebui", "--api-auth", "user:pass", "--no-sam", "--no-controlnet", "--plain") as webui:
        assert webui.get("/internal/ping").status_code == 404 and webui.get("/sam/heartbeat").status_code == 404
        answers = [
            webui.get("/sdapi/v1/samplers"),
            webui.get("/sdapi/v1/samplers", auth=("user", "wrong")),
            webui.get("/sdapi/v1/samplers", headers={"Authorization": "Basic %%%"}),
        ]
        assert [answer.json()["detail"] for answer in answers] == [
            "Not authenticated", "Incorrect username or password", "Invalid authentication credentials",
        ]  # fmt: skip
        assert webui.post("/sdapi/v1/txt2img", SMALL, auth=("user", "pass")).ok
        assert webui.post("/sdapi/v1/txt2img", {"steps": "x"}).status_code == 401


def test_forty_calls_at_once_all_get_their_answer(webui: WebUI, background: ThreadPoolExecutor) -> None:
    jobs = [background.submit(webui.txt2img, seed=number) for number in range(40)]
    assert [job.result(30)["info"]["seed"] for job in jobs] == list(range(40))
    assert webui.state()["max_running"] == 1


def test_with_the_journal_the_maxima_are_forgotten(
    three_webuis: tuple[StandIn, StandIn, StandIn], make_pool: MakePool
) -> None:
    webui = three_webuis[0]
    paint(make_pool([webui.instance()]), request(steps=1))
    assert webui.state()["max_running"] == 1
    webui.reset()
    assert webui.state()["max_running"] == 0
