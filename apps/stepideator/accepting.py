"""How a submission is taken: once for each key, waited for as long as its caller wants to, and answered."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, jsonify, url_for

from agent.errors import AgentError
from apps.errors import InvalidInputError
from apps.schemas import succeeded
from apps.services import Services
from apps.stepideator.finding import found
from apps.stepideator.job_views import job_of
from apps.stepideator.preferences import Preferences
from jobs.errors import JobError
from jobs.submission import Submission
from jobs.viewing import JobView
from store.documents import ENDED

KEY_REUSED = "Idempotency-Key: this key stands for another request; take a new one for each new submission"
FIRST_TAKES_S = 2.0
LOOK_EVERY_S = 0.05


def answer(parts: Services, view: JobView) -> Response:
    """Answer with a job as it is at this moment."""
    response = jsonify(succeeded(job_of(view, parts.pictures.links())))
    response.headers["Cache-Control"] = "no-store"
    return response


def taken(parts: Services, submission: Submission, asked: Mapping[str, Any], preferences: Preferences) -> Response:
    """Take a submission, wait if that is wanted, and answer 200 when it has ended by then, else 202.

    A key that was used before gives the first job, ended or not; `asked` is what must be the same then.
    """
    generation_id, is_replayed = _taken_once(parts, submission, asked, preferences.idempotency_key)
    if preferences.wait_s is not None:
        parts.jobs.wait(generation_id, preferences.wait_s)
    view = found(parts, generation_id)
    may_have_ended = preferences.wait_s is not None or is_replayed
    response = answer(parts, view)
    response.status_code = 200 if may_have_ended and view.record.state in ENDED else 202
    response.headers["Location"] = url_for("generations.one", generation_id=generation_id)
    if preferences.wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={preferences.wait_s}"
    if is_replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _taken_once(parts: Services, submission: Submission, asked: Mapping[str, Any], key: str | None) -> tuple[str, bool]:
    """Submit, unless this key was taken before; give the job's id, and whether it is an earlier request's.

    The key is bound to the job's id before the job is made. So of two requests at the same moment one makes it and
    the other one finds it; and if the first one's process died in between, the next one makes it under that id.
    """
    if key is None:
        return parts.jobs.submit(submission).id, False
    keys, own_id, body_hash = parts.stores.submission_keys, submission.generation_id, _hash(_in_order(asked))
    while (kept := keys.put(_hash(key), body_hash, own_id)).generation_id != own_id:
        if kept.body_hash != body_hash:
            raise InvalidInputError(KEY_REUSED)
        if _comes_to_be(parts, kept.generation_id):
            return kept.generation_id, True
        own_id = kept.generation_id
    try:
        return parts.jobs.submit(replace(submission, generation_id=own_id)).id, False
    except (JobError, AgentError):
        # Refused, so nothing was made: the same request may be sent again.
        keys.forget(kept.key_hash, own_id)
        raise


def _comes_to_be(parts: Services, generation_id: str) -> bool:
    """Wait for the record of a job that another request is making at this moment."""
    end = time.monotonic() + FIRST_TAKES_S
    while parts.stores.generations.get(generation_id) is None:
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def _in_order(asked: Mapping[str, Any]) -> str:
    return json.dumps(asked, sort_keys=True)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
