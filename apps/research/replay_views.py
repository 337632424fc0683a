"""From what is kept of a replay to what is told of it."""

import json
from collections.abc import Mapping

from agent.host import Host
from apps.pictures import Links
from apps.research.replay_schemas import (
    ItemCounts,
    ItemView,
    OutputCounts,
    OutputView,
    PictureView,
    ReplayPage,
    ReplayQuery,
    ReplayView,
    SideView,
    TextView,
)
from apps.research.replaying.differing import side_of
from apps.research.replaying.driving import is_stalled
from apps.research.replaying.judging import pairs_of
from apps.research.replaying.likeness import SIMILAR_FROM
from apps.research.replaying.shapes import UNEQUAL, Judgement, OutputPair, Side
from store.documents import GenerationRecord
from store.replays import LAST, Replay, ReplayItem
from store.stores import Stores

THUMBNAIL = 256


def view_of(replay: Replay, host: Host) -> ReplayView:
    """Tell how far a replay is and what was found so far."""
    return ReplayView(
        id=replay.id,
        session_id=replay.session_id,
        study_id=replay.study_id,
        participant_id=replay.participant_id,
        state=replay.state,
        is_stalled=is_stalled(replay, host),
        error=replay.error,
        changes=json.loads(replay.changes),
        at_once=replay.at_once,
        requested_by=replay.requested_by,
        total=replay.total,
        done=replay.done,
        progress=replay.done / replay.total if replay.total else 1.0,
        counts=ItemCounts.model_validate(_tallied(replay.tallies, "items")),
        pictures=OutputCounts.model_validate(_tallied(replay.tallies, "images")),
        texts=OutputCounts.model_validate(_tallied(replay.tallies, "texts")),
        is_equal=is_equal(replay) if replay.state == "done" else None,
        threshold=SIMILAR_FROM,
        created_at=replay.created_at,
        started_at=replay.started_at,
        ended_at=replay.ended_at,
    )


def is_equal(replay: Replay) -> bool:
    """Tell whether all that a replay made is what the session showed; what was canceled there does not count."""
    return not any(replay.tallies.get(name) for name in ("unmet", *(f"items.{verdict}" for verdict in UNEQUAL)))


def page_of(replay: Replay, query: ReplayQuery, stores: Stores, host: Host, links: Links) -> ReplayPage:
    """Tell some items of a replay, in the session's order."""
    found = _wanted(stores, replay, query)
    shown = found[: query.limit]
    return ReplayPage(
        replay=view_of(replay, host),
        items=[_item_of(item, stores, links) for item in shown],
        next=shown[-1].number if len(found) > query.limit else None,
    )


def _wanted(stores: Stores, replay: Replay, query: ReplayQuery) -> list[ReplayItem]:
    """Read the items of a page, and one more if there is one."""
    until = LAST if query.verdict is not None else query.after + query.limit + 1
    items = stores.replays.items(replay.id, query.after, until)
    return [item for item in items if query.verdict in (None, item.verdict)][: query.limit + 1]


def _item_of(item: ReplayItem, stores: Stores, links: Links) -> ItemView:
    record = stores.generations.get(item.generation_id)
    found = Judgement.model_validate_json(item.judgement) if item.judgement else None
    old, new, pairs = (found.old, found.new, found.outputs) if found else _unjudged(record)
    was_made = item.state != "waiting" and (found is None or found.verdict != "not_replayed")
    return ItemView(
        number=item.number,
        generation_id=item.generation_id,
        new_generation_id=item.new_generation_id if was_made else "",
        operation=record.operation if record is not None else "",
        state=item.state,
        verdict=found.verdict if found else None,
        score=found.score if found else None,
        why=found.why if found else [],
        old=_side_of(old, links),
        new=_side_of(new, links),
        outputs=[_output_of(pair, links) for pair in pairs],
        differences=found.differences if found else [],
    )


def _unjudged(record: GenerationRecord | None) -> tuple[Side | None, None, list[OutputPair]]:
    return (None, None, []) if record is None else (side_of(record), None, pairs_of(record, None))


def _side_of(side: Side | None, links: Links) -> SideView | None:
    if side is None:
        return None
    values = {**dict(side), "inputs": [_picture_of(sha256, links) for sha256 in side.inputs]}
    return SideView.model_validate(values, from_attributes=True)


def _output_of(pair: OutputPair, links: Links) -> OutputView:
    def told(value: str | None) -> PictureView | TextView | None:
        if value is None:
            return None
        return _picture_of(value, links) if pair.kind == "image" else TextView(text=value)

    return OutputView(
        index=pair.index,
        kind=pair.kind,
        verdict=pair.verdict,
        score=pair.score,
        measures=pair.measures,
        old=told(pair.old),
        new=told(pair.new),
    )


def _picture_of(sha256: str, links: Links) -> PictureView:
    url = links(sha256)
    return PictureView(sha256=sha256, url=url, thumbnail=f"{url}?size={THUMBNAIL}")


def _tallied(tallies: Mapping[str, int], kind: str) -> dict[str, int]:
    return {name.partition(".")[2]: count for name, count in tallies.items() if name.startswith(f"{kind}.")}
