"""All stores of one database in one hand."""

from __future__ import annotations

from dataclasses import dataclass

from store.api_tokens import ApiTokens
from store.connection import Database, StoreConfig
from store.contents import Contents
from store.erasure import Erasure
from store.events import Events
from store.exports import Exports
from store.generations import Generations
from store.glances import Glances
from store.login_attempts import LoginAttempts
from store.participants import Participants
from store.receipts import Receipts
from store.replays import Replays
from store.researchers import Researchers
from store.runners import Runners
from store.saved_states import SavedStates
from store.sessions import Sessions
from store.settings_versions import SettingsVersions
from store.studies import Studies
from store.subjects import Subjects
from store.submission_keys import SubmissionKeys
from store.summaries import Summaries
from store.thumbnails import Thumbnails
from store.time_records import TimeRecords
from store.uploads import Uploads


@dataclass(frozen=True)
class Stores:
    """Everything that is kept, by kind."""

    database: Database
    contents: Contents
    participants: Participants
    saved_states: SavedStates
    subjects: Subjects
    time_records: TimeRecords
    uploads: Uploads
    generations: Generations
    glances: Glances
    runners: Runners
    submission_keys: SubmissionKeys
    settings_versions: SettingsVersions
    thumbnails: Thumbnails
    studies: Studies
    sessions: Sessions
    events: Events
    replays: Replays
    exports: Exports
    receipts: Receipts
    summaries: Summaries
    erasure: Erasure
    researchers: Researchers
    api_tokens: ApiTokens
    login_attempts: LoginAttempts

    def close(self) -> None:
        """Close this process's connections; a later use opens new ones."""
        self.database.close()


def open_stores(config: StoreConfig) -> Stores:
    """Make the stores of a database; nothing connects before the first use."""
    database = Database(config)
    contents = Contents(database)
    return Stores(
        database=database,
        contents=contents,
        participants=Participants(database),
        saved_states=SavedStates(database, contents),
        subjects=Subjects(database),
        time_records=TimeRecords(database),
        uploads=Uploads(database),
        generations=Generations(database),
        glances=Glances(database),
        runners=Runners(database),
        submission_keys=SubmissionKeys(database),
        settings_versions=SettingsVersions(database),
        thumbnails=Thumbnails(database),
        studies=Studies(database),
        sessions=Sessions(database),
        events=Events(database),
        replays=Replays(database),
        exports=Exports(database),
        receipts=Receipts(database),
        summaries=Summaries(database),
        erasure=Erasure(database, contents),
        researchers=Researchers(database),
        api_tokens=ApiTokens(database),
        login_attempts=LoginAttempts(database),
    )
