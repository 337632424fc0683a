"""Where each picture and text came from, as W3C PROV: one document for the study, and one for each session.

Entities are pictures, texts and versions of settings; activities are sessions, generations and steps; agents are
participants (by pseudonym), models and this server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from prov.model import PROV, ProvDocument

from apps.research.dataset.rows import Record
from apps.research.dataset.work_rows import images_of_step

SERVER: Final = "agent:stepideator-api"
SPACES: Final = (
    "picture",
    "text",
    "settings",
    "session",
    "generation",
    "step",
    "participant",
    "model",
    "agent",
    "fact",
)


def session_path(session: Record) -> str:
    """Give the path of a session's document in the data set."""
    return f"provenance/sessions/session-{int(session.get('number') or 0):06}-{session['_id']}.json"


class StudyProvenance:
    """The document of the study: its sessions, who took part, and where the rest is told."""

    def __init__(self, study: Record, version: str) -> None:
        self._document = _document()
        self._document.agent(SERVER, {PROV["type"]: PROV["SoftwareAgent"], "fact:version": version})
        plan = {PROV["type"]: PROV["Plan"], PROV["label"]: study.get("name", "")}
        self._document.entity(f"fact:study-{study['_id']}", plan)
        self._plan = f"fact:study-{study['_id']}"

    def add(self, session: Record) -> None:
        """Add a session."""
        name, participant = f"session:{session['_id']}", f"participant:{session['participant_id']}"
        facts = {"fact:condition": session.get("condition_id", ""), "fact:document": session_path(session)}
        self._document.activity(name, session.get("started_at"), session.get("ended_at"), facts)
        self._document.agent(participant, {PROV["type"]: PROV["Person"]})
        self._document.wasAssociatedWith(name, participant, self._plan)
        self._document.wasAssociatedWith(name, SERVER)

    def write(self, path: Path) -> None:
        """Write the document."""
        _write(self._document, path)


class SessionProvenance:
    """The document of one session: its generations, their steps, and what went in and came out."""

    def __init__(self, session: Record) -> None:
        self._session = session
        self._document = _document()
        self._agents: set[str] = set()
        self._entities: set[str] = set()
        self._document.agent(SERVER, {PROV["type"]: PROV["SoftwareAgent"]})
        self._participant = f"participant:{session['participant_id']}"
        self._document.agent(self._participant, {PROV["type"]: PROV["Person"]})
        session_name = f"session:{session['_id']}"
        self._document.activity(session_name, session.get("started_at"), session.get("ended_at"))
        self._document.wasAssociatedWith(session_name, self._participant)

    def add(self, generation: Record) -> None:
        """Add a generation with its steps, inputs and outputs."""
        document, name = self._document, f"generation:{generation['_id']}"
        facts = {
            "fact:operation": generation["operation"],
            "fact:state": generation["state"],
            "fact:session": f"session:{self._session['_id']}",
        }
        document.activity(name, generation["created_at"], generation.get("ended_at"), facts)
        document.wasAssociatedWith(name, self._participant)
        document.wasAssociatedWith(name, SERVER)
        for parent in generation.get("parents", ()):
            document.wasInformedBy(name, f"generation:{parent}")
        for image in generation["inputs"]["image_ids"]:
            document.used(name, self._entity(f"picture:{image}", "Picture"))
        makers = {step.get("id"): self._step(name, number, step) for number, step in _numbered(generation, "steps")}
        for number, output in _numbered(generation, "outputs"):
            self._output(generation, number, output, makers.get(output.get("step"), name))

    def write(self, folder: Path) -> None:
        """Write the document into the folder of sessions."""
        path = folder / session_path(self._session).rpartition("/")[2]
        _write(self._document, path)

    def _step(self, generation: str, number: int, step: Record) -> str:
        document, details = self._document, step.get("details", {})
        name = f"step:{generation.partition(':')[2]}-{number}"
        facts = {"fact:kind": step["kind"], "fact:name": step["name"], "fact:duration_s": step["duration_s"]}
        document.activity(name, step["started_at"], None, facts)
        document.wasInformedBy(name, generation)
        for kind in ("template_hash", "preset_hash", "directions_hash", "views_hash"):
            if isinstance(details.get(kind), str):
                document.used(name, self._entity(f"settings:{details[kind]}", kind.removesuffix("_hash")))
        for model in _models(details):
            document.wasAssociatedWith(name, self._model(model))
        for image in images_of_step(step):
            document.wasGeneratedBy(self._entity(f"picture:{image}", "Picture"), name)
        return name

    def _output(self, generation: Record, number: int, output: Record, maker: str) -> None:
        image = output.get("image_id")
        if image is None:
            made = self._entity(f"text:{generation['_id']}-{number}", output["kind"].capitalize())
        else:
            made = self._entity(f"picture:{image}", "Picture")
        self._document.wasGeneratedBy(made, maker, output.get("at"))
        self._document.wasAttributedTo(made, SERVER)
        for taken in generation["inputs"]["image_ids"]:
            self._document.wasDerivedFrom(made, self._entity(f"picture:{taken}", "Picture"))

    def _entity(self, name: str, kind: str) -> str:
        if name not in self._entities:
            self._entities.add(name)
            self._document.entity(name, {PROV["type"]: f"fact:{kind}"})
        return name

    def _model(self, model: str) -> str:
        name = f"model:{quote(model, safe='')}"
        if name not in self._agents:
            self._agents.add(name)
            self._document.agent(name, {PROV["type"]: PROV["SoftwareAgent"], PROV["label"]: model})
        return name


def _models(details: Record) -> list[str]:
    used = details.get("used") or {}
    image_model = used.get("sd_model_name") or details.get("checkpoint")
    chat_models = [str(reply.get("model")) for reply in details.get("replies") or ()]
    named = [*chat_models, *([f"{image_model} [{used.get('sd_model_hash') or '?'}]"] if image_model else [])]
    return list(dict.fromkeys(named))


def _numbered(generation: Record, what: str) -> list[tuple[int, Any]]:
    return list(enumerate(generation.get(what, ()), start=1))


def _write(document: ProvDocument, path: Path) -> None:
    path.write_text(str(document.serialize(format="json", indent=1, ensure_ascii=False)), encoding="utf-8")


def _document() -> ProvDocument:
    document = ProvDocument()
    for space in SPACES:
        document.add_namespace(space, f"urn:stepideator:{space}:")
    return document
