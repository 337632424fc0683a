"""From a link, or a name, to a session."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from apps.errors import InvalidInputError, NotAllowedError, NotNowError, UnknownRecordError
from apps.participation import Part
from apps.services import Services
from apps.sessions.schemas import ClientInfo, Invitation, Joined, JoinRequest, SessionInfo, StudyInfo
from store.ids import new_id
from store.sessions import Assigned, Client, ConditionCount, Consent, Session
from store.studies import Study

CODE_BYTES = 16
SHORTEST_KEY, LONGEST_KEY = 16, 255
KEY_UNFIT = (
    f"Idempotency-Key: must be {SHORTEST_KEY} to {LONGEST_KEY} printable characters that nobody can guess: take a UUID"
)
NO_CONSENT = "consent: must be true; without the participant's consent nothing may be kept"
NO_LINK = "this link leads to no study; ask whoever gave it to you for the right one"
IS_CLOSED = "this study takes no new participants now; ask whoever gave you the link"


def invitation(parts: Services, join_key: str) -> Invitation:
    """Say what a link leads to. Raises UnknownRecordError if it leads nowhere."""
    study = _study_of(parts, join_key)
    return Invitation(
        name=study.name,
        description=study.description,
        consent_text=study.consent_text,
        task=study.task,
        is_open=study.state == "open",
    )


def join(parts: Services, join_key: str, asked: JoinRequest, key: str | None = None) -> Joined:
    """Let somebody join a study, or come back to it with the code of the first time.

    Args:
        key: what marks this joining; with the same one it is the same participant, however often it is sent.

    Raises:
        UnknownRecordError: the link leads nowhere, or nobody in this study has the code.
        InvalidInputError: without consent, or the key could be guessed.
        NotNowError: the study is not open.
    """
    study = _study_of(parts, join_key)
    if not asked.consent:
        raise InvalidInputError(NO_CONSENT)
    if asked.code is not None:
        return _come_back(parts, study, asked.code)
    code = f"p-{secrets.token_urlsafe(CODE_BYTES)}" if key is None else _code_of(study, key)
    if key is not None and _has_joined(parts, study, code):
        return _come_back(parts, study, code)
    if study.state != "open":
        raise NotNowError(IS_CLOSED)
    session = _begin(parts, study, code, asked.client, is_marked=key is not None)
    return Joined(code=code, session=told(parts, parts.participation.of(session.participant_id)))


def session_of(parts: Services, username: str, client: ClientInfo | None) -> SessionInfo:
    """Give the session of a name or code; a new name is in the default study from now on."""
    part = parts.participation.of(parts.stores.participants.id_of(username))
    if client is not None and part.session.client is None:
        parts.stores.sessions.update(part.session.id, {"client": _client(client).model_dump()})
        parts.participation.forget(part.session.participant_id)
    return told(parts, part)


def own_part(parts: Services, session_id: str, username: str) -> Part:
    """Give the part that a session stands for.

    Raises:
        UnknownRecordError: there is no such session.
        NotAllowedError: it is somebody else's.
    """
    participant = parts.stores.participants.find(username)
    part = None if participant is None else parts.participation.of(participant.id)
    if part is not None and part.session.id == session_id:
        return part
    if parts.stores.sessions.get(session_id) is None:
        raise UnknownRecordError(f"there is no session {session_id[:40]}")
    raise NotAllowedError(403, "this session is another participant's; `username` must be the one it was made for")


def told(parts: Services, part: Part) -> SessionInfo:
    """Tell a session to its participant."""
    study, condition, session = part.study, part.condition, part.session
    operations = parts.participation.operations
    allowed = operations if condition.allowed is None else condition.allowed
    return SessionInfo(
        id=session.id,
        study=StudyInfo(id=study.id, name=study.name, task=study.task, is_default=study.is_default),
        allowed=[name for name in operations if condition.assistant and name in allowed],
        assistant=condition.assistant,
        num_max=condition.num_max,
        state=session.state,
        started_at=session.started_at,
        ended_at=session.ended_at,
        server_time=parts.stores.events.now(),
    )


def fewest(counts: Mapping[str, int]) -> str:
    """Choose the condition that the fewest have, among equals by chance."""
    least = min(counts.values())
    return secrets.choice([condition for condition, count in counts.items() if count == least])


def _code_of(study: Study, key: str) -> str:
    """Give the code that belongs to a key: as hard to guess as the key is, and of no use for finding the key."""
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInputError(KEY_UNFIT)
    digest = hmac.digest(key.encode(), study.id.encode(), hashlib.sha256)[:CODE_BYTES]
    return f"p-{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _has_joined(parts: Services, study: Study, code: str) -> bool:
    participant = parts.stores.participants.find(code)
    session = None if participant is None else parts.stores.sessions.of_participant(participant.id)
    return session is not None and session.study_id == study.id


def _begin(parts: Services, study: Study, code: str, client: ClientInfo | None, *, is_marked: bool) -> Session:
    consent = parts.stores.contents.put_text(study.consent_text, "text/plain")
    stores = parts.stores
    participant_id = stores.participants.id_of(code)
    # Two requests of one key must make one session, so there its id comes from the participant.
    session_id = participant_id if is_marked else new_id()
    assignment = stores.studies.assign(study, session_id, fewest)
    counts = tuple(ConditionCount(condition_id=name, count=count) for name, count in assignment.counts.items())
    method = "balanced" if len(study.conditions) > 1 else "only"
    return stores.sessions.create(
        Session(
            id=session_id,
            study_id=study.id,
            condition_id=assignment.condition_id,
            participant_id=participant_id,
            number=assignment.number,
            assigned=Assigned.model_validate({"method": method, "counts": counts, "at": assignment.at}),
            consent=Consent(text_sha256=consent.sha256),
            client=None if client is None else _client(client),
        )
    )


def _come_back(parts: Services, study: Study, code: str) -> Joined:
    participant = parts.stores.participants.find(code)
    part = None if participant is None else parts.participation.of(participant.id)
    if part is None or part.study.id != study.id:
        raise UnknownRecordError("nobody has joined this study with this code; join without one")
    return Joined(code=code, session=told(parts, part))


def _study_of(parts: Services, join_key: str) -> Study:
    study = parts.stores.studies.by_join_key(join_key)
    if study is None or study.is_default:
        raise UnknownRecordError(NO_LINK)
    return study


def _client(client: ClientInfo) -> Client:
    return Client(**client.model_dump())
