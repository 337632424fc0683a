"""Studies for tests, written as the server keeps them: sessions, events, generations, saves, uploads, odd texts."""

from __future__ import annotations

import hashlib
import io
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image, PngImagePlugin

from store.stores import Stores

BEGIN = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
ODD = ('=1+1,"quoted"\n第二行 ☃', "a\r\nb; c", "", "  leading", "'; DROP TABLE", "耕作机，带雨棚", "NULL", "@SUM(A1)")
STUDY = "01JSTUDY000000000000000001"


def picture(number: int, side: int = 16, text: str = "") -> bytes:
    """Make a small PNG, different for each number; with `text` it has the chunk `parameters` already."""
    chance = random.Random(number)
    image = Image.frombytes("RGB", (side, side), chance.randbytes(side * side * 3))
    written, info = io.BytesIO(), PngImagePlugin.PngInfo()
    if text:
        info.add_text("parameters", text)
    image.save(written, "PNG", pnginfo=info, compress_level=0)
    return written.getvalue()


@dataclass
class StudyMaker:
    """Writes a study into a database, record by record; `clock` moves on with each."""

    stores: Stores
    study_id: str = STUDY
    clock: datetime = BEGIN
    number: int = 0
    side: int = 16
    prefix: str = ""

    def keep(self, collection: str, document: dict[str, Any]) -> dict[str, Any]:
        """Write a document as it is."""
        self.stores.database.collection(collection).insert_one({**document, "schema_version": 1})
        return document

    def study(self, **fields: Any) -> dict[str, Any]:
        """Write the study, with two conditions."""
        hold = {"kind": "fixed", "seconds": 20.0, "low": None, "high": None, "mean": None, "sd": None}
        conditions = [
            {"id": "a", "name": "Model A", "description": ODD[0], "allowed": None, "assistant": True,
             "checkpoint": None, "num_max": None, "hold": {"kind": "none"}},
            {"id": "b", "name": "模型 B", "description": "", "allowed": ["sketch.create_new"], "assistant": True,
             "checkpoint": "sd_xl_base_1.0", "num_max": 4, "hold": hold},
        ]  # fmt: skip
        document = {
            "_id": self.study_id, "name": "Robots, 机器人", "description": "What <b>helps</b>?", "is_default": False,
            "task": "", "planned": 40, "consent_text": "I agree", "conditions": conditions, "state": "open",
            "created_at": BEGIN, "changed_at": BEGIN, "seal": None, "revision": 1, "join_key": "secret-join-key",
            "drift_policy": "record",
        }  # fmt: skip
        return self.keep("studies", {**document, **fields})

    def session(self, condition: str = "a", **fields: Any) -> dict[str, Any]:
        """Write a session with its participant."""
        self.number += 1
        participant = self._id("P")
        self.keep("participants", {"_id": participant, "created_at": self.tick(), "design_task": "", "revision": 0,
                                   "current_stage": "", "saved_state_id": ""})  # fmt: skip
        self.keep("participant_names", {"_id": self._id("n"), "username": f"name-{self.number}-geheim",
                                        "participant_id": participant, "created_at": self.clock})  # fmt: skip
        consent = self.stores.contents.put_text("I agree", "text/plain")
        document = {
            "_id": self._id("S"), "study_id": self.study_id, "condition_id": condition, "participant_id": participant,
            "number": self.number, "assigned": {"method": "balanced", "at": self.clock, "counts": []},
            "consent": {"text_sha256": consent.sha256, "at": self.clock}, "started_at": self.tick(), "ended_at": None,
            "last_event_at": self.clock, "state": "active", "changed_at": self.clock, "revision": 1,
            "client": {"user_agent": "Mozilla/5.0", "language": "zh-CN", "screen": "1280x800"},
        }  # fmt: skip
        self.keep("assignments", {"_id": f"{self.study_id}/{self.number}", "study_id": self.study_id,
                                  "number": self.number, "condition_id": condition, "session_id": document["_id"],
                                  "at": self.clock})  # fmt: skip
        return self.keep("sessions", {**document, **fields})

    def event(self, session: dict[str, Any], number: int, verb: str = "stage.switch", **fields: Any) -> dict[str, Any]:
        """Write an event of the page."""
        now = self.tick()
        document = {
            "_id": f"{session['_id']}/e{number}", "session_id": session["_id"], "study_id": self.study_id,
            "participant_id": session["participant_id"], "at": now, "page_id": "page", "client_seq": number,
            "client_at_ms": int(now.timestamp() * 1000) - 1234, "actor": "participant", "verb": verb, "object": ODD[0],
            "inputs": [ODD[1]], "outputs": [], "generation_id": "", "data": json.dumps({"x": ODD[0]}),
        }  # fmt: skip
        return self.keep("events", {**document, **fields})

    def generation(self, session: dict[str, Any], number: int, **fields: Any) -> dict[str, Any]:
        """Write a generation that made one picture and one text, with a chat step and a picture's step."""
        created_at, ended_at = self.tick(), self.tick(3.5)
        name = f"{session['_id']}G{number:03}"
        image = self.image(f"{name}".encode())
        steps = [_chat_step(name, created_at), _paint_step(name, created_at, image)]
        outputs = [
            {"kind": "image", "image_id": image, "text": None, "step": f"{name}s2", "index": 0},
            {"kind": "text", "image_id": None, "text": json.dumps(ODD[0], ensure_ascii=False), "step": "", "index": 1},
        ]
        document = {
            "_id": name, "app_id": 1, "participant_id": session["participant_id"], "operation": "sketch.create_new",
            "inputs": {"task": ODD[5], "texts": list(ODD[:3]), "image_ids": [], "num": 2, "current_stage": "sketch",
                       "options": {}},
            "origin": {"aiStage": "x"}, "state": "succeeded", "created_at": created_at, "started_at": created_at,
            "ended_at": ended_at, "duration_s": 3.5, "seed": 4_000_000_000, "steps": steps, "outputs": outputs,
            "parents": [], "error": None, "owner": "r", "token": 1, "attempt": 1, "revision": 6, "changed_at": ended_at,
            "live": None, "cancel_at": None, "rerun_of": "", "overrides": {},
            "pins": {}, "times": {"total": 3.5}, "request_id": "", "replay_id": "", "output_phrases": [],
            "study_id": self.study_id, "session_id": session["_id"],
            "condition_id": session["condition_id"], "hold_s": None, "hold_kind": "", "drift": None,
        }  # fmt: skip
        whole = {**document, **fields}
        whole["output_images"] = [output["image_id"] for output in whole["outputs"] if output["image_id"]]
        return self.keep("generations", {**whole, "log": _log(whole)})

    def save(self, session: dict[str, Any], text: str) -> dict[str, Any]:
        """Write a save."""
        ref = self.stores.contents.put_text(text)
        document = {"_id": self._id("V"), "participant_id": session["participant_id"], "content_sha256": ref.sha256,
                    "design_task": ODD[0], "current_stage": "sketch", "scheme_counts": [{"stage": "a.b", "count": 2}],
                    "saved_at": self.tick()}  # fmt: skip
        return self.keep("saved_states", document)

    def upload(self, participant_id: str | None, sha256: str) -> dict[str, Any]:
        """Write an upload; None: nobody knows of whom."""
        return self.keep("uploads", {"_id": self._id("U"), "participant_id": participant_id, "file_name": ODD[1],
                                     "content_sha256": sha256, "kind": "canvas",
                                     "received_at": self.tick()})  # fmt: skip

    def time_record(self, session: dict[str, Any]) -> dict[str, Any]:
        """Write a report of stays in stages."""
        visits = [{"start_time_ms": 1000, "duration_ms": 500, "extra_json": ""},
                  {"start_time_ms": 2000, "duration_ms": None, "extra_json": ""}]  # fmt: skip
        return self.keep("time_records", {"_id": self._id("T"), "participant_id": session["participant_id"],
                                          "page_loaded_at_ms": 900, "received_at": self.tick(), "ai_stage_switches": [],
                                          "stage_switches": [{"stage": "sketch", "visits": visits}]})  # fmt: skip

    def image(self, seed: bytes) -> str:
        """Keep a picture and give its SHA-256."""
        number = int.from_bytes(hashlib.sha256(seed).digest()[:4], "big")
        content = picture(number, self.side)
        return self.stores.contents.put(content, "image/png", width=self.side, height=self.side).sha256

    def tick(self, seconds: float = 1.25) -> datetime:
        """Let time go by, and tell it."""
        self.clock += timedelta(seconds=seconds)
        return self.clock

    def _id(self, kind: str) -> str:
        self.count = getattr(self, "count", 0) + 1
        return f"{self.prefix}{self.study_id[-2:]}{kind}{self.count:023}"


def small_study(stores: Stores, study_id: str = STUDY) -> StudyMaker:
    """Write a study with everything odd in it: failed and canceled generations, a session without events …"""
    make = StudyMaker(stores, study_id)
    make.study()
    first, second, third = make.session("a", state="completed"), make.session("b"), make.session("b")
    jpeg = stores.contents.put(_jpeg(), "image/jpeg", width=16, height=16).sha256
    drawn = stores.contents.put(picture(7, text="drawn elsewhere"), "image/png", width=16, height=16).sha256
    make.upload(first["participant_id"], jpeg)
    make.upload(None, drawn)
    stores.settings_versions.keep("a" * 64, "prompt", "sketch", "text of the prompt")
    make.event(first, 1)
    begun = make.generation(first, 1)
    inputs = {**begun["inputs"], "image_ids": [begun["outputs"][0]["image_id"], jpeg, drawn]}
    make.generation(first, 2, parents=[begun["_id"]], inputs=inputs)
    make.event(first, 2, verb="generation.shown", generation_id=begun["_id"], client_at_ms=None, data="", object="")
    make.generation(second, 1, hold_s=20.0, hold_kind="fixed")
    failed = {"state": "failed", "outputs": [], "error": {"type": "PoolTimeoutError", "message": ODD[0]}}
    make.generation(second, 2, **failed)
    make.generation(second, 3, state="canceled", outputs=[], steps=[], started_at=None, duration_s=None)
    make.generation(second, 4, state="running", ended_at=None)
    url = f"/images/{make.image(b'only in the save')}.png"
    make.save(first, json.dumps({"designTask": ODD[5], "picture": url}, ensure_ascii=False))
    make.time_record(first)
    assert third["number"] == 3
    return make


def _jpeg() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(written, "JPEG")
    return written.getvalue()


def _chat_step(name: str, at: datetime) -> dict[str, Any]:
    reply = {"text": "…", "model": "gpt-4-0613", "prompt_tokens": 12, "completion_tokens": 34}
    details = {"template": "sketch", "template_hash": "a" * 64, "prompt": f"Sketch {ODD[5]}\n{ODD[0]}", "seed": 4,
               "replies": [reply]}  # fmt: skip
    return {"kind": "chat", "name": "sketch", "id": f"{name}s1", "started_at": at, "duration_s": 1.5, "waited_s": 0.25,
            "details": details, "error": None}  # fmt: skip


def _paint_step(name: str, at: datetime, image: str) -> dict[str, Any]:
    details = {
        "preset": "sketch_create_new", "preset_hash": "b" * 64, "prompt": "a robot, 机器人", "negative_prompt": "color",
        "checkpoint": "sd_xl_base_1.0", "sampler_name": "DPM++ 2M", "scheduler": None, "steps": 20, "cfg_scale": 7.0,
        "width": 16, "height": 16, "seed": 4_000_000_000, "denoising_strength": None, "image_id": image, "batch": 1,
        "index": 0, "instance": "http://gpu:7860", "not_applied": {},
        "used": {"sd_model_name": "sd_xl_base_1.0", "sd_model_hash": "31e35c80fc", "sampler_name": "DPM++ 2M",
                 "scheduler": "Karras", "version": "v1.10.1"},
    }  # fmt: skip
    return {"kind": "txt2img", "name": "sketch_create_new", "id": f"{name}s2", "started_at": at, "duration_s": 2.0,
            "waited_s": 0.0, "details": details, "error": None}  # fmt: skip


def _log(document: dict[str, Any]) -> list[dict[str, Any]]:
    created_at, ended_at = document["created_at"], document["ended_at"] or document["created_at"]
    facts: list[dict[str, Any]] = [{"type": "state", "state": "queued", "at": created_at}]
    facts += [{"type": "step", "step": step["id"], "at": ended_at} for step in document["steps"]]
    facts += [{"type": "output", "output": place, "at": ended_at} for place in range(len(document["outputs"]))]
    facts.append({"type": "state", "state": document["state"], "at": ended_at})
    empty = {"state": "", "step": "", "output": None}
    return [{"seq": seq, **empty, **fact} for seq, fact in enumerate(facts, start=1)]
