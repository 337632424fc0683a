"""The names of the collections and the version of the documents in each."""

from __future__ import annotations

from typing import Any, Final

Document = dict[str, Any]

CONTENTS: Final = "contents"
CONTENT_PARTS: Final = "content_parts"
PARTICIPANTS: Final = "participants"
PARTICIPANT_NAMES: Final = "participant_names"
SAVED_STATES: Final = "saved_states"
SUBJECTS: Final = "subjects"
TIME_RECORDS: Final = "time_records"
UPLOADS: Final = "uploads"
GENERATIONS: Final = "generations"
RUNNERS: Final = "runners"
SUBMISSION_KEYS: Final = "submission_keys"
SETTINGS_VERSIONS: Final = "settings_versions"
THUMBNAILS: Final = "thumbnails"
STUDIES: Final = "studies"
ASSIGNMENTS: Final = "assignments"
SESSIONS: Final = "sessions"
EVENTS: Final = "events"
REPLAYS: Final = "replays"
REPLAY_ITEMS: Final = "replay_items"
RESEARCHERS: Final = "researchers"
API_TOKENS: Final = "api_tokens"
LOGIN_ATTEMPTS: Final = "login_attempts"
EXPORTS: Final = "exports"
RECEIPTS: Final = "receipts"
SUMMARIES: Final = "summaries"
INDEX_BUILDS: Final = "index_builds"

# Raise a number when the meaning or the shape of a field changes; adding an optional field needs none.
SCHEMA_VERSIONS: Final[dict[str, int]] = {
    CONTENTS: 1,
    CONTENT_PARTS: 1,
    PARTICIPANTS: 1,
    PARTICIPANT_NAMES: 1,
    SAVED_STATES: 1,
    SUBJECTS: 1,
    TIME_RECORDS: 1,
    UPLOADS: 1,
    GENERATIONS: 2,
    RUNNERS: 1,
    SUBMISSION_KEYS: 1,
    SETTINGS_VERSIONS: 1,
    THUMBNAILS: 1,
    STUDIES: 1,
    ASSIGNMENTS: 1,
    SESSIONS: 1,
    EVENTS: 1,
    REPLAYS: 1,
    REPLAY_ITEMS: 1,
    RESEARCHERS: 1,
    API_TOKENS: 1,
    LOGIN_ATTEMPTS: 1,
    EXPORTS: 1,
    RECEIPTS: 1,
    SUMMARIES: 1,
    INDEX_BUILDS: 1,
}
