"""Stand-in WebUIs and chat services as processes of their own, and what tests send to them."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import requests
from PIL import Image, ImageDraw

from agent.instance import SDInstance
from agent.payloads import Txt2ImgRequest

CHECKPOINT = "realisticVisionV60B1_v60B1VAE"
_PATIENCE_S = 5.0
_ADDRESS = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True)
class StandIn:
    """A running stand-in; `url` is its base address."""

    url: str

    def plan(self, kind: str, **more: Any) -> None:
        """Plan a fault for the next call."""
        self._steer("POST", "faults", {"kind": kind, **more})

    def close_gate(self, *, at_step: int = 1) -> None:
        """Hold every job at a sampling step until the gate opens."""
        self._steer("POST", "gate", {"closed": True, "at_step": at_step})

    def open_gate(self) -> None:
        """Let the held jobs go on."""
        self._steer("POST", "gate", {"closed": False})

    def journal(self) -> list[dict[str, Any]]:
        """Give one entry per heavy call that has ended."""
        return cast(list[dict[str, Any]], self._steer("GET", "journal"))

    def state(self) -> dict[str, Any]:
        """Give the counts of calls."""
        return cast(dict[str, Any], self._steer("GET", "state"))

    def reset(self) -> None:
        """Forget faults, gate, journal and maxima, once the calls of the test before have ended."""
        self._steer("DELETE", "faults")
        self.open_gate()
        end = time.monotonic() + _PATIENCE_S
        while (state := self.state())["running"] + state["queued"] and time.monotonic() < end:
            time.sleep(0.005)
        self._steer("DELETE", "journal")

    def instance(self, **more: Any) -> SDInstance:
        """Make a client's view of it, impatient enough for tests."""
        return SDInstance(self.url, **({"connect_timeout_s": 2.0, "read_timeout_s": 10.0} | more))

    def _steer(self, method: str, what: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/standin/{what}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def stand_in(kind: str, *flags: str) -> Iterator[StandIn]:
    """Run `python -m standins.<kind>` on a free port as long as the `with` lasts."""
    command = [sys.executable, "-m", f"standins.{kind}", "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield StandIn(_address(process))
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if found := _ADDRESS.search(line):
            # Somebody must read on, or a talkative stand-in fills the pipe and stops.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found.group(1)
    raise RuntimeError(f"the stand-in did not start: {said}")


def request(**changes: Any) -> Txt2ImgRequest:
    """Make a small request that every stand-in can serve."""
    values: dict[str, Any] = {
        "prompt": "a garden chair, line sketch", "checkpoint": CHECKPOINT, "sampler_name": "Euler a", "steps": 2,
        "cfg_scale": 7.0, "width": 64, "height": 64, "seed": 7,
    }  # fmt: skip
    return Txt2ImgRequest(**(values | changes))


def picture(width: int = 64, height: int = 48, mode: str = "RGB", kind: str = "PNG") -> bytes:
    """Draw a dark box on white."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).rectangle((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill="#223344")
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()
