"""What of the records of two runs is not the same, fact by fact; what every run has of its own is passed over."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from apps.research.replaying.shapes import Difference, ErrorShown, PromptShown, Side
from store.documents import ErrorRecord, GenerationRecord, StepRecord

OWN: Final = frozenset(
    ("task_id", "load_s", "paint_s", "network_s", "attempts", "reason", "image_id", "image_ids", "duration_s")
    + ("replies", "replayed_from", "question_hash", "task_hash", "source", "usage")
)
"""What the details of a step say of this one run: names, times, and what came of it."""
PAINTED: Final = frozenset(("txt2img", "img2img", "multiview"))
TEXT_LIMIT: Final = 2_000

StepKey = tuple[str, str, int, int]
"""Kind, name, index, and how many of the same came before."""


def differences(old: GenerationRecord, new: GenerationRecord) -> list[Difference]:
    """List the facts that are not the same in both runs, in the order of the first run's steps."""
    before, after = _by_key(old.steps), _by_key(new.steps)
    found = list(_unequal("", _inputs(old), _inputs(new)))
    for key in (*before, *(key for key in after if key not in before)):
        name = _name(key)
        if key not in before or key not in after:
            found.append(Difference(what="step", step=name, old=_made(key in before), new=_made(key in after)))
        else:
            found += _unequal(name, _facts(before[key]), _facts(after[key]))
            found += _answered_anew(name, after[key])
    return found


def side_of(record: GenerationRecord) -> Side:
    """Tell one of the runs in short."""
    details = [step.details for step in record.steps]
    used = [found["used"] for found in details if isinstance(found.get("used"), Mapping)]
    return Side(
        state=record.state,
        created_at=record.created_at,
        duration_s=record.duration_s,
        seed=record.seed,
        checkpoints=_once(found.get("sd_model_name") for found in used),
        model_hashes=_once(found.get("sd_model_hash") for found in used),
        instances=_once(found.get("instance") for found in details),
        task=record.inputs.task,
        texts=list(record.inputs.texts),
        inputs=list(record.inputs.image_ids),
        prompts=[_prompt(step) for step in _in_order(record.steps) if "prompt" in step.details],
        error=failure_of(record.error),
    )


def failure_of(error: ErrorRecord | None) -> ErrorShown | None:
    """Tell an error of a record."""
    return None if error is None else ErrorShown(type=error.type, message=error.message)


def _prompt(step: StepRecord) -> PromptShown:
    details = step.details
    return PromptShown(
        step=step.name,
        kind="picture" if step.kind in PAINTED else "chat",
        prompt=str(details["prompt"]),
        negative_prompt=str(details.get("negative_prompt") or ""),
        index=int(details.get("index", 0)),
        seed=details.get("seed"),
    )


def _in_order(steps: Iterable[StepRecord]) -> list[StepRecord]:
    """Sort steps, which stand in the order of their ends, as they belong: questions first, then by their index."""
    return sorted(steps, key=lambda step: (step.kind in PAINTED, step.name, step.details.get("index", 0)))


def _by_key(steps: Iterable[StepRecord]) -> dict[StepKey, StepRecord]:
    found: dict[StepKey, StepRecord] = {}
    for step in _in_order(steps):
        # What failed and was done again in the same run has no partner in the other one; and the question for the
        # subject is only asked where nobody knows it, while the step `subject` says what it was in any case.
        is_alone = (step.error is not None and step.kind in PAINTED) or (step.kind, step.name) == ("chat", "subject")
        if not is_alone:
            index = int(step.details.get("index", 0))
            same = sum(key[:3] == (step.kind, step.name, index) for key in found)
            found[step.kind, step.name, index, same] = step
    return found


def _facts(step: StepRecord) -> dict[str, Any]:
    facts = {name: value for name, value in step.details.items() if name not in OWN and name != "used"}
    used = step.details.get("used")
    facts |= {f"used.{name}": value for name, value in used.items()} if isinstance(used, Mapping) else {}
    replies = step.details.get("replies")
    if replies:
        facts["chat_model"] = replies[-1].get("model")
    return facts | ({"error": step.error.type} if step.error is not None else {})


def _inputs(record: GenerationRecord) -> dict[str, Any]:
    given = record.inputs
    values = {"task": given.task, "texts": list(given.texts), "num": given.num, "stage": given.current_stage}
    return {**values, "images": list(given.image_ids), "seed": record.seed}


def _unequal(step: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Difference]:
    for what in dict.fromkeys((*old, *new)):
        before, after = old.get(what), new.get(what)
        # What a WebUI used may not be known of an older run; that is no difference.
        is_unknown = what.startswith("used.") and None in (before, after)
        if before != after and not is_unknown:
            yield Difference(what=what, step=step, old=_shown(before), new=_shown(after))


def _answered_anew(name: str, step: StepRecord) -> Iterable[Difference]:
    """A repetition takes the answers that are known; one that was asked for once more may be another."""
    is_anew = step.kind == "chat" and "replayed_from" not in step.details
    is_new_subject = step.kind == "subject" and step.details.get("source") != "replayed"
    if is_anew or is_new_subject:
        yield Difference(what="answer", step=name, old="of the session", new="asked anew")


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}…"


def _name(key: StepKey) -> str:
    kind, name, index, same = key
    return f"{name if name != kind else kind} {index + 1}" + (f" ({same + 1})" if same else "")


def _made(is_there: bool) -> str | None:
    return "done" if is_there else None


def _once(values: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if value))
