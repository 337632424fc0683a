"""Studies: what participants are asked to do, under which conditions, and who got which condition."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from store.clock import utc_now
from store.connection import Database
from store.errors import NotFoundError, OutdatedError
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import ASSIGNMENTS, SCHEMA_VERSIONS, STUDIES, Document

DEFAULT_STUDY: Final = "default"
"""The study of all who came by no link; its one condition has the same id."""

StudyState = Literal["draft", "open", "closed"]
HoldKind = Literal["none", "fixed", "uniform", "normal"]
Choose = Callable[[Mapping[str, int]], str]
"""Chooses a condition, given how many participants each one has."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Hold(_Value):
    """For how long an answer is held back, in seconds from its request.

    `seconds` belongs to `fixed`, `low` and `high` to `uniform`; `mean`, `sd`, `min` and `max` to `normal`, which is cut
    at `min` and `max`.
    """

    kind: HoldKind = "none"
    seconds: float | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None
    min: float | None = None
    max: float | None = None


class Condition(_Value):
    """One condition of a study. `allowed` names the operations; None: all. Without `assistant` there are none."""

    id: str
    name: str = ""
    description: str = ""
    allowed: tuple[str, ...] | None = None
    assistant: bool = True
    checkpoint: str | None = None
    num_max: int | None = None
    hold: Hold = Field(default_factory=Hold)

    @model_validator(mode="before")
    @classmethod
    def _has_a_name(cls, value: Any) -> Any:
        # A condition without a name is shown by its id, which everyone has.
        return {**value, "name": value.get("name") or value.get("id", "")} if isinstance(value, dict) else value


class Seal(_Value):
    """That a study was frozen: `hash` over all that it depends on, whose JSON text is kept as a content."""

    hash: str
    at: datetime
    by: str
    content_sha256: str


class Study(_Value):
    """A study. `revision` rises with each change of it; `planned` is the number of participants that are wanted."""

    id: str = Field(default_factory=new_id)
    schema_version: int = 0
    name: str
    description: str = ""
    task: str = ""
    consent_text: str = ""
    conditions: tuple[Condition, ...]
    planned: int | None = None
    state: StudyState = "draft"
    created_at: datetime = Field(default_factory=utc_now)
    changed_at: datetime = Field(default_factory=utc_now)
    revision: int = 1
    join_key: str = Field(default_factory=lambda: secrets.token_urlsafe(16))
    seal: Seal | None = None
    drift_policy: Literal["refuse", "record"] = "record"
    is_default: bool = False

    def condition(self, condition_id: str) -> Condition | None:
        """Give a condition by its id."""
        return next((one for one in self.conditions if one.id == condition_id), None)


@dataclass(frozen=True)
class Assignment:
    """Which condition a session got: the `number`th of its study. `counts` is what each one had before it."""

    condition_id: str
    number: int
    counts: Mapping[str, int]
    at: datetime


class Studies:
    """The studies of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def create(self, study: Study) -> Study:
        """Keep a new study; the same one may be sent twice."""
        document = _to_document(study)
        insert_once(self._database.collection(STUDIES), document)
        return _to_study(document)

    def default(self) -> Study:
        """Give the study of all who came by no link, made at the first use of a database."""
        found = self.get(DEFAULT_STUDY)
        if found is not None:
            return found
        condition = Condition(id=DEFAULT_STUDY, name="Default")
        return self.create(
            Study(id=DEFAULT_STUDY, name="Default study", conditions=(condition,), state="open", is_default=True)
        )

    @idempotent
    def get(self, study_id: str) -> Study | None:
        """Give a study; None if there is none."""
        document = self._database.collection(STUDIES).find_one({"_id": study_id})
        return None if document is None else _to_study(document)

    @idempotent
    def by_join_key(self, join_key: str) -> Study | None:
        """Give the study that a link leads to; None if it leads nowhere."""
        document = self._database.collection(STUDIES).find_one({"join_key": join_key})
        return None if document is None else _to_study(document)

    @idempotent
    def all(self) -> tuple[Study, ...]:
        """List all studies, the newest first; they are few."""
        found = [_to_study(document) for document in self._database.collection(STUDIES).find({})]
        return tuple(sorted(found, key=lambda study: (study.created_at, study.id), reverse=True))

    @idempotent
    def change(self, study_id: str, revision: int, changes: Mapping[str, Any]) -> Study:
        """Change fields of a study as it was at a revision, and give it as it is then.

        Raises:
            NotFoundError: there is no such study.
            OutdatedError: it has been changed since.
        """
        fields = Study.model_validate({**self._read(study_id), **changes, "id": study_id})
        document = _to_document(fields)
        update = {key: document[key] for key in changes}
        answer = self._database.collection(STUDIES).update_one(
            {"_id": study_id, "revision": revision},
            {"$set": {**update, "changed_at": utc_now(), "revision": revision + 1}},
        )
        now = self.get(study_id)
        if now is None:
            raise NotFoundError(f"there is no study {study_id}")
        # A lost answer: the change of this very call is there already.
        is_ours = now.revision == revision + 1 and all(_to_document(now)[key] == update[key] for key in update)
        if not answer.matched_count and not is_ours:
            raise OutdatedError(f"study {study_id} is at revision {now.revision} by now, not {revision}; read it again")
        return now

    @idempotent
    def delete(self, study_id: str) -> None:
        """Remove a study; its sessions must be gone before."""
        self._database.collection(STUDIES).delete_one({"_id": study_id})

    @idempotent
    def assign(self, study: Study, session_id: str, choose: Choose) -> Assignment:
        """Give a session its condition and number, once for ever; many may ask at the same time.

        Each number is taken by one insert, and only by who knew all assignments before it; so the counts that `choose`
        sees are right, however many join at once.
        """
        assignments = self._database.collection(ASSIGNMENTS)
        while True:
            known = list(assignments.find({"study_id": study.id}))
            mine = next((one for one in known if one["session_id"] == session_id), None)
            before = [one for one in known if mine is None or one["number"] < mine["number"]]
            counted = Counter(one["condition_id"] for one in before)
            counts = {condition.id: counted[condition.id] for condition in study.conditions}
            if mine is not None:
                return Assignment(mine["condition_id"], mine["number"], counts, mine["at"])
            number = 1 + max((one["number"] for one in known), default=0)
            insert_once(assignments, _assignment(study.id, number, choose(counts), session_id))

    def _read(self, study_id: str) -> dict[str, Any]:
        found = self.get(study_id)
        if found is None:
            raise NotFoundError(f"there is no study {study_id}")
        return found.model_dump()


def _assignment(study_id: str, number: int, condition_id: str, session_id: str) -> Document:
    return {
        "_id": f"{study_id}/{number}",
        "schema_version": SCHEMA_VERSIONS[ASSIGNMENTS],
        "study_id": study_id,
        "number": number,
        "condition_id": condition_id,
        "session_id": session_id,
        "at": utc_now(),
    }


def _to_document(study: Study) -> Document:
    document = study.model_dump()
    document["_id"] = document.pop("id")
    return {**document, "schema_version": SCHEMA_VERSIONS[STUDIES]}


def _to_study(document: Document) -> Study:
    return Study.model_validate({**document, "id": document["_id"]})
