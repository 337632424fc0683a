"""Simulated participants: they join by the study's link and work through their scripts by HTTP, in shortened time."""

import io
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from PIL import Image, ImageDraw

from standins.dry_run.plan import Act, Plan, arrival_s, script_of

LONGEST_WAIT_S = 600
ENDED = ("succeeded", "failed", "canceled")


@dataclass(frozen=True)
class Done:
    """One request of a participant and what came of it: the job, and seconds of our clock until it was there."""

    participant_id: str
    operation: str
    latency_s: float
    job: Mapping[str, Any]
    error: str = ""


@dataclass
class Findings:
    """What was seen while the crowd worked; safe from any thread."""

    done: list[Done] = field(default_factory=list)
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    ping_s: list[float] = field(default_factory=list)


class Visitor:
    """One simulated participant."""

    def __init__(self, url: str, plan: Plan, join_key: str, findings: Findings) -> None:
        self._url, self._plan, self._findings = url, plan, findings
        self._session = requests.Session()
        self._session.trust_env = False
        joined = self._post(f"/api/join/{join_key}", {"consent": True})
        self._code, told = joined["code"], joined["session"]
        self._session_id = told["id"]
        self._may = frozenset(told["allowed"] or ()) if told["assistant"] else frozenset()
        self._num_max: int | None = told["num_max"]
        self._pictures: dict[str, str] = {}

    def act(self, act: Act) -> Done | None:
        """Do one operation and wait until its answer is shown; None where the condition does not allow it."""
        if act.operation not in self._may:
            return None
        began = time.monotonic()
        body = self._body(act)
        try:
            job = self._post("/api/generations", body, Prefer=f"wait={LONGEST_WAIT_S}")
        except requests.RequestException as exc:
            return Done("", act.operation, time.monotonic() - began, {}, type(exc).__name__)
        for output in job["outputs"]:
            if output["kind"] == "image":
                self._pictures[act.operation.partition(".")[0]] = output["url"]
        error = (job["error"] or {}).get("type", "")
        return Done(job["participant_id"], act.operation, time.monotonic() - began, job, error)

    def leave(self) -> None:
        """End the session."""
        self._post(f"/api/sessions/{self._session_id}/end", {"username": self._code})

    def _body(self, act: Act) -> dict[str, Any]:
        kind, _, name = act.operation.partition(".")
        needs_picture = name in ("transform", "extend", "multi_view") and kind != "brief"
        images = [self._picture(kind, name)] if needs_picture else []
        num = min(act.num, self._num_max or act.num)
        wish = {"username": self._code, "operation": act.operation, "task": self._plan.task, "num": num}
        return {**wish, "texts": ["轻便"], "images": images}

    def _picture(self, kind: str, name: str) -> str:
        """Take a picture that an earlier operation gave, or draw one."""
        before = {"model": "sketch", "rendering": "model", "sketch": "rendering"}[kind] if name == "transform" else kind
        return self._pictures.get(before) or self._upload()

    def _upload(self) -> str:
        canvas, buffer = Image.new("RGB", (512, 512), "white"), io.BytesIO()
        ImageDraw.Draw(canvas).ellipse((120, 90, 400, 420), outline="black", width=6)
        canvas.save(buffer, "PNG")
        files = {"file": ("canvas.png", buffer.getvalue(), "image/png")}
        answer = self._session.post(f"{self._url}/upload", files=files, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["url"])

    def _post(self, path: str, body: Any, **headers: str) -> Any:
        answer = self._session.post(f"{self._url}{path}", json=body, headers=headers, timeout=LONGEST_WAIT_S + 30)
        answer.raise_for_status()
        return answer.json()["data"]


def work(url: str, plan: Plan, join_key: str, scale: float, tell: Callable[[], None]) -> Findings:
    """Let all participants come and work; give what was seen. `tell` hears of each one who has left."""
    findings, over = Findings(), threading.Event()
    observer = threading.Thread(target=_observe, args=(url, findings, over), daemon=True)
    observer.start()
    began = time.monotonic()

    def one(number: int) -> None:
        time.sleep(max(began + arrival_s(plan, number) / scale - time.monotonic(), 0))
        visitor = Visitor(url, plan, join_key, findings)
        for act in script_of(plan, number):
            time.sleep(act.think_s / scale)
            done = visitor.act(act)
            if done is None:
                findings.refused += 1
            else:
                findings.done.append(done)
        visitor.leave()
        tell()

    # Daemons: whoever interrupts a dry run need not wait for those who think.
    crowd = [
        threading.Thread(target=_safely, args=(one, number, findings), daemon=True)
        for number in range(plan.participants)
    ]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    over.set()
    observer.join(timeout=5)
    return findings


def _safely(one: Callable[[int], None], number: int, findings: Findings) -> None:
    try:
        one(number)
    except requests.RequestException as exc:
        findings.lost.append(f"participant {number + 1}: {exc}")


def closed_loop(visitors: Sequence[Visitor], acts: Sequence[Act], seconds: float) -> list[Done]:
    """Let some participants work without pauses for so long: as fast as the server can."""
    end = time.monotonic() + seconds

    def one(visitor: Visitor) -> list[Done]:
        found: list[Done] = []
        while time.monotonic() < end:
            found += [done for act in acts if time.monotonic() < end and (done := visitor.act(act)) is not None]
        return found

    with ThreadPoolExecutor(len(visitors)) as threads:
        return [done for found in threads.map(one, visitors) for done in found]


def _observe(url: str, findings: Findings, over: threading.Event) -> None:
    """Look at the queue, and how quickly the server answers what costs nothing, four times a second."""
    with requests.Session() as session:
        while not over.wait(0.25):
            began = time.monotonic()
            try:
                session.get(f"{url}/ping", timeout=10)
                findings.ping_s.append(time.monotonic() - began)
                findings.waiting.append(session.get(f"{url}/api/pool", timeout=10).json()["data"]["waiting"])
            except requests.RequestException:
                findings.ping_s.append(time.monotonic() - began)
