"""A study as researchers see it: what was laid out, its link, and how far it is."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from apps.research.study_parts import ConditionForm
from apps.research.study_schemas import SealInfo, StudyCounts, StudyInfo
from store.stores import Stores
from store.studies import Study

FRESH_S = 5.0


class Counting:
    """How many generations studies have, as of some seconds ago at most. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, int, int]] = {}
        self._lock = threading.Lock()

    def of(self, stores: Stores, study: Study) -> tuple[int, int]:
        """Give the number of generations, and of those that failed. Raises StoreError."""
        at_s, made, failed = self._known.get(study.id, (-FRESH_S, 0, 0))
        if time.monotonic() - at_s > FRESH_S:
            states = stores.glances.states_in(study.id, study.created_at)
            made, failed = sum(states.values()), states.get("failed", 0)
            with self._lock:
                self._known[study.id] = (time.monotonic(), made, failed)
        return made, failed


def info_of(stores: Stores, study: Study, counting: Counting, link: Callable[[str], str]) -> StudyInfo:
    """Tell all of a study; `link` gives the address for a join key. Raises StoreError."""
    sessions = stores.sessions.of_study(study.id)
    states = Counter(session.state for session in sessions)
    by_condition = Counter(session.condition_id for session in sessions)
    made, failed = counting.of(stores, study)
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
