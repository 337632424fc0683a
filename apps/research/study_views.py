"""A study as researchers see it: what was laid out, its link, and how far it is."""

from collections import Counter
from collections.abc import Callable

from apps.research.known import Known
from apps.research.study_parts import ConditionForm
from apps.research.study_schemas import SealInfo, StudyCounts, StudyInfo
from store.stores import Stores
from store.studies import Study


def info_of(stores: Stores, study: Study, known: Known, link: Callable[[str], str]) -> StudyInfo:
    """Tell all of a study; `link` gives the address for a join key. Raises StoreError."""
    sessions = stores.sessions.of_study(study.id)
    states = Counter(session.state for session in sessions)
    by_condition = Counter(session.condition_id for session in sessions)
    made, failed = known.counts(stores, study)
    return StudyInfo(
        id=study.id,
        name=study.name,
        description=study.description,
        task=study.task,
        consent_text=study.consent_text,
        conditions=[ConditionForm.model_validate(one.model_dump()) for one in study.conditions],
        planned=study.planned,
        drift_policy=study.drift_policy,
        state=study.state,
        is_default=study.is_default,
        revision=study.revision,
        created_at=study.created_at,
        changed_at=study.changed_at,
        join_url="" if study.is_default else link(study.join_key),
        seal=None if study.seal is None else SealInfo(hash=study.seal.hash, at=study.seal.at, by=study.seal.by),
        counts=StudyCounts(
            sessions=len(sessions),
            active=states["active"],
            completed=states["completed"],
            withdrawn=states["withdrawn"],
            generations=made,
            failed=failed,
        ),
        assigned={condition.id: by_condition[condition.id] for condition in study.conditions},
    )
