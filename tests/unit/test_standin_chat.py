"""The stand-in for chat completions, asked through the real SDK over real sockets."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
import requests

pytestmark = pytest.mark.unit
BRIEF = """You are a product designer. Write a concise brief for this task.
Design task: {task}
Answer with one JSON object like this:
{{"目标人群": ["<phrase>"], "使用场景": ["<phrase>"], "痛点": ["<phrase>"], "主要功能": ["<phrase>"]}}"""
DRONE = "设计一款农业无人机"


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    command = [sys.executable, "-m", "standins.chat", "--port", "0", "--latency", "0", "--model", "gpt-4"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "listening on " in line)
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield line.split("listening on ")[1].strip()
        process.terminate()
        process.wait(10)
        drain.join(10)


@pytest.fixture
def chat(base: str) -> Iterator["Chat"]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key="k", max_retries=0, timeout=10) as client:
        yield Chat(base, client)
    requests.delete(f"{base}/standin/faults", timeout=10)
    requests.delete(f"{base}/standin/journal", timeout=10)
    requests.post(f"{base}/standin/gate", json={"closed": False}, timeout=10)


class Chat:
    """A client and the address of the controls."""

    def __init__(self, base: str, client: openai.OpenAI) -> None:
        self.base, self.client = base, client

    def ask(self, prompt: str, **options: Any) -> Any:
        messages: Any = [{"role": "user", "content": prompt}]
        return self.client.chat.completions.create(model="gpt-4", messages=messages, **options)

    def text(self, prompt: str, **options: Any) -> str:
        return str(self.ask(prompt, **options).choices[0].message.content)

    def steer(self, path: str, body: dict[str, Any]) -> None:
        requests.post(f"{self.base}/standin/{path}", json=body, timeout=10).raise_for_status()


@pytest.fixture
def azure(base: str) -> Iterator[openai.AzureOpenAI]:
    with openai.AzureOpenAI(
        azure_endpoint=base, api_key="k", api_version="2024-06-01", max_retries=0, timeout=10
    ) as client:
        yield client


def hello(client: openai.AzureOpenAI, deployment: str) -> Any:
    return client.chat.completions.create(model=deployment, messages=[{"role": "user", "content": "hello"}])


def test_the_answer_has_the_real_shape(chat: Chat) -> None:
    answer = chat.ask(BRIEF.format(task=DRONE))
    choice = answer.choices[0]
    assert answer.id.startswith("chatcmpl-") and answer.object == "chat.completion" and answer.model == "gpt-4"
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 50
    assert answer.system_fingerprint
    assert [model.id for model in chat.client.models.list()] == ["gpt-4"]


def test_the_skeleton_at_the_end_is_filled_in_the_task_s_language(chat: Chat) -> None:
    chinese = json.loads(chat.text(BRIEF.format(task=DRONE)))
    assert list(chinese) == ["目标人群", "使用场景", "痛点", "主要功能"]
    for phrases in chinese.values():
        assert 2 <= len(phrases) <= 8 and len(set(phrases)) == len(phrases)
        assert all("一" <= phrase[0] <= "鿿" and "<" not in phrase for phrase in phrases)
    english = json.loads(chat.text(BRIEF.format(task="design a folding chair for small flats")))
    assert all(phrase.isascii() for phrases in english.values() for phrase in phrases)


def test_stated_numbers_and_nested_objects_are_followed(chat: Chat) -> None:
    extend = (
        'Design task: 灯\nGive 8 phrases for 目标人群 and 3 for 痛点.\n{"目标人群": ["<phrase>"], "痛点": ["<phrase>"]}'
    )
    assert [len(phrases) for phrases in json.loads(chat.text(extend)).values()] == [8, 3]
    advice = '{"内部结构": {"整体布局": {"建议尺寸": "<size>"}, "模块布局": {"模块1": {"技术规格": "<figures>"}}}}'
    filled = json.loads(chat.text(f"Design task: {DRONE}\nAdvice:\n{advice}"))
    assert filled["内部结构"]["模块布局"]["模块1"]["技术规格"] and "<" not in str(filled)


@pytest.mark.parametrize(
    ("task", "subject"),
    [
        (DRONE, "agricultural drone"),
        ("设计一盏阅读灯", "lamp"),
        ("Design an electric kettle for camping.", "electric kettle"),
        ("Create a design for a children's clock", "children's clock"),
        ("chair", "chair"),
    ],
)
def test_the_subject_is_a_short_english_noun(chat: Chat, task: str, subject: str) -> None:
    text = chat.text(f'Design task: {task}\nName the main object.\n{{"subject": "<short English noun>"}}')
    assert json.loads(text) == {"subject": subject}


def test_an_image_prompt_is_about_shape_or_about_a_scene(chat: Chat) -> None:
    shape, scene = (
        json.loads(chat.text(f'Design task: {DRONE}\n{{"prompt": "<{words}>"}}', seed=1))["prompt"]
        for words in ("about ten English words of shape only", "English tags: place, details, light, view of a scene")
    )
    assert shape.isascii() and scene.isascii() and shape != scene and scene.count(",") >= 3


def test_only_the_same_prompt_with_the_same_seed_gives_the_same_answer(chat: Chat) -> None:
    prompt = BRIEF.format(task=DRONE)
    assert chat.text(prompt, seed=7) == chat.text(prompt, seed=7)
    answers = {chat.text(prompt, seed=seed) for seed in range(4)} | {chat.text(prompt), chat.text(prompt)}
    assert len(answers) == 6


def test_calls_run_in_parallel_and_the_journal_proves_it(chat: Chat) -> None:
    chat.steer("gate", {"closed": True})
    began = time.time()
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(chat.text, f"hello {number}") for number in range(6)]
        while requests.get(f"{chat.base}/standin/state", timeout=10).json()["running"] < 6:
            pass
        chat.steer("gate", {"closed": False})
        assert all(call.result(10) for call in calls)
    journal = requests.get(f"{chat.base}/standin/journal", timeout=10).json()
    # A call that an earlier test hung up on may end only now.
    journal = [entry for entry in journal if entry["start"] >= began]
    assert max(entry["in_flight"] for entry in journal) == 6
    assert len({entry["prompt_hash"] for entry in journal}) == 6
    assert max(entry["start"] for entry in journal) <= min(entry["end"] for entry in journal)


def test_azure_paths(base: str, azure: openai.AzureOpenAI) -> None:
    assert hello(azure, "my-deployment").model == "my-deployment"
    with pytest.raises(openai.NotFoundError) as missing:
        hello(azure, "missing")
    assert missing.value.code == "DeploymentNotFound"
    url = f"{base}/openai/deployments/x/chat/completions"
    body = {"messages": [{"role": "user", "content": "hello"}]}
    no_version = requests.post(url, json=body, headers={"api-key": "k"}, timeout=10)
    no_key = requests.post(f"{url}?api-version=1", json=body, timeout=10)
    assert (no_version.status_code, no_key.status_code) == (400, 401)
    assert no_key.json()["error"]["code"] == "401" and no_key.headers["X-Stand-In"] == "chat"


def test_openai_refusals(base: str, chat: Chat) -> None:
    bare = requests.post(f"{base}/v1/chat/completions", json={}, timeout=10)
    assert (bare.status_code, set(bare.json()["error"])) == (401, {"message", "type", "param", "code"})
    with pytest.raises(openai.NotFoundError):
        chat.client.chat.completions.create(model="missing", messages=[{"role": "user", "content": "hello"}])
    with pytest.raises(openai.BadRequestError):
        chat.client.chat.completions.create(model="gpt-4", messages=[])
    with pytest.raises(openai.BadRequestError):
        chat.ask("hello", stream=True)
    assert chat.ask(BRIEF.format(task=DRONE), max_tokens=10).choices[0].finish_reason == "length"


def test_faults_that_are_errors(chat: Chat, azure: openai.AzureOpenAI) -> None:
    chat.steer("faults", {"kind": "rate_limit", "seconds": 3})
    with pytest.raises(openai.RateLimitError) as limited:
        chat.ask("hello")
    assert limited.value.response.headers["Retry-After"] == "3"
    chat.steer("faults", {"kind": "error_500"})
    with pytest.raises(openai.InternalServerError):
        chat.ask("hello")
    chat.steer("faults", {"kind": "reset"})
    with pytest.raises(openai.APIConnectionError):
        chat.ask("hello")
    chat.steer("faults", {"kind": "hang", "seconds": 30})
    with pytest.raises(openai.APITimeoutError):
        chat.ask("hello", timeout=0.2)
    chat.steer("faults", {"kind": "content_filter", "count": 2})
    with pytest.raises(openai.BadRequestError) as filtered:
        hello(azure, "gpt-4")
    assert filtered.value.code == "content_filter"
    assert chat.ask("hello").choices[0].finish_reason == "content_filter"


def test_faults_inside_the_text(chat: Chat) -> None:
    prompt, texts = BRIEF.format(task=DRONE), {}
    for kind in ("malformed_json", "garbage", "fenced", "empty", "null_values", "missing_key"):
        chat.steer("faults", {"kind": kind})
        texts[kind] = chat.text(prompt, seed=1)
    whole = chat.text(prompt, seed=1)
    assert texts["malformed_json"] == whole[:-1] and f"```json\n{whole}\n```" in texts["fenced"]
    assert "{" not in texts["garbage"] and texts["empty"] == ""
    assert json.loads(texts["null_values"])["主要功能"] is None
    assert list(json.loads(texts["missing_key"])) == ["目标人群", "使用场景", "痛点"]
