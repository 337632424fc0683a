"""Laying out studies, opening and closing them, freezing them: what may be done when."""

from collections.abc import Iterable
from typing import Any

from apps.errors import InvalidInputError, NotNowError, UnknownRecordError
from apps.research.study_schemas import NewStudy, StudyChange, StudyState
from apps.sealing import hash_of, text_of
from apps.services import Services
from store.clock import utc_now
from store.studies import Condition, Seal, Study

OF_ITSELF = {"name", "description"}
"""What can be changed of the default study: the rest of it is what the old front end expects."""
FROZEN = "this study is frozen, and cannot be changed or unfrozen any more; copy it to have another one"
DEFAULT = "this is the default study, of all who come without a link; it stays open, unfrozen, and as it is"


def found(parts: Services, study_id: str) -> Study:
    """Look a study up. Raises UnknownRecordError: there is none of this id."""
    study = parts.stores.studies.get(study_id)
    if study is None:
        raise UnknownRecordError(f"there is no study {study_id[:40]!r}; /api/studies lists them")
    return study


def listed(parts: Services) -> tuple[Study, ...]:
    """List all studies, the newest first, the default one, which is there once somebody came without a link, last."""
    return tuple(sorted(parts.stores.studies.all(), key=lambda study: study.is_default))


def created(parts: Services, wanted: NewStudy) -> Study:
    """Lay out a study. Raises InvalidInputError for an operation that there is not."""
    study = Study.model_validate(wanted.model_dump())
    _check_operations(parts, study.conditions)
    return parts.stores.studies.create(study)


def changed(parts: Services, study: Study, change: StudyChange) -> Study:
    """Change the configuration of a study.

    Raises:
        InvalidInputError: an operation that there is not, or a field that cannot be empty.
        NotNowError: it is frozen, or a condition would go that somebody was assigned to.
        OutdatedError: somebody else has changed it since.
    """
    wanted = change.wanted()
    if study.seal is not None:
        raise NotNowError(FROZEN)
    if study.is_default and not wanted.keys() <= OF_ITSELF:
        raise NotNowError(DEFAULT)
    empty = sorted(name for name, value in wanted.items() if value is None and name != "planned")
    if empty:
        raise InvalidInputError(f"{empty[0]}: must not be null; leave it out to keep it as it is")
    conditions = [Condition.model_validate(one.model_dump()) for one in wanted.get("conditions", ())]
    if conditions:
        _check_operations(parts, conditions)
        _check_nobody_is_left(parts, study, conditions)
        wanted["conditions"] = conditions
    return parts.stores.studies.change(study.id, change.revision, _plain(wanted))


def moved(parts: Services, study: Study, state: StudyState) -> Study:
    """Open a study, close it, or take it back to a draft while nobody takes part. Raises NotNowError."""
    if study.state == state:
        return study
    if study.is_default:
        raise NotNowError(DEFAULT)
    if state == "draft" and parts.stores.sessions.of_study(study.id):
        raise NotNowError("participants have joined this study, so it is no draft any more; close it instead")
    return parts.stores.studies.change(study.id, study.revision, {"state": state})


def deleted(parts: Services, study: Study) -> None:
    """Delete a draft that nobody takes part in. Raises NotNowError for any other study."""
    if study.is_default:
        raise NotNowError(DEFAULT)
    if study.state != "draft" or parts.stores.sessions.of_study(study.id):
        raise NotNowError("only a draft that nobody has joined can be deleted; close the study instead")
    parts.stores.studies.delete(study.id)


def frozen(parts: Services, study: Study, by: str) -> Study:
    """Seal a study; one that is sealed already stays so.

    Raises:
        NotNowError: it is the default study.
        OutdatedError: somebody changed it at this very moment.
    """
    if study.seal is not None:
        return study
    if study.is_default:
        raise NotNowError(DEFAULT)
    text = text_of(parts.seals.content(study))
    kept = parts.stores.contents.put_text(text)
    seal = Seal(hash=hash_of(text), at=utc_now(), by=by, content_sha256=kept.sha256)
    return parts.stores.studies.change(study.id, study.revision, {"seal": seal.model_dump()})


def _check_operations(parts: Services, conditions: Iterable[Condition]) -> None:
    for condition in conditions:
        strange = sorted(set(condition.allowed or ()) - parts.operations)
        if strange:
            raise InvalidInputError(
                f"conditions: {condition.id} allows {strange[0]!r}, which is no operation; /api/operations lists them"
            )


def _check_nobody_is_left(parts: Services, study: Study, conditions: Iterable[Condition]) -> None:
    taken = {session.condition_id for session in parts.stores.sessions.of_study(study.id)}
    lost = sorted(taken - {condition.id for condition in conditions})
    if lost:
        raise NotNowError(f"participants are in the condition {lost[0]!r}, so it cannot be taken out")


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    given = {**fields}
    if "conditions" in given:
        given["conditions"] = [condition.model_dump() for condition in given["conditions"]]
    return given
