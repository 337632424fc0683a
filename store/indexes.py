"""Every index of every collection, and how they come to be whole.

The embedded server leaves half an index when it is killed while it builds one, and then answers wrongly without
saying so. Hence a marker is written before each build and removed after it: whoever finds a marker that nobody
works on any more drops the index and builds it again. A real MongoDB takes care of this itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import sleep
from typing import Any, Final

from pymongo.database import Database as MongoDatabase
from pymongo.errors import DuplicateKeyError

from store import schema
from store.clock import utc_now
from store.schema import Document

logger = logging.getLogger(__name__)

STALE_AFTER_S: Final = 10.0
POLL_S: Final = 0.1
SUBMISSION_KEYS_KEPT_FOR_S: Final = 24 * 3600
LOGIN_ATTEMPTS_KEPT_FOR_S: Final = 24 * 3600


@dataclass(frozen=True)
class Index:
    """One index: the collection, its name there, and its fields in order (all ascending).

    With `expire_after_s` MongoDB removes a document when the time in its one field is that long ago, within a minute
    or two.
    """

    collection: str
    name: str
    keys: tuple[str, ...]
    unique: bool = False
    expire_after_s: int | None = None

    @property
    def marker_id(self) -> str:
        """Give the `_id` of the document that says this index is being built."""
        return f"{self.collection}.{self.name}"


# Uniqueness is held by `_id` in every collection (hashes, ULIDs), so no index here needs to be unique.
INDEXES: Final[tuple[Index, ...]] = (
    Index(schema.GENERATIONS, "by_participant_and_time", ("participant_id", "created_at")),
    Index(schema.GENERATIONS, "by_output_image", ("participant_id", "output_images")),
    Index(schema.GENERATIONS, "by_output_phrase", ("participant_id", "output_phrases")),
    Index(schema.GENERATIONS, "by_state_and_owner", ("state", "owner")),
    Index(schema.GENERATIONS, "by_time", ("created_at",)),
    Index(schema.GENERATIONS, "by_change", ("changed_at",)),
    Index(schema.SETTINGS_VERSIONS, "by_kind_and_name", ("kind", "name")),
    Index(schema.THUMBNAILS, "by_picture", ("picture",)),
    Index(schema.STUDIES, "by_join_key", ("join_key",)),
    Index(schema.ASSIGNMENTS, "by_study", ("study_id",)),
    Index(schema.SESSIONS, "by_participant", ("participant_id",)),
    Index(schema.SESSIONS, "by_study_and_start", ("study_id", "started_at")),
    Index(schema.SESSIONS, "by_study_and_change", ("study_id", "changed_at")),
    Index(schema.EVENTS, "by_session_and_time", ("session_id", "at")),
    Index(schema.SUBMISSION_KEYS, "by_age", ("created_at",), expire_after_s=SUBMISSION_KEYS_KEPT_FOR_S),
    Index(schema.LOGIN_ATTEMPTS, "by_age", ("last_at",), expire_after_s=LOGIN_ATTEMPTS_KEPT_FOR_S),
    Index(schema.PARTICIPANT_NAMES, "by_participant", ("participant_id",)),
    Index(schema.SAVED_STATES, "by_participant_and_time", ("participant_id", "saved_at")),
    Index(schema.TIME_RECORDS, "by_participant_and_time", ("participant_id", "received_at")),
    Index(schema.UPLOADS, "by_participant_and_time", ("participant_id", "received_at")),
    Index(schema.EXPORTS, "by_study", ("study_id",)),
    Index(schema.SUMMARIES, "by_study", ("study_id",)),
    Index(schema.REPLAYS, "by_session", ("session_id",)),
    Index(schema.REPLAYS, "by_participant", ("participant_id",)),
    Index(schema.REPLAY_ITEMS, "by_replay_and_number", ("replay_id", "number")),
)


def ensure_indexes(
    database: MongoDatabase[Document],
    *,
    embedded: bool,
    builder: str,
    indexes: tuple[Index, ...] = INDEXES,
) -> None:
    """Build what is missing and mend what a kill left half-built; several processes may do so at once.

    `builder` names the caller: a marker of its own, left by a lost connection, is taken up again at once.
    """
    for index in indexes:
        if embedded:
            _ensure_with_marker(database, index, builder)
        else:
            _create(database, index)


def _ensure_with_marker(database: MongoDatabase[Document], index: Index, builder: str) -> None:
    markers = database[schema.INDEX_BUILDS]
    while True:
        marker = markers.find_one({"_id": index.marker_id})
        if marker is None:
            # Without a marker an index is whole: markers go away only after the build.
            if _exists(database, index):
                return
            if _claim(database, index, builder):
                break
        elif _take_over(database, index, marker, builder):
            logger.warning("index %s was left half-built; it is built again", index.marker_id)
            if _exists(database, index):
                database[index.collection].drop_index(index.name)
            break
        sleep(POLL_S)
    _create(database, index)
    markers.delete_one({"_id": index.marker_id, "builder": builder})


def _exists(database: MongoDatabase[Document], index: Index) -> bool:
    return index.name in database[index.collection].index_information()


def _create(database: MongoDatabase[Document], index: Index) -> None:
    expiry: dict[str, Any] = {} if index.expire_after_s is None else {"expireAfterSeconds": index.expire_after_s}
    keys = [(key, 1) for key in index.keys]
    database[index.collection].create_index(keys, name=index.name, unique=index.unique, **expiry)


def _claim(database: MongoDatabase[Document], index: Index, builder: str) -> bool:
    """Write the marker; False if another process was first."""
    marker = {
        "_id": index.marker_id,
        "schema_version": schema.SCHEMA_VERSIONS[schema.INDEX_BUILDS],
        "builder": builder,
        "started_at": utc_now(),
    }
    # The marker is a lock as well: its `_id` can be inserted by one process only.
    try:
        database[schema.INDEX_BUILDS].insert_one(marker)
    except DuplicateKeyError:
        return False
    return True


def _take_over(database: MongoDatabase[Document], index: Index, marker: Document, builder: str) -> bool:
    """Make a left-over marker ours; False while another process may still be building."""
    age_s = (utc_now() - marker["started_at"]).total_seconds()
    if marker["builder"] != builder and age_s < STALE_AFTER_S:
        return False
    # Compare-and-set on the builder: of several that wait, one takes over.
    answer = database[schema.INDEX_BUILDS].update_one(
        {"_id": index.marker_id, "builder": marker["builder"]},
        {"$set": {"builder": builder, "started_at": utc_now()}},
    )
    return answer.matched_count == 1
