"""What is kept of a participant beside the generations: the saved workspaces and the times in each stage."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from apps.codes import BUSINESS_FAIL
from apps.errors import BusinessException, InvalidInputError
from apps.pictures import PictureDesk
from apps.stepideator import messages
from apps.stepideator.schemas import SavedState as StateAnswer
from apps.stepideator.schemas import TimeRecordRequest, Visit, Visits, Workspace
from apps.stepideator.workspaces import with_pictures, without_pictures
from store.saved_states import SavedState
from store.stores import Stores
from store.time_records import StageVisits, TimeRecord
from store.time_records import Visit as StoredVisit

FIRST_STAGE = "设计摘要的环境"
LISTS: Mapping[str, str] = {
    "设计摘要的环境": "designBriefSchemes",
    "草图的环境": "sketchSchemes",
    "模型图的环境": "modelImageSchemes",
    "场景与产品渲染图的环境": "renderingSchemes",
}
"""Under which name the page takes each workspace back."""


def named(username: str | None) -> str:
    """Return the user name, or refuse an empty one.

    Raises:
        BusinessException: it is missing, empty or blank.
    """
    if username is None or not username.strip():
        raise BusinessException(BUSINESS_FAIL, messages.USERNAME_EMPTY)
    return username


def start(stores: Stores, username: str) -> StateAnswer:
    """Find the participant, or create one, and return what was saved last."""
    participant = stores.participants.find_or_create(username)
    state = stores.saved_states.load(participant.id)
    saved = json.loads(with_pictures(state.text, stores.contents)) if state else {}
    schemes = saved.get("designSchemes", {})
    return StateAnswer.model_validate(
        {
            "username": username,
            "participantId": participant.id,
            "designTask": saved.get("designTask", ""),
            "currentStage": saved.get("currentStage") or FIRST_STAGE,
            **{key: schemes.get(stage, []) for stage, key in LISTS.items()},
        }
    )


def save(stores: Stores, desk: PictureDesk, username: str, workspace: Workspace) -> str:
    """Keep a workspace and return the id of the save; every save is kept, the newest is what `start` returns.

    Raises:
        InvalidInputError: it holds a number that JSON does not know.
    """
    text = _text_of(workspace)
    participant = stores.participants.find_or_create(username)
    state = SavedState(
        text=without_pictures(text, desk),
        design_task=workspace.design_task,
        current_stage=workspace.current_stage,
        scheme_counts=tuple((stage, len(schemes)) for stage, schemes in workspace.design_schemes.items()),
    )
    return stores.saved_states.save(participant.id, state)


def keep_times(stores: Stores, body: TimeRecordRequest) -> None:
    """Keep the stage times that a page sends: all since it was loaded."""
    participant = stores.participants.find_or_create(body.username)
    starts = [
        visit.start_time
        for visits in (body.stage_switches or {}, body.ai_stage_switches or {})
        for stays in visits.values()
        for visit in stays
    ]
    stores.time_records.add(
        TimeRecord(
            participant_id=participant.id,
            page_loaded_at_ms=min(starts, default=None),
            stage_switches=_stored(body.stage_switches),
            ai_stage_switches=_stored(body.ai_stage_switches),
            received_at=datetime.now(UTC),
        )
    )


def _text_of(workspace: Workspace) -> str:
    try:
        return json.dumps(workspace.model_dump(by_alias=True), ensure_ascii=False, allow_nan=False)
    except ValueError as exc:
        raise InvalidInputError("data: NaN, Infinity and endless numbers are not JSON") from exc


def _stored(visits: Visits | None) -> tuple[StageVisits, ...]:
    return tuple(StageVisits(stage, tuple(_visit(stay) for stay in stays)) for stage, stays in (visits or {}).items())


def _visit(stay: Visit) -> StoredVisit:
    further = json.dumps(stay.model_extra, ensure_ascii=False) if stay.model_extra else ""
    return StoredVisit(start_time_ms=stay.start_time, duration_ms=stay.duration, extra_json=further)
